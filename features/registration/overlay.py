"""What is measured of two pictures that may be one photo: their points, and one laid over the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.registration.alignment import Spots, align, spots_of
from features.registration.block_correlation import AGREES, agreement, levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.keypoints.descriptor import Descriptor

BLOCKS = (8, 8)
STEPS = 32
PLACES = (np.stack(np.meshgrid(np.arange(STEPS), np.arange(STEPS)), axis=-1).reshape(-1, 2) + 0.5) / STEPS
"""Spread evenly over a picture, in shares of its sides, shape (1024, 2)."""
OVERLAY = np.dtype(
    [
        ("matches", np.int64),
        ("repeated", np.float64),
        ("bits", np.float64),
        ("off_pixels", np.float64),
        ("textured", np.int64),
        ("agreeing", np.int64),
        ("mean", np.float64),
        ("middle", np.float64),
        ("low", np.float64),
        ("common_asked", np.float64),
        ("common_known", np.float64),
        ("lead", np.float64, (2, 3)),
        ("box", np.float64, (4,)),
        ("correlation", np.float32, BLOCKS),
    ]
)
"""One pair of pictures, the asked and the known one.

``matches``, ``repeated``, ``bits``, ``off_pixels``
    As `features.registration.alignment.Alignment` says.
``textured``, ``agreeing``
    Blocks of the common area that can tell something, and how many of them correlate by more than `AGREES`.
``mean``, ``middle``, ``low``
    Mean, median and lower quartile of their correlations, negative ones counted as 0; 0 without any.
``common_asked``, ``common_known``
    Share of each picture's area that lies in the other.
``lead``
    Leads from a place in the known picture to the same in the asked one, in shares of the sides.
``box``, ``correlation``
    As `features.registration.block_correlation.Agreement` says.
"""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture ready to be laid over others.

    Parameters
    ----------
    spots
        Its points.
    levels
        Its thumbnail in ever half the size.
    thumbnail
        Grey levels, shape (128, 128), ``uint8``.
    """

    spots: Spots
    levels: list[NDArray[np.float32]]
    thumbnail: NDArray[np.uint8]

    @classmethod
    def of(cls, sketch: Descriptor, width: float, height: float) -> View:
        """Prepare the sketch of a picture of some width and height in pixels."""
        return cls(spots_of(sketch.keypoints, width, height), levels(sketch.thumbnail), sketch.thumbnail)


def upright_guess(asked: View, known: View) -> NDArray[np.float64]:
    """Return what leads from one frame to the other where the pictures are the same from side to side."""
    return np.column_stack([np.diag(asked.spots.frame / known.spots.frame), np.zeros(2)])


def overlay(asked: View, known: View, guess: NDArray[np.float64], orientation: int) -> NDArray[np.void]:
    """Lay a known picture over an asked one.

    Parameters
    ----------
    guess
        Leads roughly from the known frame to the asked one, shape (2, 3).
    orientation
        The orientation that the guess contains; see `features.keypoints.orientations`.

    Returns
    -------
    numpy.ndarray
        `OVERLAY`, without dimensions.
    """
    aligned = align(asked.spots, known.spots, guess, orientation)
    lead = np.column_stack([aligned.lead[:, :2] * known.spots.frame, aligned.lead[:, 2]]) / asked.spots.frame[:, None]
    found = agreement(asked.levels, known.levels, lead)
    textured = np.sort(found.correlation[~np.isnan(found.correlation)])
    correlations = np.clip(textured, 0.0, 1.0) if textured.size else np.zeros(1, np.float32)
    common = _common_known(lead)
    out = np.zeros((), OVERLAY)
    out["matches"], out["repeated"] = aligned.matches, aligned.repeated
    out["bits"], out["off_pixels"] = aligned.bits, aligned.off_pixels
    out["textured"] = textured.size
    out["agreeing"] = np.count_nonzero(correlations > AGREES)
    out["mean"], out["middle"], out["low"] = correlations.mean(), _at(correlations, 0.5), _at(correlations, 0.25)
    out["common_known"] = common
    out["common_asked"] = min(1.0, common * abs(lead[0, 0] * lead[1, 1] - lead[0, 1] * lead[1, 0]))
    out["lead"], out["box"], out["correlation"] = lead, found.box, found.correlation
    return out


def _at(ordered: NDArray[np.float32], share: float) -> float:
    """Read between rising values, at a share of the way, as `numpy.percentile` does far more slowly."""
    below = int(share * (ordered.size - 1))
    low, high = ordered[below : below + 2].tolist() if ordered.size > 1 else (ordered.item(), ordered.item())
    return low + (high - low) * (share * (ordered.size - 1) - below)


def _common_known(lead: NDArray[np.float64]) -> float:
    """Return the share of the known picture's places that lie in the asked one."""
    there = PLACES @ lead[:, :2].T + lead[:, 2]
    return float(((there >= 0) & (there <= 1)).all(axis=1).mean())
