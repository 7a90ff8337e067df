"""How far two pictures registered on each other agree, block by block."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = 64
"""Along each side of the common area."""
BLOCK = 8
SMOOTH = 4
"""Samples around each one whose mean is taken away."""
SHIFT = 1
"""Samples by which a block may lie beside its place."""
OUTSIDE = np.float32(-1e9)


@compiled
def halve(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a square picture in half the size, shape (side / 2, side / 2)."""
    side = picture.shape[0] // 2
    out = np.empty((side, side), np.float32)
    for y in range(side):
        for x in range(side):
            upper, lower = picture[2 * y], picture[2 * y + 1]
            out[y, x] = (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]) / 4
    return out


@compiled
def block_correlations(
    query: NDArray[np.float32], reference: NDArray[np.float32], transform: NDArray[np.float64], box: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Correlate two pictures block by block.

    Parameters
    ----------
    query, reference
        Grey levels, square.
    transform
        Leads from a place in the reference picture to the same in the query, in shares of the sides, shape (2, 3).
    box
        Part of the reference picture to look at: left, top, right, bottom, in shares of the sides.

    Returns
    -------
    tuple
        Correlation of each block and the contrast of the reference and of the query, whichever is weaker, in grey
        levels; shape (8, 8); NaN where less than half of a block lies in both pictures.
    """
    query_levels = np.empty((SAMPLES, SAMPLES), np.float32)
    reference_levels = np.empty((SAMPLES, SAMPLES), np.float32)
    _sample_both(query, reference, transform, box, query_levels, reference_levels)
    query_levels, reference_levels = _sharpen(query_levels), _sharpen(reference_levels)
    blocks = SAMPLES // BLOCK
    correlations = np.full((blocks, blocks), np.nan, np.float32)
    contrasts = np.full((blocks, blocks), np.nan, np.float32)
    for row in range(blocks):
        for column in range(blocks):
            top, left = row * BLOCK, column * BLOCK
            _, contrast, there = _correlation(query_levels, reference_levels, top, left, 0, 0)
            if 2 * there >= BLOCK * BLOCK:
                correlations[row, column] = _best_correlation(query_levels, reference_levels, top, left)
                contrasts[row, column] = contrast
    return correlations, contrasts


@compiled
def _sample(picture: NDArray[np.float32], u: float, v: float) -> float:
    """Read between pixels, at a place in shares of the sides."""
    side = picture.shape[0]
    x = min(max(u * side - 0.5, 0.0), side - 1.0)
    y = min(max(v * side - 0.5, 0.0), side - 1.0)
    left, top = int(x), int(y)
    right, bottom = min(left + 1, side - 1), min(top + 1, side - 1)
    across, down = x - left, y - top
    high = picture[top, left] * (1 - across) + picture[top, right] * across
    low = picture[bottom, left] * (1 - across) + picture[bottom, right] * across
    return float(high * (1 - down) + low * down)


@compiled
def _sample_both(
    query: NDArray[np.float32],
    reference: NDArray[np.float32],
    transform: NDArray[np.float64],
    box: NDArray[np.float64],
    query_out: NDArray[np.float32],
    reference_out: NDArray[np.float32],
) -> None:
    """Sample both pictures over a box of the reference; where either is not there both are `OUTSIDE`."""
    for i in range(SAMPLES):
        v = box[1] + (box[3] - box[1]) * (i + 0.5) / SAMPLES
        for j in range(SAMPLES):
            u = box[0] + (box[2] - box[0]) * (j + 0.5) / SAMPLES
            query_u = transform[0, 0] * u + transform[0, 1] * v + transform[0, 2]
            query_v = transform[1, 0] * u + transform[1, 1] * v + transform[1, 2]
            if 0 <= u <= 1 and 0 <= v <= 1 and 0 <= query_u <= 1 and 0 <= query_v <= 1:
                reference_out[i, j] = _sample(reference, u, v)
                query_out[i, j] = _sample(query, query_u, query_v)
            else:
                reference_out[i, j] = OUTSIDE
                query_out[i, j] = OUTSIDE


@compiled
def _sharpen(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take away the mean of what lies around each sample, as far as there is something."""
    total = np.zeros((SAMPLES + 1, SAMPLES + 1), np.float64)
    count = np.zeros((SAMPLES + 1, SAMPLES + 1), np.int64)
    for i in range(SAMPLES):
        for j in range(SAMPLES):
            there = levels[i, j] > OUTSIDE
            total[i + 1, j + 1] = total[i, j + 1] + total[i + 1, j] - total[i, j] + (levels[i, j] if there else 0.0)
            count[i + 1, j + 1] = count[i, j + 1] + count[i + 1, j] - count[i, j] + (1 if there else 0)
    out = np.full((SAMPLES, SAMPLES), OUTSIDE, np.float32)
    for i in range(SAMPLES):
        top, bottom = max(0, i - SMOOTH), min(SAMPLES, i + SMOOTH + 1)
        for j in range(SAMPLES):
            if levels[i, j] > OUTSIDE:
                left, right = max(0, j - SMOOTH), min(SAMPLES, j + SMOOTH + 1)
                sums = total[bottom, right] - total[top, right] - total[bottom, left] + total[top, left]
                n = count[bottom, right] - count[top, right] - count[bottom, left] + count[top, left]
                out[i, j] = levels[i, j] - sums / n
    return out


@compiled
def _best_correlation(query: NDArray[np.float32], reference: NDArray[np.float32], top: int, left: int) -> float:
    """Correlate one block, the query shifted as fits best."""
    best = -1.0
    for down in range(-SHIFT, SHIFT + 1):
        for across in range(-SHIFT, SHIFT + 1):
            best = max(best, _correlation(query, reference, top, left, down, across)[0])
    return best


@compiled
def _correlation(
    query: NDArray[np.float32], reference: NDArray[np.float32], top: int, left: int, down: int, across: int
) -> tuple[float, float, int]:
    """Return correlation, weaker contrast and number of samples of one block, the query shifted."""
    count = 0
    query_sum = query_squares = reference_sum = reference_squares = products = 0.0
    for i in range(max(top, -down), min(top + BLOCK, SAMPLES - down)):
        for j in range(max(left, -across), min(left + BLOCK, SAMPLES - across)):
            one, other = query[i + down, j + across], reference[i, j]
            if one > OUTSIDE and other > OUTSIDE:
                count += 1
                query_sum += one
                query_squares += one * one
                reference_sum += other
                reference_squares += other * other
                products += one * other
    if count == 0:
        return 0.0, 0.0, 0
    query_mean, reference_mean = query_sum / count, reference_sum / count
    query_variance = query_squares / count - query_mean * query_mean
    reference_variance = reference_squares / count - reference_mean * reference_mean
    if query_variance <= 0 or reference_variance <= 0:
        return 0.0, 0.0, count
    covariance = products / count - query_mean * reference_mean
    spread = math.sqrt(query_variance * reference_variance)
    return covariance / spread, math.sqrt(min(query_variance, reference_variance)), count
