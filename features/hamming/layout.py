"""How the 64 bits of a key are divided among tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEY_BITS = 64
CHUNK_BITS = {4: (16, 16, 16, 16), 3: (22, 21, 21)}
"""Bits of each table's chunk by the number of tables, from the highest bits down."""
MANY_KEYS = 1 << 25
"""From here on three tables answer faster than four, whose buckets have grown to hundreds of keys."""
KEYS_A_BUCKET = 4
"""Aimed at in a small segment, so that its directories of buckets stay small beside its keys."""
FEWEST_ADDRESS_BITS = 8


@dataclass(frozen=True, slots=True)
class Layout:
    """Which bits each table stands for, and which of them are the address of a bucket.

    Parameters
    ----------
    chunk_bits
        Width of each table's chunk, from the highest bits of a key down; together 64.
    address_bits
        How many of the highest bits of each chunk are the address.
    """

    chunk_bits: tuple[int, ...]
    address_bits: tuple[int, ...]

    @classmethod
    def of_tables(cls, n_buckets: tuple[int, ...]) -> Layout:
        """Return the layout of tables with so many buckets each."""
        return cls(CHUNK_BITS[len(n_buckets)], tuple(count.bit_length() - 1 for count in n_buckets))

    @property
    def tops(self) -> tuple[int, ...]:
        """The bit above each chunk."""
        return tuple(KEY_BITS - sum(self.chunk_bits[:table]) for table in range(len(self.chunk_bits)))

    @property
    def shifts(self) -> tuple[int, ...]:
        """How many bits lie below each address."""
        return tuple(top - bits for top, bits in zip(self.tops, self.address_bits, strict=True))

    @property
    def masks(self) -> NDArray[np.uint64]:
        """The bits of each chunk, set."""
        widths = zip(self.tops, self.chunk_bits, strict=True)
        return np.array([((1 << bits) - 1) << (top - bits) for top, bits in widths], np.uint64)


def layout_for(n_keys: int, n_tables: int | None = None) -> Layout:
    """Choose the layout for a number of keys, and the number of tables too unless it is given."""
    chunk_bits = CHUNK_BITS[n_tables or (4 if n_keys < MANY_KEYS else 3)]
    wanted = max(FEWEST_ADDRESS_BITS, (n_keys // KEYS_A_BUCKET).bit_length())
    return Layout(chunk_bits, tuple(min(bits, wanted) for bits in chunk_bits))
