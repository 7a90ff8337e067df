"""Short fixed keys for long natural ones, the same on every machine and in every run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

SEPARATOR = "\x1f"  # the unit separator; the schema rejects control characters, so it cannot occur in an id


def text_keys(texts: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the first eight bytes of each text's BLAKE2b digest as a signed integer.

    Two of ten million texts share a key with probability 3e-6; tables with such keys hold the text as well, and saving
    compares it, so a collision becomes a reject and never a mix-up.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)


def joined_keys(*columns: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the key of each row of texts: ``joined_keys(marketplaces, listing_ids)`` are listing keys.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    return text_keys(SEPARATOR.join(row) for row in zip(*columns, strict=True))
