"""Grey pictures blurred step by step, and the spots that stand out between two steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

BORDER = 2
"""Pixels along the edge where no spot is looked for."""
STEEPEST_DRIFT = 1.0
"""Pixels; a spot whose true place lies further from where it was found is no spot."""
FURTHEST_STEP = 0.7


@compiled
def _weigh(line: NDArray[np.float32], weight: float, source: NDArray[np.float32]) -> None:
    for x in range(line.size):
        line[x] = weight * source[x]


@compiled
def _add(line: NDArray[np.float32], weight: float, one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    for x in range(line.size):
        line[x] += weight * (one[x] + other[x])


@compiled
def blur(image: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blur a picture with a symmetric kernel, mirrored at its edges.

    Parameters
    ----------
    image
        Shape (height, width).
    weights
        The middle of the kernel and what follows it, shape (reach + 1,).
    """
    height, width = image.shape
    reach = weights.size - 1
    across = np.empty((height, width), np.float32)
    padded = np.empty(width + 2 * reach, np.float32)
    for y in range(height):
        padded[reach : reach + width] = image[y]
        for i in range(reach):
            padded[reach - 1 - i] = image[y, min(i, width - 1)]
            padded[reach + width + i] = image[y, max(width - 1 - i, 0)]
        _weigh(across[y], weights[0], padded[reach : reach + width])
        for tap in range(1, reach + 1):
            _add(across[y], weights[tap], padded[reach - tap :], padded[reach + tap :])
    out = np.empty((height, width), np.float32)
    for y in range(height):
        _weigh(out[y], weights[0], across[y])
        for tap in range(1, reach + 1):
            above = y - tap if y >= tap else min(tap - y - 1, height - 1)
            below = y + tap if y + tap < height else max(2 * height - 1 - y - tap, 0)
            _add(out[y], weights[tap], across[above], across[below])
    return out


@compiled
def _mark_peaks(
    above: NDArray[np.float32], here: NDArray[np.float32], below: NDArray[np.float32], marks: NDArray[np.uint8]
) -> None:
    """Mark the pixels of a row, but for the first and the last, that lie above or below all eight around them."""
    count = marks.size
    upper_left, upper, upper_right = above[:count], above[1 : count + 1], above[2 : count + 2]
    left, middle, right = here[:count], here[1 : count + 1], here[2 : count + 2]
    lower_left, lower, lower_right = below[:count], below[1 : count + 1], below[2 : count + 2]
    for x in range(count):
        value = middle[x]
        highest = max(
            max(max(upper_left[x], upper[x]), max(upper_right[x], left[x])),
            max(max(right[x], lower_left[x]), max(lower[x], lower_right[x])),
        )
        lowest = min(
            min(min(upper_left[x], upper[x]), min(upper_right[x], left[x])),
            min(min(right[x], lower_left[x]), min(lower[x], lower_right[x])),
        )
        marks[x] = np.uint8(value > highest) | np.uint8(value < lowest)


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
def spots(
    finer: NDArray[np.float32],
    middle: NDArray[np.float32],
    coarser: NDArray[np.float32],
    faintest: float,
    longest: float,
    out: NDArray[np.float32],
) -> int:
    """Find bright and dark spots in one of three consecutive differences of blurred pictures.

    Parameters
    ----------
    finer, middle, coarser
        Differences, shape (height, width).
    faintest
        Least difference of a spot, in grey levels.
    longest
        Most that a spot may be longer than wide, as a ratio of curvatures: along an edge its place is arbitrary.
    out
        Filled with column, row, step in scale (a share of one step) and signed difference, shape (most, 4).

    Returns
    -------
    int
        How many were found; those beyond the size of ``out`` are left out.
    """
    height, width = middle.shape
    found = 0
    limit = (longest + 1) * (longest + 1) / longest
    marks = np.zeros(width, np.uint8)
    for y in range(BORDER, height - BORDER):
        _mark_peaks(middle[y - 1], middle[y], middle[y + 1], marks[1 : width - 1])
        for x in range(BORDER, width - BORDER):
            if marks[x] == 0 or abs(middle[y, x]) <= faintest:
                continue
            value = middle[y, x]
            if not _beats(value, y, x, finer) or not _beats(value, y, x, coarser):
                continue
            xx = middle[y, x + 1] + middle[y, x - 1] - 2 * value
            yy = middle[y + 1, x] + middle[y - 1, x] - 2 * value
            xy = (middle[y + 1, x + 1] + middle[y - 1, x - 1] - middle[y + 1, x - 1] - middle[y - 1, x + 1]) / 4
            curvature = xx * yy - xy * xy
            if curvature <= 0 or (xx + yy) * (xx + yy) > limit * curvature:
                continue
            slope_x = (middle[y, x + 1] - middle[y, x - 1]) / 2
            slope_y = (middle[y + 1, x] - middle[y - 1, x]) / 2
            drift_x = (xy * slope_y - yy * slope_x) / curvature
            drift_y = (xy * slope_x - xx * slope_y) / curvature
            if abs(drift_x) > STEEPEST_DRIFT or abs(drift_y) > STEEPEST_DRIFT or found == len(out):
                continue
            bend = coarser[y, x] + finer[y, x] - 2 * value
            step = (finer[y, x] - coarser[y, x]) / 2 / bend if bend != 0 else 0.0
            out[found, 0] = x + drift_x
            out[found, 1] = y + drift_y
            out[found, 2] = max(-FURTHEST_STEP, min(FURTHEST_STEP, step))
            out[found, 3] = value
            found += 1
    return found
