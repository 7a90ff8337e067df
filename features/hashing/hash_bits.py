"""The five hashes as numbers, and the rules that every way of hashing shares: from counts and sums to bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

WHASH_SIDE = 8

HUES = 6
NEUTRAL = 2
"""The first color classes, black and grey; then come six hues of faint color and six of bright color."""
CLASSES = NEUTRAL + 2 * HUES
LEVELS = 8
LEVEL_CODES = np.array([0b000, 0b001, 0b010, 0b011, 0b110, 0b111, 0b110, 0b111])
"""ImageHash's three bits for each eighth of the picture: not plain binary from four on."""
BIT_PLACES = np.array([2, 1, 0])


class Hashes(NamedTuple):
    """The five hashes of a picture: 64 bits each, the color hash 42."""

    ahash: int
    phash: int
    dhash: int
    whash: int
    colorhash: int

    @classmethod
    def of_bits(
        cls,
        *,
        ahash: NDArray[np.bool_],
        phash: NDArray[np.bool_],
        dhash: NDArray[np.bool_],
        whash: NDArray[np.bool_],
        colorhash: NDArray[np.bool_],
    ) -> Hashes:
        """Read the bits of each hash in row order as one unsigned number, the first bit highest."""
        return cls(*map(_number, (ahash, phash, dhash, whash, colorhash)))


def _number(bits: NDArray[np.bool_]) -> int:
    packed = np.packbits(bits)
    return int.from_bytes(packed.tobytes(), "big") >> (packed.size * 8 - bits.size)


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """What one pass over the pixels of a picture yields.

    Parameters
    ----------
    hashes
        The five hashes.
    shrink
        Gives the grey picture in some width and height, each pixel the mean of those it covers (Pillow's ``BOX``).
    """

    hashes: Hashes
    shrink: Callable[[int, int], NDArray[np.uint8]]


def whash_side(size: tuple[int, int]) -> int:
    """Return the side in pixels to which ImageHash brings a picture of this size for its wavelet hash."""
    return max(1 << (min(size).bit_length() - 1), WHASH_SIDE)


def whash_bits(sums: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Return ImageHash's wavelet hash from block sums instead of a wavelet transform.

    The hash compares the low band of a Haar transform with its median. That band is the sum of each block of pixels
    up to a common factor and offset, so that whole-number sums decide the same way: two different sums lie further
    apart than ImageHash's rounding errors by a factor above 10⁵ at 8192 pixels a side.

    Parameters
    ----------
    sums
        Sum of each block of the resized picture, shape (8, 8).

    Returns
    -------
    numpy.ndarray or None
        Shape (8, 8); ``None`` where the two middle sums are equal, so that ImageHash's rounding noise decides.
    """
    lower, upper = np.sort(sums, axis=None)[[31, 32]]
    return None if lower == upper else np.asarray(sums >= upper)


def colorhash_bits(counts: NDArray[np.int64], pixels: int) -> NDArray[np.bool_]:
    """Return the bits of ImageHash's color hash, shape (14, 3).

    Parameters
    ----------
    counts
        Pixels of each class, shape (14,): black, grey, six hues of faint color, six of bright color.
    pixels
        All pixels. Those of no class are colors that are neither faint nor bright.
    """
    colored = max(1, pixels - int(counts[:NEUTRAL].sum()))
    whole = np.where(np.arange(CLASSES) < NEUTRAL, pixels, colored)
    levels = np.minimum(LEVELS - 1, counts * LEVELS // whole)
    return np.asarray((LEVEL_CODES[levels][:, None] >> BIT_PLACES) & 1 == 1)
