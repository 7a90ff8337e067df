"""ImageHash's wavelet hash where blocks of a picture are equally bright, as on a white background.

Equal blocks lie on the median, and what sets their bits is the rounding noise of the transform there and back. The
Haar wavelet is local: the noise of a block comes from its own pixels and from the 8×8 band, so that only tied blocks
are transformed, and only those whose pixels differ need a real transform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pywt

from features.hashing.kernels.wavelet import WHITE, low_band

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = 8
COARSE_LEVELS = 3
"""Levels of the transform from 8×8 to a single value."""
STEP = float(pywt.Wavelet("haar").dec_lo[0])


def tied_whash(pixels: NDArray[np.uint8], sums: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the bits of the wavelet hash, shape (8, 8), of a picture whose two middle blocks are equally bright.

    Parameters
    ----------
    pixels
        Grey levels of the square picture whose side is a power of two.
    sums
        Sum of each of its 8×8 blocks.
    """
    middle = np.sort(sums, axis=None)[31]
    tied = sums == middle
    low, even = low_band(pixels, PARTS, STEP)
    band = _without_mean(low)
    blocks = pixels.reshape(PARTS, len(pixels) // PARTS, PARTS, -1).swapaxes(1, 2)
    values = _there_and_back(band, levels=(len(pixels) // PARTS).bit_length() - 1)
    for place in zip(*np.nonzero(tied & ~even), strict=True):
        values[place] = _transformed(blocks[place], band[place])
    values[~tied] = np.where(sums > middle, np.inf, -np.inf)[~tied]
    return np.asarray(values > np.median(values))


def _without_mean(band: NDArray[np.float64]) -> NDArray[np.float64]:
    coefficients = pywt.wavedec2(band, "haar", level=COARSE_LEVELS)
    coefficients[0] *= 0
    return np.asarray(pywt.waverec2(coefficients, "haar"))


def _there_and_back(band: NDArray[np.float64], levels: int) -> NDArray[np.float64]:
    """Return what becomes of blocks of one grey level: no detail, two directions a level, down and up again."""
    values = band
    for _ in range(2 * levels):
        values = values * STEP
    for _ in range(2 * levels):
        values = values * STEP + values * STEP
    return values.copy()


def _transformed(block: NDArray[np.uint8], low: float) -> float:
    """Return what becomes of one block whose low band is replaced."""
    levels = len(block).bit_length() - 1
    coefficients = pywt.wavedec2(block / WHITE, "haar", level=levels)
    coefficients[0] = np.array([[low]])
    restored = pywt.waverec2(coefficients, "haar")
    return float(pywt.wavedec2(restored, "haar", level=levels)[0][0, 0])
