"""Hashes as text: the digits ImageHash prints, there and back."""

from __future__ import annotations

import imagehash
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.facts import HASH_KINDS
from features.hashing.hex_digits import HASH_BITS, column_from_hex, column_to_hex, from_hex, to_hex

kinds_and_values = st.sampled_from(HASH_KINDS).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(st.integers(0, 2 ** HASH_BITS[kind] - 1), max_size=8))
)


@settings(deadline=None)
@given(kinds_and_values)
def test_text_and_numbers_are_one_to_one(drawn):
    kind, values = drawn
    column = np.array(values, dtype=np.uint64)
    texts = column_to_hex(kind, column)
    assert texts.tolist() == [to_hex(kind, value) for value in values]
    assert column_from_hex(kind, texts).tolist() == values
    assert [from_hex(kind, text) for text in texts] == values


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


def test_a_missing_text_is_refused():
    with pytest.raises(ValueError, match="is not a phash"):
        column_from_hex("phash", pd.Series(["f4959690dbc385a5", None], dtype="str"))


def test_an_empty_column_stays_empty():
    assert column_to_hex("dhash", np.empty(0, np.uint64)).tolist() == []
    assert column_from_hex("dhash", []).dtype == np.uint64


def test_signed_storage_gives_the_hash_back():
    hashes = np.array([0, 2**63, 2**64 - 1, 1], dtype=np.uint64)
    assert np.array_equal(hashes.view(np.int64).view(np.uint64), hashes)
