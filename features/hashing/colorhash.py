"""ImageHash's colour hash from counts of colour classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HUES = 6
NEUTRAL = 2
"""The first classes, black and grey; then come six hues of faint colour and six of bright colour."""
CLASSES = NEUTRAL + 2 * HUES
LEVELS = 8
LEVEL_CODES = np.array([0b000, 0b001, 0b010, 0b011, 0b110, 0b111, 0b110, 0b111])
"""ImageHash's three bits for each eighth of the picture: not plain binary from four on."""
BIT_PLACES = np.array([2, 1, 0])


def color_bits(counts: NDArray[np.int64], pixels: int) -> NDArray[np.bool_]:
    """Return the bits of the colour hash, shape (14, 3).

    Parameters
    ----------
    counts
        Pixels of each class, shape (14,): black, grey, six hues of faint colour, six of bright colour.
    pixels
        All pixels. Those of no class are colours that are neither faint nor bright.
    """
    colored = max(1, pixels - int(counts[:NEUTRAL].sum()))
    whole = np.where(np.arange(CLASSES) < NEUTRAL, pixels, colored)
    levels = np.minimum(LEVELS - 1, counts * LEVELS // whole)
    return np.asarray((LEVEL_CODES[levels][:, None] >> BIT_PLACES) & 1 == 1)
