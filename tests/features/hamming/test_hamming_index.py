"""The index finds what comparing everything with everything finds."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.hamming import index_segment
from features.hamming.brute_force import Hits, within
from features.hamming.hamming_index import Index, merge
from features.hamming.index_segment import Layout, build, cheapest, layout_for
from tests.features.copies.prints import flip

FOUR = Layout((16, 16, 16, 16), (16, 16, 16, 16))
FOUR_SHORT = Layout((16, 16, 16, 16), (8, 9, 10, 11))
THREE = Layout((22, 21, 21), (22, 21, 21))
THREE_SHORT = Layout((22, 21, 21), (9, 8, 10))
LAYOUTS = pytest.mark.parametrize("layout", [FOUR, FOUR_SHORT, THREE_SHORT], ids=["four", "four short", "three short"])
ALL_BITS = 2**64 - 1


@pytest.fixture
def _tables_only(monkeypatch):
    """Search the tables also where comparing with all keys would cost less."""

    def shared(radius_bits, address_bits, groups_a_bucket, _):
        return cheapest(radius_bits, address_bits, groups_a_bucket, np.inf)

    monkeypatch.setattr(index_segment, "cheapest", shared)


def drawn(seed, n_keys):
    """Half of the keys at random, half in clusters, among them equal ones and the two extremes."""
    rng = np.random.default_rng(seed)
    alone = rng.integers(0, 2**64, n_keys // 2, dtype=np.uint64)
    centres = rng.integers(0, 2**64, max(1, n_keys // 40), dtype=np.uint64)
    near = np.concatenate([flip(rng, centres, bits) for bits in (0, 0, 1, 2, 3, 4, 5, 6, 8, 10)])
    return rng.permutation(np.concatenate([alone, near, np.array([0, 0, ALL_BITS, ALL_BITS], np.uint64)]))


def flip_anywhere(rng, keys, bits):
    places = rng.random((keys.size, 64)).argsort(axis=1)[:, :bits].astype(np.uint64)
    return keys ^ np.bitwise_or.reduce(np.uint64(1) << places, axis=1, initial=np.uint64(0))


def numbered(keys, first=0):
    return keys, np.arange(first, first + keys.size, dtype=np.uint32)


def index_of(keys, layout=None, parts=1):
    return Index.of([build(*numbered(part), layout) for part in np.array_split(keys, parts)])


def later_of_each_pair(hits):
    is_later = hits.query_index < hits.key_index
    return Hits(*(column[is_later] for column in hits))


def same(hits, expected):
    return all(
        np.array_equal(one, other) and one.dtype == other.dtype for one, other in zip(hits, expected, strict=True)
    )


@pytest.mark.usefixtures("_tables_only")
@LAYOUTS
@pytest.mark.parametrize("radius_bits", range(13))
def test_every_table_layout_finds_what_comparing_everything_finds(layout, radius_bits):
    keys = drawn(radius_bits, 1500)
    queries = np.concatenate([drawn(radius_bits + 100, 60), flip(np.random.default_rng(1), keys[:150], radius_bits)])
    index = index_of(keys, layout)
    hits = index.within(queries, radius_bits)
    assert hits.key_index.size
    assert same(hits, within(queries, index.keys, radius_bits))
    assert same(index.pairs(radius_bits), later_of_each_pair(within(index.keys, index.keys, radius_bits)))


@settings(deadline=None)
@given(
    st.lists(st.integers(0, ALL_BITS) | st.integers(0, 15), max_size=30),
    st.lists(st.integers(0, ALL_BITS) | st.integers(0, 15), max_size=12),
    st.integers(-1, 66),
    st.integers(1, 4),
)
def test_any_radius_finds_what_comparing_everything_finds(keys, queries, radius_bits, parts):
    index = index_of(np.array(keys, np.uint64), parts=parts)
    column = np.array(queries, np.uint64)
    assert same(index.within(column, radius_bits), within(column, index.keys, radius_bits))
    pairs = later_of_each_pair(within(index.keys, index.keys, radius_bits))
    assert same(index.pairs(radius_bits), pairs)


@pytest.mark.usefixtures("_tables_only")
@LAYOUTS
@pytest.mark.parametrize("radius_bits", range(13))
def test_a_key_with_exactly_k_bits_flipped_is_found_at_k_and_not_below(layout, radius_bits):
    rng = np.random.default_rng(radius_bits)
    queries = rng.integers(0, 2**64, 400, dtype=np.uint64)
    index = Index.of([build(*numbered(flip(rng, queries, radius_bits)), layout)])
    hits = index.within(queries, radius_bits)
    assert index.items_at(hits.key_index).tolist() == hits.query_index.tolist() == list(range(400))
    assert set(hits.distance.tolist()) == {radius_bits}
    assert index.within(queries, radius_bits - 1).distance.size == 0


@pytest.mark.usefixtures("_tables_only")
@pytest.mark.parametrize("layout", [FOUR, THREE], ids=["four", "three"])
def test_differences_within_one_chunk_alone_are_found(layout):
    masks = layout.masks
    keys = np.full(len(masks), 0x0123456789ABCDEF, np.uint64)
    queries = keys ^ (masks & (np.uint64(ALL_BITS) // np.uint64(3)))
    index = Index.of([build(*numbered(keys[:1]), layout)])
    distances = np.bitwise_count(queries ^ keys)
    for query, distance in zip(queries[:, None], distances.tolist(), strict=True):
        assert index.within(query, distance).distance.tolist() == [distance]
        assert index.within(query, distance - 1).distance.size == 0


@pytest.mark.parametrize("radius_bits", [3, 8, 12, 30])
def test_several_segments_answer_as_one(radius_bits):
    keys, queries = drawn(3, 2000), drawn(4, 100)
    queries = np.concatenate([queries, flip(np.random.default_rng(2), keys[::20], 3)])
    index = index_of(keys, parts=5)
    assert same(index.within(queries, radius_bits), within(queries, index.keys, radius_bits))
    assert same(index.pairs(radius_bits), later_of_each_pair(within(index.keys, index.keys, radius_bits)))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 14), st.integers(0, 3), st.integers(1, 4), st.integers(0, 1000))
def test_near_items_are_those_within_both_radii_however_they_are_divided(radius_bits, chunk_radius_bits, parts, seed):
    keys, rng = drawn(seed, 400), np.random.default_rng(seed)
    queries = np.concatenate([drawn(seed + 1, 40), *(flip_anywhere(rng, keys[:40], bits) for bits in range(0, 15, 2))])
    segments = [
        build(keys[own], own.astype(np.uint32), layout_for(own.size, 3))
        for own in np.array_split(np.arange(keys.size), parts)
    ]
    near = np.stack(Index.of(segments).items_near(queries, radius_bits, chunk_radius_bits))
    differing = queries[:, None] ^ keys
    in_a_chunk = np.bitwise_count(differing[:, :, None] & THREE.masks) <= chunk_radius_bits
    expected = np.argwhere((np.bitwise_count(differing) <= radius_bits) & in_a_chunk.any(axis=2)).T
    assert expected.size
    assert np.array_equal(near[:, np.lexsort(near[::-1])], expected)


def test_most_of_what_lies_within_seven_bits_is_near():
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 2**64, 4000, dtype=np.uint64)
    index = Index.of([build(*numbered(keys), layout_for(keys.size, 3))])
    shares = []
    for bits in range(8):
        query, item = index.items_near(flip_anywhere(rng, keys, bits), 7, 1)
        shares.append(np.count_nonzero(query == item) / keys.size)
    assert shares[:6] == [1.0] * 6
    assert shares[6:] == pytest.approx([0.86, 0.68], abs=0.02)


def test_nothing_is_near_among_nothing():
    some, none = np.array([1, 2], np.uint64), np.empty(0, np.uint64)
    for index, queries, radius_bits in ((Index.of([]), some, 7), (index_of(some), none, 7), (index_of(some), some, -1)):
        query, item = index.items_near(queries, radius_bits, 1)
        assert (query.size, query.dtype, item.size, item.dtype) == (0, np.int64, 0, np.uint32)


def test_large_segments_are_looked_up_in_each_other_block_by_block(monkeypatch):
    index = index_of(drawn(3, 900), parts=3)
    whole = index.pairs(6)
    monkeypatch.setattr("features.hamming.hamming_index.KEYS_A_BLOCK", 70)
    assert whole.distance.size
    assert same(index.pairs(6), whole)


def test_merging_segments_keeps_keys_and_items():
    keys, items = drawn(5, 600), np.random.default_rng(5).integers(0, 2**32, 2000, dtype=np.uint32)
    items = items[: keys.size]
    parts = [build(one, other) for one, other in zip(np.array_split(keys, 4), np.array_split(items, 4), strict=True)]
    merged = merge(parts)
    straight = build(keys, items)
    assert merged.keys() == straight.keys()
    assert all(np.array_equal(merged[name], straight[name]) for name in straight)


def test_keys_keep_their_items():
    keys, items = drawn(6, 500), np.random.default_rng(6).integers(0, 2**32, 2000, dtype=np.uint32)
    items = items[: keys.size]
    index = Index.of([build(keys[:200], items[:200]), build(keys[200:], items[200:])])
    given, kept = (
        zip(keys.tolist(), items.tolist(), strict=True),
        zip(index.keys.tolist(), index.items.tolist(), strict=True),
    )
    assert sorted(given) == sorted(kept)
    positions = np.random.default_rng(7).integers(0, len(index), 300)
    assert np.array_equal(index.items_at(positions), index.items[positions])
    assert np.array_equal(index.keys_at(positions), index.keys[positions])


def test_many_equal_keys_are_all_found():
    keys = np.full(3000, 7, np.uint64)
    index = index_of(keys)
    assert index.within(keys[:3], 2).key_index.tolist() == [*range(3000)] * 3
    assert index.pairs(0).distance.size == 3000 * 2999 // 2


def test_nothing_is_found_among_nothing():
    some, none = np.array([1, 2], np.uint64), np.empty(0, np.uint64)
    for index, queries in ((Index.of([]), some), (index_of(none), some), (index_of(some), none)):
        for hits in (index.within(queries, 64), Index.of([]).pairs(64)):
            assert [column.size for column in hits] == [0, 0, 0]
            assert [column.dtype for column in hits] == [np.int64, np.int64, np.uint8]


def test_read_only_and_strided_queries_are_taken_as_they_are():
    keys = drawn(8, 400)
    index = index_of(keys)
    frozen = keys.copy()
    frozen.flags.writeable = False
    for radius_bits in (2, 40):
        expected = within(keys[::3], index.keys, radius_bits)
        assert same(index.within(frozen[::3], radius_bits), expected)


def test_keys_without_items_are_refused():
    with pytest.raises(ValueError, match="not 2 and 1"):
        build(np.zeros(2, np.uint64), np.zeros(1, np.uint32))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [partial(drawn, 9), lambda n: np.random.default_rng(9).integers(0, 2**64, n, dtype=np.uint64)]
)
def test_a_million_keys_answer_as_brute_force_for_every_radius(make):
    keys = make(1_000_000)
    index = index_of(keys, parts=3)
    rng = np.random.default_rng(10)
    queries = np.concatenate([keys[:20], *(flip(rng, keys[20:25], bits) for bits in range(14))])
    everything = within(queries, index.keys, 12)
    for radius_bits in range(13):
        is_hit = everything.distance <= radius_bits
        assert same(index.within(queries, radius_bits), Hits(*(column[is_hit] for column in everything)))
    assert same(index.pairs(6), later_of_each_pair(index.within(index.keys, 6)))
