"""Exact Hamming search against counting bits one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.hamming import brute_force
from features.hamming.brute_force import within
from tests.features.copies.prints import flip

hashes = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 15), max_size=12)
radii = st.integers(-1, 65)


def counted(queries, keys, radius_bits):
    return [
        (q, k, (query ^ key).bit_count())
        for q, query in enumerate(queries)
        for k, key in enumerate(keys)
        if (query ^ key).bit_count() <= radius_bits
    ]


def as_rows(hits):
    return list(zip(*(column.tolist() for column in hits), strict=True))


def column(values):
    return np.array(values, dtype=np.uint64)


@settings(deadline=None)
@given(hashes, hashes, radii)
def test_search_finds_what_counting_bits_finds_in_the_same_order(queries, keys, radius_bits):
    assert as_rows(within(column(queries), column(keys), radius_bits)) == counted(queries, keys, radius_bits)


@settings(deadline=None)
@given(hashes, hashes, radii)
def test_search_is_symmetric(queries, keys, radius_bits):
    there = as_rows(within(column(queries), column(keys), radius_bits))
    back = as_rows(within(column(keys), column(queries), radius_bits))
    assert sorted((k, q, d) for q, k, d in there) == back


@pytest.mark.parametrize("bits", [0, 1, 4, 8, 10, 31, 41])
def test_a_key_with_exactly_k_bits_flipped_is_found_at_k_and_not_below(bits):
    rng = np.random.default_rng(bits)
    queries = rng.integers(0, 2**64, 50, dtype=np.uint64)
    keys = flip(rng, queries, bits)
    for query, key in zip(queries[:, None], keys[:, None], strict=True):
        assert within(query, key, bits).distance.tolist() == [bits]
        assert within(query, key, bits - 1).distance.size == 0


def test_small_blocks_give_the_same_rows(monkeypatch):
    rng = np.random.default_rng(1)
    queries, keys = rng.integers(0, 2**64, (2, 300), dtype=np.uint64)
    whole = as_rows(within(queries, keys, 24))
    monkeypatch.setattr(brute_force, "BLOCK_CELLS", 700)
    assert as_rows(within(queries, keys, 24)) == whole != []


def test_nothing_is_found_among_nothing():
    some, none = column([1, 2]), column([])
    for queries, keys in ((some, none), (none, some), (none, none)):
        assert as_rows(within(queries, keys, 64)) == []


def test_columns_have_their_declared_types():
    for hits in (within(column([1]), column([1]), 0), within(column([]), column([]), 0)):
        assert [part.dtype for part in hits] == [np.int64, np.int64, np.uint8]
