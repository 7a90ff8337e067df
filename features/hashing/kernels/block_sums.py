"""Sums over the blocks of a square picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
