"""Spots of a picture that are found again in its copies, wherever they are, each with a hash of what surrounds it.

A crop, a frame, a collage or a screenshot leaves most spots and their surroundings alone. Spots are looked for at many
sizes, so that a copy of another scale has the same ones (difference of Gaussians, after Lowe 2004). The surroundings
are transformed as for ``phash``. They are *upright* where their two lowest frequencies are positive and the horizontal one
leads: compared upright, a mirrored or turned copy has the same hashes.
"""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from features.kernels.patches import low_frequencies
from features.kernels.scale_space import blur, spots
from features.orientations import AFTER, EXCHANGE, FLIP, MIRROR, turned
from features.orientations import COUNT as TURNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

AREA = 320 * 320
"""Pixels of the frame in which spots are looked for, whatever the size of the picture."""
MOST_POINTS = 256
FIRST_BLUR = 1.6
CAMERA_BLUR = 0.5
"""Pixels; what the pixels themselves are taken to blur."""
STEPS = 3
"""Sizes of spots from one octave to the next."""
OCTAVES = 5
SMALLEST_SIDE = 12
FAINTEST = 0.8
"""Grey levels."""
LONGEST = 10.0
MOST_SPOTS = 4096
REACH = 3.0

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

SPOT = np.dtype(
    [
        ("x", np.float64),
        ("y", np.float64),
        ("blur", np.float64),
        ("strength", np.float64),
        ("picture", np.int64),
        ("octave", np.int64),
    ]
)
"""Place and blur in pixels of the frame, signed strength in grey levels, and which blurred picture of which octave."""


POINT = np.dtype([("hash", "<u8"), ("place", "<u2", (2,)), ("size", "u1"), ("turn", "u1")])
"""What is kept of a spot, 14 bytes.

``hash``
    Of the surroundings as displayed, see `features.orientations`; the highest bit tells a bright spot from a dark one.
``place``
    Column and row in sixteenths of a pixel of the frame (see `frame_size`).
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
    blurred, found = _scale_space(framed)
    found = found[_spread(found, framed.shape)[:MOST_POINTS]]
    coefficients = _surroundings(blurred, found)
    bright = (found["strength"] > 0).astype(np.uint64)
    points = np.empty(len(found), POINT)
    points["hash"] = _hashes(coefficients) | bright << HIGHEST_BIT
    points["place"] = _whole(np.stack([found["x"], found["y"]], axis=1) / PLACE_UNIT, 65535)
    points["size"] = _whole(np.log2(found["blur"]) / SIZE_UNIT, 255)
    points["turn"] = _turns(coefficients)
    return points


def _whole(values: NDArray[np.floating[Any]], most: int) -> NDArray[np.floating[Any]]:
    return np.clip(np.rint(values), 0, most)


def _framed(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bring a picture that is smaller than its frame to the size of the frame."""
    height, width = grey.shape
    if width * height >= AREA * ALREADY_FRAMED:
        return grey.astype(np.float32)
    columns, rows = (max(1, round(side)) for side in frame_size(width, height))
    return (_between(height, rows) @ grey @ _between(width, columns).T).astype(np.float32)


def _between(length: int, size: int) -> NDArray[np.float64]:
    """Return the weights that read ``length`` values at ``size`` places, linearly between two, shape (size, length)."""
    places = (np.arange(size) + 0.5) * length / size - 0.5
    return np.maximum(0.0, 1.0 - np.abs(np.clip(places, 0, length - 1)[:, None] - np.arange(length)))


def _bell(sigma: float) -> NDArray[np.float32]:
    """Return the middle of a Gaussian kernel and what follows it."""
    weights = np.exp(-(np.arange(math.ceil(REACH * sigma) + 1) ** 2) / (2 * sigma**2))
    return (weights / (2 * weights.sum() - weights[0])).astype(np.float32)


GROWTH = 2.0 ** (1 / STEPS)
BLURS = FIRST_BLUR * GROWTH ** np.arange(STEPS + 3)
FIRST_BELL = _bell(math.sqrt(FIRST_BLUR**2 - CAMERA_BLUR**2))
BELLS = tuple(_bell(math.sqrt(after**2 - before**2)) for before, after in pairwise(BLURS))


def _scale_space(framed: NDArray[np.float32]) -> tuple[list[NDArray[np.float32]], NDArray[np.void]]:
    """Blur a picture in steps and octaves; return the blurred pictures and the spots found in them."""
    kept: list[NDArray[np.float32]] = []
    found = [np.empty(0, SPOT)]
    base = blur(framed, FIRST_BELL)
    for octave in range(OCTAVES):
        if min(base.shape) < SMALLEST_SIDE:
            break
        blurred = list(accumulate(BELLS, blur, initial=base))
        differences = [coarser - finer for finer, coarser in pairwise(blurred)]
        for step in range(1, STEPS + 1):
            found.append(_spots(differences[step - 1 : step + 2], octave, step, number=len(kept)))
            kept.append(blurred[step])
        base = np.ascontiguousarray(blurred[STEPS][::2, ::2])
    return kept, np.concatenate(found)


def _spots(differences: list[NDArray[np.float32]], octave: int, step: int, number: int) -> NDArray[np.void]:
    raw = np.empty((MOST_SPOTS, 4), np.float32)
    raw = raw[: spots(*differences, FAINTEST, LONGEST, raw)].astype(np.float64)
    found = np.empty(len(raw), SPOT)
    # Every second pixel is kept from octave to octave, so that pixel numbers just double.
    found["x"], found["y"] = ((raw[:, :2] * 2.0**octave) + 0.5).T
    found["blur"] = BLURS[step] * GROWTH ** raw[:, 2] * 2.0**octave
    found["strength"], found["picture"], found["octave"] = raw[:, 3], number, octave
    return found


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
    out = np.empty((len(found), FREQUENCIES, FREQUENCIES), np.float32)
    for number in np.unique(found["picture"]):
        chosen = np.flatnonzero(found["picture"] == number)
        here = found[chosen]
        pixels = 2.0 ** here["octave"]
        x, y, half = (here["x"] - 0.5) / pixels, (here["y"] - 0.5) / pixels, SURROUNDINGS * here["blur"] / pixels
        part = np.empty((len(chosen), FREQUENCIES, FREQUENCIES), np.float32)
        low_frequencies(blurred[number], np.stack([x, y, half], axis=1).astype(np.float32), FADED_COSINES, part)
        out[chosen] = part
    return out - out[:, :1, :1] / FLAT[0, 0] * FLAT


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
    return (turn + TURNS * doubtful).astype(np.uint8)


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
