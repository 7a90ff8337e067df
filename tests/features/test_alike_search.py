"""Reverse image search: ranked hits, plain or by probability."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import comparison
from features.alike import DUPLICATE_COLUMNS, RADII, SEARCH_COLUMNS, Edit, duplicates, search
from features.facts import DISTANCE_COLUMNS, HASH_KINDS
from features.same_photo import operating_point
from tests.features.prints import fingerprints, flip, random_hashes

QUERY_ID = "f" * 64


def ladder(*, steps=12):
    """Known pictures, the n-th of them n phash bits away from the first."""
    rng = np.random.default_rng(0)
    hashes = np.repeat(random_hashes(rng, 1), steps, axis=0)
    for row in range(steps):
        hashes[row, 1] = flip(rng, hashes[:1, 1], row)[0]
    return fingerprints(hashes)


def query_like(known, row=0, **columns):
    return known.iloc[[row]].assign(image_id=QUERY_ID, **columns)


@pytest.mark.parametrize("kind", HASH_KINDS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), radius_bits=st.integers(0, 64))
def test_a_kind_ranks_by_its_distance_alone(kind, seed, radius_bits):
    rng = np.random.default_rng(seed)
    known, query = fingerprints(random_hashes(rng, 20)), fingerprints(random_hashes(rng, 1))
    hits = search(query.assign(image_id=QUERY_ID), known, kind=kind, within=radius_bits)
    distances = [(int(query[kind].iloc[0]) ^ int(value)).bit_count() for value in known[kind]]
    assert hits[f"distance_{kind}"].tolist() == sorted(bits for bits in distances if bits <= radius_bits)
    assert [distances[int(image_id, 16)] for image_id in hits["image_id"]] == hits[f"distance_{kind}"].tolist()


def test_hits_are_ranked_by_probability_down_to_the_operating_point():
    known = ladder()
    hits = search(query_like(known), known)
    assert hits["same_photo"].is_monotonic_decreasing
    assert hits["same_photo"].min() >= operating_point()
    everything = search(query_like(known), known, min_probability=0.0)
    assert len(hits) < len(everything) == len(known)
    assert (everything["same_photo"] >= operating_point()).sum() == len(hits)


def test_the_same_bytes_are_a_certain_hit_without_an_edit():
    known = ladder()
    best = search(known.iloc[[3]], known).iloc[0]
    assert (best["image_id"], best["edit"], best["same_photo"]) == (known["image_id"][3], Edit.NONE, 1.0)


def test_a_flat_picture_finds_its_own_bytes_only():
    known = fingerprints(np.zeros((4, 5)), information=0.0)
    assert search(known.iloc[[2]], known)["image_id"].tolist() == [known["image_id"][2]]
    assert len(search(known.iloc[[2]], known, kind="phash")) == 4


def test_the_limit_keeps_the_best_of_each_query():
    known = ladder()
    queries = known.iloc[[0, 5]]
    hits = search(queries, known, min_probability=0.0, limit=3)
    assert hits["query"].tolist() == [0, 0, 0, 1, 1, 1]
    assert hits["rank"].tolist() == [1, 2, 3, 1, 2, 3]
    assert hits.loc[hits["rank"] == 1, "image_id"].tolist() == queries["image_id"].tolist()


def test_equally_good_hits_are_ordered_by_name_whatever_the_order_stored():
    known = fingerprints(np.zeros((6, 5)))
    shuffled = known.sample(frac=1, random_state=1)
    hits = search(query_like(known), shuffled)
    assert hits["image_id"].tolist() == sorted(known["image_id"])


def test_without_a_distance_a_kind_takes_its_radius_and_a_weak_one_equality():
    known = ladder(steps=20)
    assert search(query_like(known), known, kind="phash")["distance_phash"].max() == RADII["phash"]
    assert search(query_like(known), known, kind="colorhash")["distance_colorhash"].eq(0).all()


def test_a_distance_without_a_kind_replaces_the_radii():
    known = ladder(steps=20).assign(dhash=random_hashes(np.random.default_rng(3), 20)[:, 2])
    hits = search(query_like(known, dhash=np.uint64(0)), known, within=3, min_probability=0.0)
    assert sorted(hits["distance_phash"]) == [0, 1, 2, 3]


def test_small_blocks_give_the_same_hits(monkeypatch):
    known = ladder()
    whole = search(known, known, min_probability=0.0)
    monkeypatch.setattr(comparison, "BLOCK_PAIRS", 10)
    assert search(known, known, min_probability=0.0).equals(whole)


def test_a_search_among_nothing_finds_nothing_in_the_same_columns():
    known = ladder()
    for hits in (search(known, known[:0]), search(known[:0], known)):
        assert hits.empty
        assert tuple(hits.columns) == SEARCH_COLUMNS
        assert (hits[["query", "rank", *DISTANCE_COLUMNS]].dtypes == np.int64).all()


def test_duplicates_are_groups_of_one_photo():
    rng = np.random.default_rng(7)
    first, second, lone = random_hashes(rng, 3)
    groups = duplicates(fingerprints(np.array([second, first, lone, first, second, second])))
    assert tuple(groups.columns) == DUPLICATE_COLUMNS
    assert groups["group"].tolist() == [0, 0, 0, 1, 1]
    assert [int(image_id, 16) for image_id in groups["image_id"]] == [0, 4, 5, 1, 3]


def test_a_chain_of_near_equal_pictures_is_one_group():
    rng = np.random.default_rng(8)
    hashes = np.repeat(random_hashes(rng, 1), 9, axis=0)
    hashes[:, 1] ^= (np.uint64(1) << np.arange(9, dtype=np.uint64)) - np.uint64(1)
    assert duplicates(fingerprints(hashes))["group"].tolist() == [0] * 9
    assert duplicates(fingerprints(hashes[[0, 8]])).empty


def test_flat_pictures_are_no_duplicates_but_by_a_single_kind():
    flat = fingerprints(np.zeros((3, 5)), information=0.0)
    assert duplicates(flat).empty
    assert len(duplicates(flat, kind="ahash")) == 3


def test_thousands_of_pictures_with_equal_hashes_are_one_group_at_once():
    crowd = fingerprints(np.ones((20_000, 5)))
    assert duplicates(crowd)["group"].eq(0).sum() == 20_000


def test_no_pictures_have_no_duplicates():
    assert duplicates(fingerprints(np.empty((0, 5)))).empty
