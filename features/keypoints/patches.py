"""Small squares cut out of a grey picture and reduced to their low frequencies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


@compiled
def low_frequencies(
    image: NDArray[np.float32], squares: NDArray[np.float32], rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Transform squares of a picture.

    Parameters
    ----------
    image
        Shape (height, width).
    squares
        Column and row of the middle and half the side, in pixels, shape (n, 3).
    rows
        The transform along one direction, shape (frequencies, samples).

    Returns
    -------
    numpy.ndarray
        Coefficients, vertical frequency first, shape (n, frequencies, frequencies).
    """
    frequencies, samples = rows.shape
    patch = np.empty((samples, samples), np.float32)
    out = np.empty((len(squares), frequencies, frequencies), np.float32)
    for n in range(len(squares)):
        _cut(image, squares[n, 0], squares[n, 1], squares[n, 2], patch)
        _transform(patch, rows, out[n])
    return out


@compiled
def _cut(image: NDArray[np.float32], column: float, row: float, half_side: float, patch: NDArray[np.float32]) -> None:
    """Sample a square between pixels; beyond the edge the outermost pixels go on."""
    height, width = image.shape
    samples = patch.shape[0]
    step = 2 * half_side / samples
    left = np.empty(samples, np.int64)
    right = np.empty(samples, np.int64)
    share = np.empty(samples, np.float32)
    for j in range(samples):
        x = column - half_side + (j + 0.5) * step
        whole = math.floor(x)
        left[j] = min(max(int(whole), 0), width - 1)
        right[j] = min(max(int(whole) + 1, 0), width - 1)
        share[j] = x - whole
    for i in range(samples):
        y = row - half_side + (i + 0.5) * step
        whole = math.floor(y)
        upper = image[min(max(int(whole), 0), height - 1)]
        lower = image[min(max(int(whole) + 1, 0), height - 1)]
        down = np.float32(y - whole)
        for j in range(samples):
            high = upper[left[j]] + (upper[right[j]] - upper[left[j]]) * share[j]
            low = lower[left[j]] + (lower[right[j]] - lower[left[j]]) * share[j]
            patch[i, j] = high + (low - high) * down


@compiled
def _transform(patch: NDArray[np.float32], rows: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Multiply a patch with the rows of a transform from both sides."""
    frequencies, samples = rows.shape
    half_done = np.zeros((frequencies, samples), np.float32)
    for u in range(frequencies):
        line = half_done[u]
        for i in range(samples):
            weight = rows[u, i]
            for j in range(samples):
                line[j] += weight * patch[i, j]
    for u in range(frequencies):
        for v in range(frequencies):
            total = np.float32(0.0)
            for j in range(samples):
                total += half_done[u, j] * rows[v, j]
            out[u, v] = total
