"""An index kept in files answers as brute force does, whatever has happened to the files."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import numpy as np
import pytest

from data.segments.segment_store import SegmentStore
from features.hamming.brute_force import within
from features.hamming.hamming_index import Index, merge
from features.hamming.index_segment import FORMAT, build
from tests.features.copies.prints import flip

NOW = datetime(2026, 1, 1, tzinfo=UTC)
N_APPENDED = 6


class PowerCut(BaseException):
    """The machine is off."""


def drawn(seed, n_keys):
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 2**64, n_keys // 4, dtype=np.uint64)
    return np.concatenate([centres, *(flip(rng, centres, bits) for bits in (1, 5, 9))])


def sorted_rows(query, item, distance):
    order = np.lexsort((item, query))
    return np.stack([query[order], item[order], distance[order]])


def is_exact(store, keys, radius_bits):
    """Whether the stored index finds the items that comparing with the keys, whose numbers are items, finds."""
    index = Index.of(store.open().parts)
    queries = np.concatenate([keys[::9], flip(np.random.default_rng(1), keys[:100], radius_bits)])
    hits, expected = index.within(queries, radius_bits), within(queries, keys, radius_bits)
    items = index.items_at(hits.key_index)
    return expected.distance.size > queries.size and np.array_equal(
        sorted_rows(hits.query_index, items, hits.distance), sorted_rows(*expected)
    )


@pytest.mark.parametrize("radius_bits", [4, 8, 12])
def test_it_is_exact_after_appends_and_merging_and_a_power_cut_between_them(tmp_path, monkeypatch, radius_bits):
    keys = drawn(radius_bits, 2400)
    items = np.arange(keys.size, dtype=np.uint32)
    chunks = np.array_split(items, N_APPENDED)
    store = SegmentStore(tmp_path, FORMAT)
    store.rebuild([build(keys[chunks[0]], chunks[0])], now=NOW)
    for chunk in chunks[1:]:
        store.append(build(keys[chunk], chunk))
    assert len(store.open().parts) == N_APPENDED
    assert is_exact(store, keys, radius_bits)

    def cut(_one, _other):
        raise PowerCut

    with monkeypatch.context() as power:
        power.setattr(os, "replace", cut)
        with pytest.raises(PowerCut):
            store.compact(merge, now=NOW)
    assert is_exact(store, keys, radius_bits)
    assert store.compact(merge, now=NOW) == N_APPENDED
    assert is_exact(store, keys, radius_bits)
    assert store.damaged() == []
