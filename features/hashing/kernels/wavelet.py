"""The low band of a Haar transform, rounded at each step as PyWavelets rounds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHITE = 255.0


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
def low_band(pixels: NDArray[np.uint8], parts: int, step: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
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
