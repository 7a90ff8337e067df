"""The low band of a Haar transform, rounded at each step as PyWavelets rounds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHITE = 255.0


@compiled
def low_band(pixels: NDArray[np.uint8], parts: int, step: float) -> NDArray[np.float64]:
    """Return the band of shape (parts, parts) of a square picture; side and ``parts`` are powers of two.

    Parameters
    ----------
    pixels
        Grey levels, divided by 255 as ImageHash does.
    parts
        Side of the band.
    step
        The wavelet's filter value, about the root of a half.
    """
    shares = np.arange(256) / WHITE
    side = pixels.shape[0]
    if side == parts:
        return shares[pixels.ravel()].reshape(pixels.shape)
    line = np.empty(side)
    band = np.empty((side // 2, side // 2))
    for y in range(side // 2):
        for x in range(side):
            line[x] = shares[pixels[2 * y, x]] * step + shares[pixels[2 * y + 1, x]] * step
        for x in range(side // 2):
            band[y, x] = line[2 * x] * step + line[2 * x + 1] * step
    while side // 2 > parts:
        side //= 2
        for y in range(side // 2):
            for x in range(side):
                line[x] = band[2 * y, x] * step + band[2 * y + 1, x] * step
            for x in range(side // 2):
                band[y, x] = line[2 * x] * step + line[2 * x + 1] * step
    return band[:parts, :parts].copy()
