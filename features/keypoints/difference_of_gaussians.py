"""Grey pictures blurred step by step, and the extrema that stand out between two steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

BORDER = 2
"""Pixels along the edge where no extremum is looked for."""
FURTHEST_DRIFT = 1.0
"""Pixels; an extremum whose true place lies further from its pixel is none."""
FURTHEST_STEP = 0.7
"""Of a step from one blur to the next, by which an extremum may lie beside its own."""
MOST_EXTREMA = 4096
"""Of one difference."""
WORD = 8
"""Marks that are looked at together."""


@compiled
def blur_step(
    image: NDArray[np.float32], weights: tuple[np.float32, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Blur a picture with a symmetric kernel, mirrored at its edges.

    Parameters
    ----------
    image
        Shape (height, width).
    weights
        The middle of the kernel and what follows it, of type ``float32``; a tuple, because code made for its length
        is more than twice as fast.

    Returns
    -------
    tuple
        The blurred picture, and what it differs by from the picture.
    """
    height, width = image.shape
    reach = len(weights) - 1
    across = _blurred_across(image, weights).ravel()
    blurred = np.empty((height, width), np.float32)
    difference = np.empty((height, width), np.float32)
    for y in range(height):
        _weigh(across[y * width : (y + 2 * reach + 1) * width], width, weights, blurred[y])
        _subtract(blurred[y], image[y], difference[y])
    return blurred, difference


@compiled
def _blurred_across(image: NDArray[np.float32], weights: tuple[np.float32, ...]) -> NDArray[np.float32]:
    """Blur each row, and go on above and below as mirrored, shape (height + 2 reaches, width)."""
    height, width = image.shape
    reach = len(weights) - 1
    out = np.empty((height + 2 * reach, width), np.float32)
    row = np.empty(width + 2 * reach, np.float32)
    for y in range(height):
        row[reach : reach + width] = image[y]
        for i in range(reach):
            row[reach - 1 - i] = image[y, min(i, width - 1)]
            row[reach + width + i] = image[y, max(width - 1 - i, 0)]
        _weigh(row, 1, weights, out[reach + y])
    for i in range(reach):
        out[reach - 1 - i] = out[reach + min(i, height - 1)]
        out[reach + height + i] = out[reach + max(height - 1 - i, 0)]
    return out


@compiled
def _weigh(source: NDArray[np.float32], stride: int, weights: tuple[np.float32, ...], out: NDArray[np.float32]) -> None:
    """Sum up what lies around each value, ``stride`` apart; ``source`` begins with the first that is needed."""
    # Unsigned, so that no index can mean one from the end: the loop would not become vector code.
    apart = np.uint64(stride)
    reach = np.uint64(len(weights) - 1)
    for x in range(out.size):
        middle = np.uint64(x) + reach * apart
        total = weights[0] * source[middle]
        for tap in range(1, len(weights)):
            off = np.uint64(tap) * apart
            total += weights[tap] * (source[middle - off] + source[middle + off])
        out[x] = total


@compiled
def _subtract(line: NDArray[np.float32], other: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for x in range(out.size):
        out[x] = line[x] - other[x]


@compiled
def extrema(
    finer: NDArray[np.float32],
    middle: NDArray[np.float32],
    coarser: NDArray[np.float32],
    faintest: float,
    longest: float,
) -> NDArray[np.float32]:
    """Find the extrema of one of three consecutive differences of blurred pictures: what exceeds all its neighbours.

    Parameters
    ----------
    finer, middle, coarser
        Differences, shape (height, width).
    faintest
        Least difference of an extremum, in grey levels.
    longest
        Most that an extremum may be longer than wide, as a ratio of curvatures: along an edge its place is arbitrary.

    Returns
    -------
    numpy.ndarray
        Column, row, step in scale (a share of one step) and signed difference, shape (n, 4): the first `MOST_EXTREMA`.
    """
    height, width = middle.shape
    out = np.empty((MOST_EXTREMA, 4), np.float32)
    n_out = 0
    marks = np.zeros(-(-width // WORD) * WORD, np.uint8)
    columns = np.empty(width, np.int64)
    for y in range(BORDER, height - BORDER):
        _mark_peaks(middle[y - 1], middle[y], middle[y + 1], marks[BORDER : width - BORDER])
        for x in columns[: _marked(marks, columns)]:
            value = middle[y, x]
            if abs(value) <= faintest or not _beats(value, y, x, finer) or not _beats(value, y, x, coarser):
                continue
            is_extremum, drift_x, drift_y = _drift(middle, y, x, longest)
            if is_extremum and n_out < len(out):
                bend = coarser[y, x] + finer[y, x] - 2 * value
                step = (finer[y, x] - coarser[y, x]) / 2 / bend if bend != 0 else 0.0
                out[n_out, 0] = x + drift_x
                out[n_out, 1] = y + drift_y
                out[n_out, 2] = max(-FURTHEST_STEP, min(FURTHEST_STEP, step))
                out[n_out, 3] = value
                n_out += 1
    return out[:n_out].copy()


@compiled
def _mark_peaks(
    above: NDArray[np.float32], here: NDArray[np.float32], below: NDArray[np.float32], marks: NDArray[np.uint8]
) -> None:
    """Mark the pixels of a row, but for the border, that lie above 0 and all eight around them, or below."""
    count, zero = marks.size, np.float32(0.0)
    left, middle, right = BORDER - 1, BORDER, BORDER + 1
    upper_left, upper, upper_right = above[left:], above[middle:], above[right:]
    same_left, same, same_right = here[left:], here[middle:], here[right:]
    lower_left, lower, lower_right = below[left:], below[middle:], below[right:]
    for x in range(count):
        value = same[x]
        highest = max(
            max(max(upper_left[x], upper[x]), max(upper_right[x], same_left[x])),
            max(max(same_right[x], lower_left[x]), max(lower[x], lower_right[x])),
        )
        lowest = min(
            min(min(upper_left[x], upper[x]), min(upper_right[x], same_left[x])),
            min(min(same_right[x], lower_left[x]), min(lower[x], lower_right[x])),
        )
        marks[x] = np.uint8(value > max(highest, zero)) | np.uint8(value < min(lowest, zero))


@compiled
def _marked(marks: NDArray[np.uint8], columns: NDArray[np.int64]) -> int:
    """Write down where marks are, and return how many."""
    n_marked = 0
    words = marks.view(np.uint64)
    for word in range(words.size):
        if words[word] == 0:
            continue
        for x in range(word * WORD, (word + 1) * WORD):
            if marks[x]:
                columns[n_marked] = x
                n_marked += 1
    return n_marked


@compiled
def _beats(value: float, y: int, x: int, level: NDArray[np.float32]) -> bool:
    """Whether a value lies above (if positive, else below) nine pixels of another difference."""
    sign = np.float32(1.0) if value > 0 else np.float32(-1.0)
    for row in range(y - 1, y + 2):
        for column in range(x - 1, x + 2):
            if value * sign <= sign * level[row, column]:
                return False
    return True


@compiled
def _drift(level: NDArray[np.float32], y: int, x: int, longest: float) -> tuple[bool, float, float]:
    """Return whether a peak is more than part of an edge, and how far right and below of its pixel it lies."""
    value = level[y, x]
    xx = level[y, x + 1] + level[y, x - 1] - 2 * value
    yy = level[y + 1, x] + level[y - 1, x] - 2 * value
    xy = (level[y + 1, x + 1] + level[y - 1, x - 1] - level[y + 1, x - 1] - level[y - 1, x + 1]) / 4
    curvature = xx * yy - xy * xy
    if curvature <= 0 or (xx + yy) * (xx + yy) > (longest + 1) * (longest + 1) / longest * curvature:
        return False, 0.0, 0.0
    slope_x = (level[y, x + 1] - level[y, x - 1]) / 2
    slope_y = (level[y + 1, x] - level[y - 1, x]) / 2
    drift_x = (xy * slope_y - yy * slope_x) / curvature
    drift_y = (xy * slope_x - xx * slope_y) / curvature
    return abs(drift_x) <= FURTHEST_DRIFT and abs(drift_y) <= FURTHEST_DRIFT, drift_x, drift_y
