"""Hashes as text: the digits ImageHash prints, there and back."""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.facts import HASH_KINDS
from features.hashing.hex_digits import HASH_BITS, from_hex, to_hex

kinds_and_values = st.sampled_from(HASH_KINDS).flatmap(
    lambda kind: st.tuples(st.just(kind), st.integers(0, 2 ** HASH_BITS[kind] - 1))
)


@given(kinds_and_values)
def test_text_and_numbers_are_one_to_one(drawn):
    kind, value = drawn
    assert from_hex(kind, to_hex(kind, value)) == value


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_the_digits_are_those_imagehash_prints(value):
    bits = np.array([value >> place & 1 for place in range(63, -1, -1)], dtype=bool).reshape(8, 8)
    assert to_hex("phash", value) == str(imagehash.ImageHash(bits))


@settings(deadline=None)
@given(st.integers(0, 2**42 - 1))
def test_the_digits_of_colorhash_are_those_imagehash_prints(value):
    bits = np.array([value >> place & 1 for place in range(41, -1, -1)], dtype=bool).reshape(14, 3)
    assert to_hex("colorhash", value) == str(imagehash.ImageHash(bits))


def test_capital_digits_are_read_too():
    assert from_hex("ahash", "FE86C38181C1C3C7") == 0xFE86C38181C1C3C7


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("phash", "f4959690dbc385a"),
        ("phash", "f4959690dbc385a5a"),
        ("phash", "g4959690dbc385a5"),
        ("phash", "0x959690dbc385a5"),
        ("phash", ""),
        ("colorhash", "f4959690dbc385a5"),
        ("colorhash", "40000000000"),
    ],
)
def test_what_is_not_a_hash_is_named(kind, text):
    with pytest.raises(ValueError, match=f"{text!r} is not a {kind}"):
        from_hex(kind, text)
