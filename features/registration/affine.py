"""How one picture lies in another: affine transforms between their frames, and the one that their keypoints fit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.keypoints.keypoints import PLACE_UNIT, SIZE_UNIT, frame_size
from features.keypoints.orientations import turned
from features.registration.affine_fit import Rules, count_visible, fit_affine, transform_keypoints

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
    """How a reference picture lies in the query.

    Parameters
    ----------
    transform
        Leads from a place in the frame of the reference picture to the same in the query's, pixels, shape (2, 3).
    matches
        How many points of one are where a point like them is in the other.
    repeated
        Their share among the points that could be: of the picture that shows fewer in the common area.
    bits
        Mean number of differing bits of the matches; `PARTNER_BITS` where there are none.
    off_pixels
        Median distance of the matches from where they should be; the last of `PARTNER_PIXELS` where there are none.
    """

    transform: NDArray[np.float64]
    matches: int
    repeated: float
    bits: float
    off_pixels: float


class Keypoints(NamedTuple):
    """The points of one picture, ready to be registered on another's.

    Parameters
    ----------
    geometry
        Column, row (pixels of the frame) and natural logarithm of the size, shape (n, 3).
    hash
        As displayed, shape (n,).
    frame
        Width and height of the frame, shape (2,).
    """

    geometry: NDArray[np.float64]
    hash: NDArray[np.uint64]
    frame: NDArray[np.float64]


def keypoints_of(points: NDArray[np.void], width: float, height: float) -> Keypoints:
    """Take the points of a picture of some width and height in pixels, without the empty ones."""
    there = points[points["size"] > 0]
    return Keypoints(geometry(there), np.ascontiguousarray(there["hash"]), np.array(frame_size(width, height)))


def geometry(points: NDArray[np.void]) -> NDArray[np.float64]:
    """Return column, row (pixels of the frame) and natural logarithm of the size, shape (n, 3)."""
    return np.column_stack([points["place"] * PLACE_UNIT, points["size"] * (SIZE_UNIT * LOG_2)])


def align(query: Keypoints, reference: Keypoints, guess: NDArray[np.float64], orientation: int) -> Alignment:
    """Register a reference picture on the query, starting from a guess.

    Parameters
    ----------
    guess
        Leads roughly from the reference frame to the query, shape (2, 3).
    orientation
        The orientation (see `features.keypoints.orientations`) that the guess contains.
    """
    reference_hash = turned(reference.hash, orientation)
    transform, partner = fit_affine(query.geometry, query.hash, reference.geometry, reference_hash, guess, RULES)
    query_point = np.flatnonzero(partner >= 0)
    reference_point = partner[query_point]
    if not len(query_point):
        return Alignment(transform, 0, 0.0, float(PARTNER_BITS), PARTNER_PIXELS[-1])
    off = (
        query.geometry[query_point, :2]
        - transform_keypoints(reference.geometry[reference_point], transform, SMALLEST_SCALE)[:, :2]
    )
    bits = np.bitwise_count(query.hash[query_point] ^ reference_hash[reference_point])
    return Alignment(
        transform=transform,
        matches=len(query_point),
        repeated=len(query_point) / max(len(query_point), _could_match(query, reference, transform)),
        bits=float(bits.mean()),
        off_pixels=float(np.median(np.hypot(off[:, 0], off[:, 1]))),
    )


def apply(transform: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where transforms take places.

    Parameters
    ----------
    transform
        One, shape (2, 3), or one for each pair of pictures, shape (n, 2, 3).
    places
        The same for all pairs, shape (places, 2), or those of each, shape (n, places, 2).

    Returns
    -------
    numpy.ndarray
        Shape (places, 2) or (n, places, 2).
    """
    return places @ np.swapaxes(transform[..., :2], -1, -2) + transform[..., None, :, 2]


def invert(transform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the transforms back, shape (..., 2, 3); one that takes everything to one line comes back to one place."""
    (a, b, x), (c, d, y) = np.moveaxis(transform, (-2, -1), (0, 1))
    area = a * d - b * c
    singular = np.abs(area) <= SMALLEST_SCALE**2
    back = np.stack([d, -b, b * y - d * x, -c, a, c * x - a * y], axis=-1) / np.where(singular, 1.0, area)[..., None]
    return np.where(singular[..., None], 0.0, back).reshape(transform.shape)


def _could_match(query: Keypoints, reference: Keypoints, transform: NDArray[np.float64]) -> int:
    """Count the points that the other picture should show too: of the picture that has fewer of them."""
    return min(
        count_visible(reference.geometry, transform, query.frame, LOG_SIZES, SMALLEST_SCALE),
        count_visible(query.geometry, invert(transform), reference.frame, LOG_SIZES, SMALLEST_SCALE),
    )
