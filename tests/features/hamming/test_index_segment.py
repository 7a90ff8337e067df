"""A radius is shared out so that no pair is missed and little is looked into."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.hamming.brute_force import within
from features.hamming.index_segment import (
    CHUNK_BITS,
    LEFT_OUT,
    MANY_KEYS,
    Segment,
    build,
    cheapest,
    compare_few,
    flips,
    layout_for,
    n_flips,
)


@pytest.mark.parametrize(("address_bits", "radius_bits"), [(16, 0), (16, 3), (8, 8), (5, 9), (22, 2)])
def test_flips_are_all_numbers_of_few_bits_each_once(address_bits, radius_bits):
    expected = {number for number in range(1 << address_bits) if number.bit_count() <= radius_bits}
    numbers = flips(address_bits, radius_bits)
    assert numbers[0] == 0
    assert numbers.size == len(expected) == n_flips(address_bits, radius_bits)
    assert set(numbers.tolist()) == expected


@given(st.integers(0, 14), st.lists(st.floats(1, 1e4), min_size=3, max_size=4).map(tuple))
def test_shares_are_exact_to_the_bit(radius_bits, groups):
    radii = cheapest(radius_bits, CHUNK_BITS[len(groups)], groups, np.inf)
    assert sum(radius + 1 for radius in radii) == radius_bits + 1
    assert min(radii) >= LEFT_OUT


def test_crowded_tables_take_a_smaller_share():
    assert cheapest(4, (16,) * 4, (1, 50, 50, 50), np.inf)[0] > 0


def test_comparing_with_all_keys_is_chosen_where_it_costs_less():
    assert cheapest(8, (16,) * 4, (1,) * 4, 100) is None
    assert cheapest(8, (16,) * 4, (1,) * 4, 1e6) is not None
    assert cheapest(40, (16,) * 4, (1,) * 4, np.inf) is None


@pytest.mark.parametrize("n_keys", [0, 1, 100, 10**5, 10**7, MANY_KEYS, 10**9])
def test_chunks_cover_every_bit_once(n_keys):
    layout = layout_for(n_keys)
    assert sum(layout.masks.tolist()) == 2**64 - 1
    assert sum(layout.chunk_bits) == 64
    assert all(address <= chunk for address, chunk in zip(layout.address_bits, layout.chunk_bits, strict=True))
    assert max(layout.shifts) < 64


@pytest.mark.parametrize("n_tables", [None, 3, 4])
def test_a_layout_is_known_by_its_tables(n_tables):
    layout = layout_for(5000, n_tables)
    segment = Segment.of(build(np.arange(5000, dtype=np.uint64), np.arange(5000, dtype=np.uint32), layout))
    assert segment.address_bits == layout.address_bits
    assert segment.masks.tolist() == layout.masks.tolist()


@pytest.mark.parametrize("n_keys", [0, 1, 15, 16, 17, 128])
@pytest.mark.parametrize("radius_bits", [0, 7, 30, 64])
def test_a_few_keys_are_compared_as_by_brute_force(n_keys, radius_bits):
    rng = np.random.default_rng(n_keys)
    keys, queries = rng.integers(0, 2**64, n_keys, dtype=np.uint64), rng.integers(0, 2**64, 40, dtype=np.uint64)
    queries = np.append(queries, keys[:3])
    expected = within(queries, keys, radius_bits)
    query, key = compare_few(queries, keys, radius_bits)
    np.testing.assert_array_equal(query, expected.query_index)
    np.testing.assert_array_equal(key, expected.key_index)
