"""Spots of a picture that are found again in its copies, wherever they are, each with a hash of what surrounds it.

A crop, a frame, a collage or a screenshot leaves most spots and their surroundings alone. The surroundings are
transformed as for ``phash``. They are *upright* where their two lowest frequencies are positive and the horizontal one
leads: compared upright, a mirrored or turned copy has the same hashes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from features.keypoints.kernels.patches import low_frequencies
from features.keypoints.orientations import AFTER, EXCHANGE, FLIP, MIRROR, turned
from features.keypoints.orientations import COUNT as TURNS
from features.keypoints.scale_space import scale_space

if TYPE_CHECKING:
    from numpy.typing import NDArray

AREA = 320 * 320
"""Pixels of the frame in which spots are looked for, whatever the size of the picture."""
MOST_POINTS = 256
SURROUNDINGS = 6.5
"""Half the side of what is hashed, in blurs of the spot."""
SAMPLES, FREQUENCIES = 16, 8
FADE = 0.7
"""Width of the bell by which the surroundings fade outwards, in half sides."""
DOUBT = 0.08
"""Share of all frequencies' strength below which a sign, or a lead, may be different in a copy."""

CELLS = 4
"""Along each side of the picture: so that points are spread over it."""
FIRST_ROUND, NEXT_ROUNDS = 8, 2
"""Points that each cell gives before any cell gives more."""

PLACE_UNIT = 1 / 16
SIZE_UNIT = 1 / 32
"""Of an octave."""
HIGHEST_BIT = np.uint64(63)
ALREADY_FRAMED = 0.99

POINT = np.dtype([("hash", "<u8"), ("place", "<u2", (2,)), ("size", "u1"), ("turn", "u1")])
"""What is kept of a spot, 14 bytes.

``hash``
    Of the surroundings as displayed, see `features.keypoints.orientations`; the highest bit tells a bright spot from
    a dark one.
``place``
    Column and row in sixteenths of a pixel of the frame (see `frame_size`), as far as 65,535 reaches: pictures that
    are 160 times as long as wide have their last points there.
``size``
    Blur in pixels of the frame at which the spot stands out most: 32 times its binary logarithm; 0 where there is none.
``turn``
    The lower three bits are the orientation that brings the surroundings upright, the next three which of mirroring,
    flipping and exchanging could as well be done or not.
"""


def frame_size(width: NDArray[np.float64] | float, height: NDArray[np.float64] | float) -> tuple[Any, Any]:
    """Return width and height of the frame that a picture's points are placed in: of its shape, `AREA` pixels."""
    shape = np.sqrt(np.divide(width, height))
    return math.sqrt(AREA) * shape, math.sqrt(AREA) / shape


def shrunk_size(width: int, height: int) -> tuple[int, int]:
    """Return the width and height that a picture is brought to first: those of its frame, or its own if smaller."""
    if width * height <= AREA:
        return width, height
    framed = frame_size(width, height)
    return max(1, round(framed[0])), max(1, round(framed[1]))


def find_points(grey: NDArray[np.uint8]) -> NDArray[np.void]:
    """Find the spots of a picture, at most ``MOST_POINTS``, spread over it, the most useful first.

    Parameters
    ----------
    grey
        Grey levels, shape (height, width), of the size that `shrunk_size` says.

    Returns
    -------
    numpy.ndarray
        `POINT`, shape (n,).
    """
    framed = _framed(grey)
    blurred, spots = scale_space(framed)
    found = spots[_spread(spots, framed.shape)[:MOST_POINTS]]
    coefficients = _surroundings(blurred, found)
    bright = (found["strength"] > 0).astype(np.uint64)
    points = np.empty(len(found), POINT)
    points["hash"] = _hashes(coefficients) | bright << HIGHEST_BIT
    points["place"] = _whole(np.stack([found["x"], found["y"]], axis=1) / PLACE_UNIT, 65535)
    points["size"] = _whole(np.log2(found["blur"]) / SIZE_UNIT, 255)
    points["turn"] = _turns(coefficients)
    return points


def _whole(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    return np.asarray(np.clip(np.rint(values), 0, most))


def _framed(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bring a picture that is smaller than its frame to the size of the frame."""
    height, width = grey.shape
    levels = grey.astype(np.float32, order="C")
    if width * height >= AREA * ALREADY_FRAMED:
        return levels
    columns, rows = (max(1, round(side)) for side in frame_size(width, height))
    return np.ascontiguousarray(_stretched(_stretched(levels, rows).T, columns).T, np.float32)


def _stretched(levels: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Read at ``size`` places of the first axis, linearly between two values."""
    last = len(levels) - 1
    places = np.clip((np.arange(size) + 0.5) * len(levels) / size - 0.5, 0, last)
    before = places.astype(np.int64)
    share = (places - before)[:, None]
    return np.asarray(levels[before] * (1 - share) + levels[np.minimum(before + 1, last)] * share)


def _spread(found: NDArray[np.void], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Order spots so that every part of the picture gives its strongest ones first."""
    column = np.clip(found["x"] / shape[1] * CELLS, 0, CELLS - 1).astype(np.int64)
    row = np.clip(found["y"] / shape[0] * CELLS, 0, CELLS - 1).astype(np.int64)
    cell, strength = row * CELLS + column, np.abs(found["strength"])
    by_cell = np.lexsort((-strength, cell))
    rank = np.empty(len(found), np.int64)
    rank[by_cell] = np.arange(len(found)) - np.searchsorted(cell[by_cell], cell[by_cell])
    turn = np.maximum(rank - FIRST_ROUND + NEXT_ROUNDS, 0) // NEXT_ROUNDS
    return np.lexsort((-strength, turn))


def _surroundings(blurred: list[NDArray[np.float32]], found: NDArray[np.void]) -> NDArray[np.float32]:
    """Return the low frequencies around each spot, shape (n, 8, 8), without their mean brightness."""
    middle_and_half = [found["x"] - 0.5, found["y"] - 0.5, SURROUNDINGS * found["blur"]]
    squares = (np.stack(middle_and_half, axis=1) / found["pixel"][:, None]).astype(np.float32)
    out = np.empty((len(found), FREQUENCIES, FREQUENCIES), np.float32)
    for number in np.unique(found["picture"]):
        chosen = np.flatnonzero(found["picture"] == number)
        out[chosen] = low_frequencies(blurred[number], squares[chosen], FADED_COSINES)
    return np.asarray(out - out[:, :1, :1] / FLAT[0, 0] * FLAT)


def _faded_cosines() -> NDArray[np.float32]:
    angles = np.arange(FREQUENCIES)[:, None] * (2 * np.arange(SAMPLES) + 1) * np.pi / (2 * SAMPLES)
    outwards = (np.arange(SAMPLES) + 0.5) / SAMPLES * 2 - 1
    return (np.cos(angles) * np.exp(-(outwards**2) / (2 * FADE**2))).astype(np.float32)


FADED_COSINES = _faded_cosines()
FLAT = np.outer(FADED_COSINES.sum(axis=1), FADED_COSINES.sum(axis=1))
"""Coefficients of a square of brightness 1."""


def _hashes(coefficients: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return which frequencies are positive, the highest bit free, shape (n,)."""
    positive = coefficients.reshape(len(coefficients), FREQUENCIES**2) > 0
    positive[:, 0] = False
    return np.packbits(positive, axis=1).view(">u8").ravel().astype(np.uint64)


def _turns(coefficients: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the orientation that brings each square upright, and how sure that is; see `POINT`."""
    across, down = coefficients[:, 0, 1], coefficients[:, 1, 0]
    strength = np.sqrt((coefficients.reshape(len(coefficients), FREQUENCIES**2)[:, 1:] ** 2).sum(axis=1))
    turn = MIRROR * (across < 0) + FLIP * (down < 0) + EXCHANGE * (np.abs(down) > np.abs(across))
    small, large = np.sort(np.abs([across, down]), axis=0)
    doubt = DOUBT * strength
    doubtful = MIRROR * (large < doubt) + FLIP * (small < doubt) + EXCHANGE * (large - small < doubt)
    return np.asarray(turn + TURNS * doubtful, np.uint8)


def upright(hashes: NDArray[np.uint64], orientations: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return hashes after each was brought into an orientation of its own, shape (n,)."""
    out = hashes.copy()
    for orientation in range(1, TURNS):
        chosen = orientations == orientation
        out[chosen] = turned(hashes[chosen], orientation)
    return out


def readings(points: NDArray[np.void]) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint64]]:
    """Return every way in which points may be upright.

    Returns
    -------
    tuple
        Number of the point, orientation and upright hash. A point without doubt is there once, any other up to eight
        times, first in the orientation that its ``turn`` names.
    """
    surest, doubtful = points["turn"] % TURNS, points["turn"] // TURNS
    change = np.arange(TURNS, dtype=np.uint8)
    number, after = np.nonzero((change & ~doubtful[:, None]) == 0)
    orientation = AFTER[after, surest[number]]
    return number, orientation, upright(points["hash"][number], orientation)
