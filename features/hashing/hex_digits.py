"""Hashes as text, in the hexadecimal digits that ImageHash prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HASH_BITS = {"ahash": 64, "phash": 64, "dhash": 64, "whash": 64, "colorhash": 42}
MAX_DIGITS = 16
DIGITS = np.frombuffer(b"0123456789abcdef", dtype="S1")


def digits_of(kind: str) -> int:
    """Return how many hexadecimal digits a hash of this kind is written with.

    >>> digits_of("phash"), digits_of("colorhash")
    (16, 11)
    """
    return -(-HASH_BITS[kind] // 4)


def to_hex(kind: str, value: int) -> str:
    """Write one hash as ImageHash prints it.

    >>> to_hex("colorhash", 0x6280040001)
    '06280040001'
    """
    return f"{value:0{digits_of(kind)}x}"


def from_hex(kind: str, text: str) -> int:
    """Read one hash as ImageHash prints it.

    Raises
    ------
    ValueError
        If the text has another number of digits, other signs, or more bits than the kind has.
    """
    return int(column_from_hex(kind, [text])[0])


def column_to_hex(kind: str, values: NDArray[np.uint64]) -> pd.Series[str]:
    """Write a column of hashes as ImageHash prints them.

    Parameters
    ----------
    values
        Hashes, shape (n,), ``uint64``.

    Returns
    -------
    pandas.Series
        Text, shape (n,), with a fresh index.
    """
    octets = np.ascontiguousarray(values, dtype=">u8").view(np.uint8).reshape(-1, MAX_DIGITS // 2)
    nibbles = np.stack((octets >> 4, octets & 15), axis=-1).reshape(-1, MAX_DIGITS)
    digits = np.ascontiguousarray(DIGITS[nibbles[:, MAX_DIGITS - digits_of(kind) :]])
    return pd.Series(digits.view(f"S{digits_of(kind)}").ravel().astype(str), dtype="str")


def column_from_hex(kind: str, texts: Sequence[str] | pd.Series[str]) -> NDArray[np.uint64]:
    """Read a column of hashes as ImageHash prints them.

    Parameters
    ----------
    texts
        Text, shape (n,), none missing.

    Returns
    -------
    numpy.ndarray
        Hashes, shape (n,), ``uint64``.

    Raises
    ------
    ValueError
        If a text has another number of digits, other signs, or more bits than the kind has; names the first.
    """
    column = pd.Series(texts, dtype="str")
    well_formed = column.str.fullmatch(f"[0-9a-fA-F]{{{digits_of(kind)}}}").fillna(False).to_numpy(dtype=bool)
    if not well_formed.all():
        raise ValueError(_not_a_hash(kind, column[~well_formed].iloc[0]))
    signs = column.str.lower().to_numpy(dtype=f"S{digits_of(kind)}").view(np.uint8)
    nibbles = np.searchsorted(DIGITS.view(np.uint8), signs).reshape(-1, digits_of(kind))
    shifts = np.arange(digits_of(kind) - 1, -1, -1, dtype=np.uint64) * np.uint64(4)
    values: NDArray[np.uint64] = np.bitwise_or.reduce(nibbles.astype(np.uint64) << shifts, axis=1)
    too_large = np.flatnonzero(values >> np.uint64(HASH_BITS[kind] - 1) > 1)
    if too_large.size:
        raise ValueError(_not_a_hash(kind, column.iloc[too_large[0]]))
    return values


def _not_a_hash(kind: str, text: object) -> str:
    return f"{text!r} is not a {kind}: expected {digits_of(kind)} hexadecimal digits that hold {HASH_BITS[kind]} bits."
