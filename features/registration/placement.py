"""How one picture lies in another, in numbers: which way round, how far turned, squeezed and scaled, what juts out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.keypoints.orientations import MATRICES

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_MATCHES = 4
"""Three fix a lead, whatever they are; the fourth confirms it."""
FEWEST_AGREEING = 4
"""Blocks; below that two pictures may agree by chance."""
SIDES = np.array([[0.0, 0.5], [0.5, 0.0], [1.0, 0.5], [0.5, 1.0]])
"""Middles of the left, upper, right and lower side. A tilt about the centre leaves them at the border."""
AS_IT_IS = np.eye(2, 3)
SMALLEST_AREA = 1e-6


class Placements(NamedTuple):
    """How the known pictures of some pairs lie in the asked ones.

    Parameters
    ----------
    told
        Whether points or blocks tell it at all; else it is as if one were the other from side to side. Shape (n,).
    lead, back
        Lead from a place in the known picture to the same in the asked one and back, in shares of the sides; shapes
        (n, 2, 3).
    orientation
        The nearest of the eight (see `features.keypoints.orientations`), shape (n,).
    tilt_degrees
        How far the known picture is turned clockwise beyond that, from -45 to 45, shape (n,).
    scale
        Sides of the asked picture's objects by those of the known one's, in pixels of the files, shape (n,).
    squeeze
        How much longer everything became in one direction than in another, from 1 up, shape (n,).
    known_inset, asked_inset
        How far each side (left, upper, right, lower) of the known picture lies inside the asked one, and the other way
        round: shares of the outer one's sides, negative where a side lies outside; shapes (n, 4).
    """

    told: NDArray[np.bool_]
    lead: NDArray[np.float64]
    back: NDArray[np.float64]
    orientation: NDArray[np.int64]
    tilt_degrees: NDArray[np.float64]
    scale: NDArray[np.float64]
    squeeze: NDArray[np.float64]
    known_inset: NDArray[np.float64]
    asked_inset: NDArray[np.float64]


def placements(
    overlays: NDArray[np.void], asked_size: NDArray[np.float64], known_size: NDArray[np.float64]
) -> Placements:
    """Read off how pictures lie in each other.

    Parameters
    ----------
    overlays
        `features.registration.overlay.OVERLAY`, shape (n,).
    asked_size, known_size
        Widths and heights in pixels, shape (n, 2).
    """
    told = is_told(overlays)
    lead = np.where(told[:, None, None], overlays["lead"], AS_IT_IS)
    back = inverses(lead)
    shape = lead[:, :, :2] * asked_size[:, :, None] / known_size[:, None, :]
    # The orientation whose matrix has the largest product with the shape is the one with the smallest angle to it.
    orientation = np.einsum("nij,oij->no", shape, MATRICES).argmax(axis=1)
    upright = shape @ MATRICES[orientation].transpose(0, 2, 1)
    sine, cosine = upright[:, 1, 0] - upright[:, 0, 1], upright[:, 0, 0] + upright[:, 1, 1]
    long, short = np.linalg.svd(upright, compute_uv=False).T
    return Placements(
        told=told,
        lead=lead,
        back=back,
        orientation=orientation,
        tilt_degrees=np.degrees(np.arctan2(sine, cosine)),
        scale=np.sqrt(long * short),
        squeeze=long / short,
        known_inset=_insets(lead),
        asked_inset=_insets(back),
    )


def is_told(overlays: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return whether what the points and blocks of each pair say of its place can be believed, shape (n,)."""
    agreeing = overlays["agreeing"]
    believed = (overlays["matches"] >= FEWEST_MATCHES) | (2 * agreeing >= overlays["textured"])
    return believed & (agreeing >= FEWEST_AGREEING) & (np.abs(_area(overlays["lead"])) > SMALLEST_AREA)


def inverses(lead: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what leads back, shape (n, 2, 3)."""
    back = np.linalg.inv(lead[:, :, :2])
    return np.concatenate([back, -back @ lead[:, :, 2:]], axis=2)


def led(lead: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lead places over.

    Parameters
    ----------
    lead
        Of each pair, shape (n, 2, 3).
    places
        The same for all pairs, shape (places, 2), or those of each, shape (n, places, 2).

    Returns
    -------
    numpy.ndarray
        Shape (n, places, 2).
    """
    return places @ lead[:, :, :2].transpose(0, 2, 1) + lead[:, None, :, 2]


def _insets(lead: NDArray[np.float64]) -> NDArray[np.float64]:
    middles = led(lead, SIDES)
    insets: NDArray[np.float64] = np.minimum(middles, 1 - middles).min(axis=2)
    return insets


def _area(lead: NDArray[np.float64]) -> NDArray[np.float64]:
    return lead[:, 0, 0] * lead[:, 1, 1] - lead[:, 0, 1] * lead[:, 1, 0]
