"""Hashes as text, in the hexadecimal digits that ImageHash prints."""

from __future__ import annotations

import re

HASH_BITS = {"ahash": 64, "phash": 64, "dhash": 64, "whash": 64, "colorhash": 42}


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
    is_hex = re.fullmatch(rf"[0-9a-fA-F]{{{digits_of(kind)}}}", text)
    if is_hex is None or int(text, 16) >> HASH_BITS[kind]:
        expected = f"{digits_of(kind)} hexadecimal digits that hold {HASH_BITS[kind]} bits"
        raise ValueError(f"{text!r} is not a {kind}: expected {expected}.")
    return int(text, 16)
