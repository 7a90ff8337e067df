"""How one picture lies in another: what their points tell together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.keypoints.keypoints import PLACE_UNIT, SIZE_UNIT, frame_size
from features.keypoints.orientations import turned
from features.registration.affine_fit import Rules, aligned, moved, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTNER_BITS = 14
"""Most differing bits of two points that lie where they should; by chance 31 of 63 bits differ, give or take 4."""
PARTNER_PIXELS = (24.0, 10.0, 6.0)
"""How near, in the first round and in those that follow."""
PARTNER_LOG_SIZE = 0.5
STIFFNESS_PIXELS = 40.0
"""The shape of the first guess counts as much as one match this far away, so that two matches do not shear it."""
LOG_2 = math.log(2.0)
FEWEST_MATCHES = 2
SMALLEST_SCALE = 1e-3
LOG_SIZES = np.log([1.7, 60.0])
"""Sizes of spots that are found reliably: just above the first blur, well below the last."""
RULES = Rules(
    near_pixels=np.array(PARTNER_PIXELS),
    near_log_size=PARTNER_LOG_SIZE,
    most_bits=PARTNER_BITS,
    fewest=FEWEST_MATCHES,
    stiffness_pixels=STIFFNESS_PIXELS,
    smallest_scale=SMALLEST_SCALE,
)


class Alignment(NamedTuple):
    """How a known picture lies in the asked one.

    Parameters
    ----------
    lead
        Leads from a place in the frame of the known picture to the same in the asked one's, pixels, shape (2, 3).
    matches
        How many points of one are where a point like them is in the other.
    repeated
        Their share among the points that could be: of the picture that shows fewer in the common area.
    bits
        Mean number of differing bits of the matches; `PARTNER_BITS` where there are none.
    off_pixels
        Median distance of the matches from where they should be; the last of `PARTNER_PIXELS` where there are none.
    """

    lead: NDArray[np.float64]
    matches: int
    repeated: float
    bits: float
    off_pixels: float


class Spots(NamedTuple):
    """The points of one picture, ready to be laid over another's.

    Parameters
    ----------
    at
        Column, row (pixels of the frame) and natural logarithm of the size, shape (n, 3).
    hash
        As displayed, shape (n,).
    frame
        Width and height of the frame, shape (2,).
    """

    at: NDArray[np.float64]
    hash: NDArray[np.uint64]
    frame: NDArray[np.float64]


def spots_of(points: NDArray[np.void], width: float, height: float) -> Spots:
    """Take the points of a picture of some width and height in pixels, without the empty ones."""
    there = points[points["size"] > 0]
    return Spots(geometry(there), np.ascontiguousarray(there["hash"]), np.array(frame_size(width, height)))


def geometry(points: NDArray[np.void]) -> NDArray[np.float64]:
    """Return column, row (pixels of the frame) and natural logarithm of the size, shape (n, 3)."""
    return np.column_stack([points["place"] * PLACE_UNIT, points["size"] * (SIZE_UNIT * LOG_2)])


def align(asked: Spots, known: Spots, guess: NDArray[np.float64], orientation: int) -> Alignment:
    """Lay a known picture over the asked one, starting from a guess.

    Parameters
    ----------
    guess
        Leads roughly from the known frame to the asked one, shape (2, 3).
    orientation
        The orientation (see `features.keypoints.orientations`) that the guess contains.
    """
    known_hash = turned(known.hash, orientation)
    lead, partner = aligned(asked.at, asked.hash, known.at, known_hash, guess, RULES)
    asked_point = np.flatnonzero(partner >= 0)
    known_point = partner[asked_point]
    if not len(asked_point):
        return Alignment(lead, 0, 0.0, float(PARTNER_BITS), PARTNER_PIXELS[-1])
    off = asked.at[asked_point, :2] - moved(known.at[known_point], lead, SMALLEST_SCALE)[:, :2]
    bits = np.bitwise_count(asked.hash[asked_point] ^ known_hash[known_point])
    return Alignment(
        lead=lead,
        matches=len(asked_point),
        repeated=len(asked_point) / max(len(asked_point), _could_match(asked, known, lead)),
        bits=float(bits.mean()),
        off_pixels=float(np.median(np.hypot(off[:, 0], off[:, 1]))),
    )


def inverse(lead: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what leads back; what leads nowhere comes back to one place."""
    (a, b, x), (c, d, y) = lead.tolist()
    area = a * d - b * c
    if abs(area) <= SMALLEST_SCALE**2:
        return np.zeros((2, 3))
    back: NDArray[np.float64] = np.array([[d, -b, b * y - d * x], [-c, a, c * x - a * y]]) / area
    return back


def _could_match(asked: Spots, known: Spots, lead: NDArray[np.float64]) -> int:
    """Count the points that the other picture should show too: of the picture that has fewer of them."""
    return min(
        shown(known.at, lead, asked.frame, LOG_SIZES, SMALLEST_SCALE),
        shown(asked.at, inverse(lead), known.frame, LOG_SIZES, SMALLEST_SCALE),
    )
