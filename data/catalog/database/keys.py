"""Short fixed names for long natural ones, the same on every machine and in every run.

Listings and sellers get 64-bit keys, which join fast; saving compares the ids behind them, so that two that share a
key (probability 3e-6 among ten million) become a reject and never a mix-up. Addresses and contents are written by
strangers, who could search for two that share 64 bits, so they get 128.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

SEPARATOR = "\x1f"  # the unit separator; ids hold no control characters, and contents are escaped
KEY_BYTES = 8
ID_BYTES = 16


def joined_keys(*columns: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the key of each row of texts: ``joined_keys(marketplaces, listing_ids)`` are listing keys.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    digests = b"".join(_digest(text, KEY_BYTES).digest() for text in _joined(columns))
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)


def joined_ids(*columns: Iterable[str]) -> list[str]:
    """Return 32 hex digits for each row of texts, which nobody can make two rows share."""
    return [_digest(text, ID_BYTES).hexdigest() for text in _joined(columns)]


def _joined(columns: tuple[Iterable[str], ...]) -> Iterable[str]:
    return (SEPARATOR.join(row) for row in zip(*columns, strict=True))


def _digest(text: str, size: int) -> hashlib.blake2b:
    return hashlib.blake2b(text.encode(), digest_size=size)
