"""Keypoints: places of a picture that are found again in its copies, each with a hash of what surrounds it.

A crop, a frame, a collage or a screenshot leaves most keypoints and their surroundings alone. They are where a picture
stands out most from a more blurred one, in place and in size (extrema of differences of Gaussians, after Lowe 2004).
The surroundings are transformed as for ``phash``. They are *upright* where their two lowest frequencies are positive
and the horizontal one leads: compared upright, a mirrored or turned copy has the same hashes.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from features.keypoints.difference_of_gaussians import blur_step, extrema
from features.keypoints.orientations import EXCHANGE, FLIP, MIRROR, N_ORIENTATIONS
from features.keypoints.patches import low_frequencies

if TYPE_CHECKING:
    from numpy.typing import NDArray

AREA = 320 * 320
"""Pixels of the frame in which keypoints are looked for, whatever the size of the picture."""
ALREADY_FRAMED = 0.99
MOST_KEYPOINTS = 256

FIRST_BLUR = 1.6
CAMERA_BLUR = 0.5
"""Pixels; what the pixels themselves are taken to blur."""
STEPS = 3
"""Blurs from one octave to the next."""
OCTAVES = 5
SMALLEST_SIDE = 12
FAINTEST = 0.8
"""Grey levels."""
LONGEST = 10.0
REACH = 3.0
"""Blurs on either side that a bell goes on for."""

CELLS = 4
"""Along each side of the picture: so that keypoints are spread over it."""
FIRST_ROUND, NEXT_ROUNDS = 8, 2
"""Keypoints that each cell gives before any cell gives more."""

SURROUNDINGS = 6.5
"""Half the side of what is hashed, in blurs of the keypoint."""
SAMPLES, FREQUENCIES = 16, 8
FADE = 0.7
"""Width of the bell by which the surroundings fade outwards, in half sides."""
DOUBT = 0.08
"""Share of all frequencies' strength below which a sign, or a lead, may be different in a copy."""

PLACE_UNIT = 1 / 16
SIZE_UNIT = 1 / 32
"""Of an octave."""
HIGHEST_BIT = np.uint64(63)

KEYPOINT = np.dtype([("hash", "<u8"), ("place", "<u2", (2,)), ("size", "u1"), ("turn", "u1")])
"""What is kept of a keypoint, 14 bytes.

``hash``
    Of the surroundings as displayed, see `features.keypoints.orientations`; the highest bit tells a bright keypoint
    from a dark one.
``place``
    Column and row in sixteenths of a pixel of the frame (see `frame_size`), as far as 65,535 reaches: pictures that
    are 160 times as long as wide have their last keypoints there.
``size``
    Blur in pixels of the frame at which the keypoint stands out most: 32 times its binary logarithm; 0 where there is
    none.
``turn``
    The lower three bits are the orientation that brings the surroundings upright, the next three which of mirroring,
    flipping and exchanging could as well be done or not.
"""

EXTREMUM = np.dtype(
    [
        ("x", np.float64),
        ("y", np.float64),
        ("blur", np.float64),
        ("strength", np.float64),
        ("picture", np.int64),
        ("pixel", np.float64),
    ]
)
"""Place and blur in pixels of the first picture, signed strength in grey levels, in which blurred picture it stands
out, and how many pixels of the first picture a pixel of that one is wide."""


class ScaleSpace(NamedTuple):
    """A picture at many sizes.

    Parameters
    ----------
    blurred
        The pictures that extrema are of, from the sharpest on; each octave has half as many pixels a side.
    extrema
        `EXTREMUM`, shape (n,).
    """

    blurred: list[NDArray[np.float32]]
    extrema: NDArray[np.void]


def frame_size(width: NDArray[np.float64] | float, height: NDArray[np.float64] | float) -> tuple[Any, Any]:
    """Return width and height of the frame that a picture's keypoints are placed in: of its shape, `AREA` pixels."""
    shape = np.sqrt(np.divide(width, height))
    return math.sqrt(AREA) * shape, math.sqrt(AREA) / shape


def shrunk_size(width: int, height: int) -> tuple[int, int]:
    """Return the width and height that a picture is brought to first: those of its frame, or its own if smaller."""
    if width * height <= AREA:
        return width, height
    framed = frame_size(width, height)
    return max(1, round(framed[0])), max(1, round(framed[1]))


def find_keypoints(grey: NDArray[np.uint8]) -> NDArray[np.void]:
    """Find the keypoints of a picture, at most ``MOST_KEYPOINTS``, spread over it, the most useful first.

    Parameters
    ----------
    grey
        Grey levels, shape (height, width), of the size that `shrunk_size` says.

    Returns
    -------
    numpy.ndarray
        `KEYPOINT`, shape (n,).
    """
    framed = _framed(grey)
    blurred, candidates = scale_space(framed)
    chosen = candidates[_spread(candidates, framed.shape)[:MOST_KEYPOINTS]]
    coefficients = _surroundings(blurred, chosen)
    bright = (chosen["strength"] > 0).astype(np.uint64)
    keypoints = np.empty(len(chosen), KEYPOINT)
    keypoints["hash"] = _hashes(coefficients) | bright << HIGHEST_BIT
    keypoints["place"] = _whole(np.stack([chosen["x"], chosen["y"]], axis=1) / PLACE_UNIT, 65535)
    keypoints["size"] = _whole(np.log2(chosen["blur"]) / SIZE_UNIT, 255)
    keypoints["turn"] = _turns(coefficients)
    return keypoints


def scale_space(picture: NDArray[np.float32]) -> ScaleSpace:
    """Blur a picture in steps and octaves, and find what stands out at some step.

    Parameters
    ----------
    picture
        Grey levels, shape (height, width); without extrema if a side is shorter than `SMALLEST_SIDE`.
    """
    kept: list[NDArray[np.float32]] = []
    parts: list[NDArray[np.float32]] = []
    base, _ = blur_step(picture, FIRST_BELL)
    for _ in range(OCTAVES):
        if min(base.shape) < SMALLEST_SIDE:
            break
        blurred, differences = [base], []
        for bell in BELLS:
            coarser, difference = blur_step(blurred[-1], bell)
            blurred.append(coarser)
            differences.append(difference)
        consecutive = zip(differences, differences[1:], differences[2:], strict=False)
        parts += [extrema(*three, FAINTEST, LONGEST) for three in consecutive]
        kept += blurred[1 : STEPS + 1]
        base = np.ascontiguousarray(blurred[STEPS][::2, ::2])
    return ScaleSpace(kept, _in_first_picture(parts))


def _bell(sigma: float) -> tuple[np.float32, ...]:
    """Return the middle of a Gaussian kernel and what follows it."""
    weights = np.exp(-(np.arange(math.ceil(REACH * sigma) + 1) ** 2) / (2 * sigma**2))
    return tuple((weights / (2 * weights.sum() - weights[0])).astype(np.float32))


GROWTH = 2.0 ** (1 / STEPS)
BLURS = FIRST_BLUR * GROWTH ** np.arange(STEPS + 3)
FIRST_BELL = _bell(math.sqrt(FIRST_BLUR**2 - CAMERA_BLUR**2))
BELLS = tuple(_bell(math.sqrt(after**2 - before**2)) for before, after in pairwise(BLURS))
NO_EXTREMA = np.empty((0, 4), np.float32)


def _in_first_picture(parts: list[NDArray[np.float32]]) -> NDArray[np.void]:
    """Bring the extrema of each blurred picture to pixels of the first one."""
    picture = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    octave, step = np.divmod(picture, STEPS)
    raw = np.concatenate([NO_EXTREMA, *parts]).astype(np.float64)
    out = np.empty(len(raw), EXTREMUM)
    out["picture"], out["pixel"], out["strength"] = picture, 2.0**octave, raw[:, 3]
    # Every second pixel is kept from octave to octave, so that pixel numbers just double.
    out["x"], out["y"] = raw[:, 0] * out["pixel"] + 0.5, raw[:, 1] * out["pixel"] + 0.5
    out["blur"] = BLURS[1 + step] * GROWTH ** raw[:, 2] * out["pixel"]
    return out


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


def _spread(candidates: NDArray[np.void], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Order extrema so that every part of the picture gives its strongest ones first."""
    column = np.clip(candidates["x"] / shape[1] * CELLS, 0, CELLS - 1).astype(np.int64)
    row = np.clip(candidates["y"] / shape[0] * CELLS, 0, CELLS - 1).astype(np.int64)
    cell, strength = row * CELLS + column, np.abs(candidates["strength"])
    by_cell = np.lexsort((-strength, cell))
    rank = np.empty(len(candidates), np.int64)
    rank[by_cell] = np.arange(len(candidates)) - np.searchsorted(cell[by_cell], cell[by_cell])
    number_of_round = np.maximum(rank - FIRST_ROUND + NEXT_ROUNDS, 0) // NEXT_ROUNDS
    return np.lexsort((-strength, number_of_round))


def _surroundings(blurred: list[NDArray[np.float32]], chosen: NDArray[np.void]) -> NDArray[np.float32]:
    """Return the low frequencies around each extremum, shape (n, 8, 8), without their mean brightness."""
    middle_and_half = [chosen["x"] - 0.5, chosen["y"] - 0.5, SURROUNDINGS * chosen["blur"]]
    squares = (np.stack(middle_and_half, axis=1) / chosen["pixel"][:, None]).astype(np.float32)
    out = np.empty((len(chosen), FREQUENCIES, FREQUENCIES), np.float32)
    for number in np.unique(chosen["picture"]):
        rows = np.flatnonzero(chosen["picture"] == number)
        out[rows] = low_frequencies(blurred[number], squares[rows], FADED_COSINES)
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
    """Return the orientation that brings each square upright, and how sure that is; see `KEYPOINT`."""
    across, down = coefficients[:, 0, 1], coefficients[:, 1, 0]
    strength = np.sqrt((coefficients.reshape(len(coefficients), FREQUENCIES**2)[:, 1:] ** 2).sum(axis=1))
    turn = MIRROR * (across < 0) + FLIP * (down < 0) + EXCHANGE * (np.abs(down) > np.abs(across))
    small, large = np.sort(np.abs([across, down]), axis=0)
    doubt = DOUBT * strength
    doubtful = MIRROR * (large < doubt) + FLIP * (small < doubt) + EXCHANGE * (large - small < doubt)
    return np.asarray(turn + N_ORIENTATIONS * doubtful, np.uint8)
