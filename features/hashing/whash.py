"""ImageHash's wavelet hash: the sums of blocks that decide it, and what does where blocks are equally bright.

On a white background many are. Equal blocks lie on the median, and what sets their bits is the rounding noise of the
transform there and back. The Haar wavelet is local: the noise of a block comes from its own pixels and from the 8×8
band, so that only tied blocks are transformed, and only those whose pixels differ need a real transform. The low band
is rounded at each step as PyWavelets rounds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pywt

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHITE = 255.0
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
    low, even = _low_band(pixels, PARTS, STEP)
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


@compiled
def block_sums(pixels: NDArray[np.uint8], parts: int) -> NDArray[np.int64]:
    """Return the sum of every block, shape (parts, parts), of a square picture whose side ``parts`` divides."""
    side = pixels.shape[0] // parts
    sums = np.zeros((parts, parts), np.int64)
    for y in range(pixels.shape[0]):
        for part in range(parts):
            total = np.int32(0)
            for pixel in pixels[y, part * side : (part + 1) * side]:
                total = np.int32(total + pixel)
            sums[y // side, part] += total
    return sums


@compiled
def _is_even(block: NDArray[np.uint8]) -> bool:
    level = block[0, 0]
    for y in range(block.shape[0]):
        others = 0
        for x in range(block.shape[1]):
            others += block[y, x] != level
        if others > 0:
            return False
    return True


@compiled
def _halved(values: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Go one level down: first each column, then each row."""
    side = len(values) // 2
    band = np.empty((side, side))
    line = np.empty(2 * side)
    for y in range(side):
        for x in range(2 * side):
            line[x] = values[2 * y, x] * step + values[2 * y + 1, x] * step
        for x in range(side):
            band[y, x] = line[2 * x] * step + line[2 * x + 1] * step
    return band


@compiled
def _low(block: NDArray[np.uint8], step: float) -> Any:
    values = block / WHITE
    while len(values) > 1:
        values = _halved(values, step)
    return values[0, 0]


@compiled
def _low_of_even(level: Any, side: int, step: float) -> Any:
    """Return what `_low` does for a block whose pixels are all alike, from one of them."""
    value = level / WHITE
    while side > 1:
        side //= 2
        value = value * step + value * step
        value = value * step + value * step
    return value


@compiled
def _low_band(pixels: NDArray[np.uint8], parts: int, step: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the band of a square picture, and which of its blocks are of one grey level, both (parts, parts).

    Parameters
    ----------
    pixels
        Grey levels, to be divided by 255 as ImageHash does; the side is a power of two.
    parts
        Side of the band, a power of two.
    step
        The wavelet's filter value, about the root of a half.
    """
    side = len(pixels) // parts
    band = np.empty((parts, parts))
    even = np.empty((parts, parts), np.bool_)
    for y in range(parts):
        for x in range(parts):
            block = pixels[y * side : (y + 1) * side, x * side : (x + 1) * side]
            even[y, x] = _is_even(block)
            band[y, x] = _low_of_even(block[0, 0], side, step) if even[y, x] else _low(block, step)
    return band, even
