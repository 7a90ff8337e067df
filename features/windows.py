"""Hashes of the whole picture and of windows of it, so that a cropped copy is still found.

Each window is hashed as if it were cut out, brought to 32×32 and transformed as for ``phash``. Cutting, averaging and
transforming are linear, so that one matrix a direction does all three for every window at once, and nothing is ever
resized. The matrices hold whole numbers: sums are exact in double precision in any order, and the hashes are the same
on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY_SIDE = 256
"""Side in pixels of the grey picture that windows are cut from."""
SAMPLES = 32
FREQUENCIES = 8
SCALE = 1 << 16
"""Unit of the matrices: the largest sum is 255 · 32² · 2³², below 2⁵⁰."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Windows of one size, evenly placed over the picture.

    Parameters
    ----------
    side
        Of the window, as a share of the picture's.
    steps
        Positions along each direction.
    """

    side: float
    steps: int

    @property
    def starts(self) -> NDArray[np.float64]:
        """Where the windows begin, in pixels of the grey picture, shape (steps,)."""
        return np.linspace(0.0, (1.0 - self.side) * GREY_SIDE, self.steps)


SCALES = (Scale(1.0, 1), Scale(0.93, 3), Scale(0.85, 3), Scale(0.71, 3), Scale(0.6, 4))
WINDOWS = sum(scale.steps**2 for scale in SCALES)
"""The whole picture first, then each scale row by row: 44."""


def _matrix(scale: Scale) -> NDArray[np.float64]:
    """Return what averages and transforms every window of a scale along one direction, shape (8 · steps, 256)."""
    edges = np.linspace(0.0, scale.side * GREY_SIDE, SAMPLES + 1) + scale.starts[:, None]
    pixels = np.arange(GREY_SIDE)
    overlaps = np.minimum(edges[:, 1:, None], pixels + 1) - np.maximum(edges[:, :-1, None], pixels)
    shares = np.maximum(overlaps, 0.0) / (scale.side * GREY_SIDE / SAMPLES)
    angles = np.arange(FREQUENCIES)[:, None] * (2 * np.arange(SAMPLES) + 1) * np.pi / (2 * SAMPLES)
    matrix: NDArray[np.float64] = np.rint(SCALE * np.cos(angles) @ shares).reshape(-1, GREY_SIDE)
    return matrix


MATRICES = tuple(_matrix(scale) for scale in SCALES)
ALL_ROWS = np.concatenate(MATRICES)


def window_coefficients(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the low frequencies of every window: whole numbers, shape (44, 8, 8), vertical frequency first.

    Mirroring the picture flips the sign of odd frequencies and the order of the windows, turning it transposes.

    Parameters
    ----------
    grey
        Grey levels, shape (256, 256).
    """
    rows = ALL_ROWS @ grey
    found = []
    top = 0
    for scale, matrix in zip(SCALES, MATRICES, strict=True):
        pairs = rows[top : top + len(matrix)] @ matrix.T
        shape = (scale.steps, FREQUENCIES, scale.steps, FREQUENCIES)
        found.append(pairs.reshape(shape).transpose(0, 2, 1, 3).reshape(-1, FREQUENCIES, FREQUENCIES))
        top += len(matrix)
    return np.concatenate(found)


def coefficient_hashes(coefficients: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return which coefficients lie above their median, 64 bits a window, the first highest.

    Parameters
    ----------
    coefficients
        Shape (n, 8, 8).

    Returns
    -------
    numpy.ndarray
        Shape (n,), ``uint64``.
    """
    flat = coefficients.reshape(len(coefficients), -1)
    ordered = np.sort(flat, axis=1)
    # Whole numbers below 2⁵¹: the sum of the middle two is exact, and so is the comparison with their mean.
    bits = 2 * flat > (ordered[:, 31] + ordered[:, 32])[:, None]
    return np.packbits(bits, axis=1).view(">u8").ravel().astype(np.uint64)


def window_hashes(grey: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the hashes of all windows of a grey picture, shape (256, 256): shape (44,), the whole picture first."""
    return coefficient_hashes(window_coefficients(grey))
