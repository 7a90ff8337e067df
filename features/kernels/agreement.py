"""How far two pictures laid over each other agree, block by block."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from features.kernels.compiled import compiled

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
def halved(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a square picture in half the size, shape (side / 2, side / 2)."""
    side = picture.shape[0] // 2
    out = np.empty((side, side), np.float32)
    for y in range(side):
        for x in range(side):
            out[y, x] = (
                picture[2 * y, 2 * x] + picture[2 * y, 2 * x + 1] + picture[2 * y + 1, 2 * x] + picture[2 * y + 1, 2 * x + 1]
            ) / 4
    return out


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
    return high * (1 - down) + low * down


@compiled
def _lay_over(
    asked: NDArray[np.float32],
    known: NDArray[np.float32],
    lead: NDArray[np.float64],
    box: NDArray[np.float64],
    asked_out: NDArray[np.float32],
    known_out: NDArray[np.float32],
) -> None:
    """Sample both pictures over a box of the known one; where either is not there both are `OUTSIDE`."""
    for i in range(SAMPLES):
        v = box[1] + (box[3] - box[1]) * (i + 0.5) / SAMPLES
        for j in range(SAMPLES):
            u = box[0] + (box[2] - box[0]) * (j + 0.5) / SAMPLES
            asked_u = lead[0, 0] * u + lead[0, 1] * v + lead[0, 2]
            asked_v = lead[1, 0] * u + lead[1, 1] * v + lead[1, 2]
            if 0 <= u <= 1 and 0 <= v <= 1 and 0 <= asked_u <= 1 and 0 <= asked_v <= 1:
                known_out[i, j] = _sample(known, u, v)
                asked_out[i, j] = _sample(asked, asked_u, asked_v)
            else:
                known_out[i, j] = OUTSIDE
                asked_out[i, j] = OUTSIDE


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
def _correlation(asked: NDArray[np.float32], known: NDArray[np.float32], top: int, left: int, down: int, across: int) -> tuple[float, float, int]:
    """Return correlation, weaker contrast and number of samples of one block, the asked one shifted."""
    n = 0
    a1 = a2 = k1 = k2 = ak = 0.0
    for i in range(top, top + BLOCK):
        if i + down < 0 or i + down >= SAMPLES:
            continue
        for j in range(left, left + BLOCK):
            if j + across < 0 or j + across >= SAMPLES:
                continue
            a, k = asked[i + down, j + across], known[i, j]
            if a > OUTSIDE and k > OUTSIDE:
                n += 1
                a1 += a
                a2 += a * a
                k1 += k
                k2 += k * k
                ak += a * k
    if n == 0:
        return 0.0, 0.0, 0
    va, vk = a2 / n - (a1 / n) * (a1 / n), k2 / n - (k1 / n) * (k1 / n)
    weaker = math.sqrt(max(min(va, vk), 0.0))
    if va <= 0 or vk <= 0:
        return 0.0, weaker, n
    return (ak / n - a1 * k1 / n / n) / math.sqrt(va * vk), weaker, n


@compiled
def block_correlations(
    asked: NDArray[np.float32], known: NDArray[np.float32], lead: NDArray[np.float64], box: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Correlate two pictures block by block.

    Parameters
    ----------
    asked, known
        Grey levels, square.
    lead
        Leads from a place in the known picture to the same in the asked one, in shares of the sides, shape (2, 3).
    box
        Part of the known picture to look at: left, top, right, bottom, in shares of the sides.

    Returns
    -------
    tuple
        Correlation of each block and the contrast of the known and of the asked one, whichever is weaker, in grey
        levels; shape (8, 8); NaN where less than half of a block lies in both pictures.
    """
    asked_levels = np.empty((SAMPLES, SAMPLES), np.float32)
    known_levels = np.empty((SAMPLES, SAMPLES), np.float32)
    _lay_over(asked, known, lead, box, asked_levels, known_levels)
    asked_levels, known_levels = _sharpen(asked_levels), _sharpen(known_levels)
    blocks = SAMPLES // BLOCK
    correlations = np.full((blocks, blocks), np.nan, np.float32)
    contrasts = np.full((blocks, blocks), np.nan, np.float32)
    for row in range(blocks):
        for column in range(blocks):
            top, left = row * BLOCK, column * BLOCK
            best = -1.0
            _, contrast, there = _correlation(asked_levels, known_levels, top, left, 0, 0)
            if 2 * there < BLOCK * BLOCK:
                continue
            for down in range(-SHIFT, SHIFT + 1):
                for across in range(-SHIFT, SHIFT + 1):
                    best = max(best, _correlation(asked_levels, known_levels, top, left, down, across)[0])
            correlations[row, column] = best
            contrasts[row, column] = contrast
    return correlations, contrasts
