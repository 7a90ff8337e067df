"""Hashes as whole numbers, the first bit highest."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Hashes(NamedTuple):
    """The five hashes of a picture: 64 bits each, the colour hash 42."""

    ahash: int
    phash: int
    dhash: int
    whash: int
    colorhash: int


def to_int(bits: NDArray[np.bool_]) -> int:
    """Read bits in row order as one unsigned number, the first bit highest.

    >>> to_int(np.array([[True, False], [True, True]]))
    11
    """
    packed = np.packbits(bits)
    return int.from_bytes(packed.tobytes(), "big") >> (packed.size * 8 - bits.size)
