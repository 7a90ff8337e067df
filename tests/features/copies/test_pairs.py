"""Which pairs are worth a look, and what is said of them, against plain counting."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageOps

from features.copies import pairs as searching
from features.copies.collection import Pictures
from features.copies.pairs import (
    Pairs,
    by_hashes,
    by_points,
    concatenated,
    deduplicate,
    nearest_few,
    swap,
    without_inliers,
)
from features.facts import ALIGNMENT_COLUMNS, HASH_KINDS
from features.registration import registration as comparison
from features.registration.edits import Edit
from features.registration.registration import OVERLAY, TRANSFORM_DIGITS, alignment_columns, describe, register
from tests.features.copies.pictured import Pictured, cropped, likeness, pictured
from tests.features.copies.prints import fingerprints, flip, random_hashes
from tests.features.copies.sketched import photo


@pytest.fixture(autouse=True)
def _unfitted(monkeypatch):
    monkeypatch.setattr(comparison, "same_photo", likeness)


def tuples(pairs):
    return list(zip(pairs.query.tolist(), pairs.reference.tolist(), pairs.inliers.tolist(), strict=True))


def near_bits(rng, base, most):
    return np.array([flip(rng, base, bits)[0] for bits in rng.integers(0, most + 1, 30)])


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    radii=st.dictionaries(st.sampled_from(HASH_KINDS), st.integers(-1, 30), max_size=3),
    cut=st.integers(0, 30),
)
def test_pairs_within_the_radius_of_any_kind_are_those_of_plain_counting(seed, radii, cut):
    rng = np.random.default_rng(seed)
    base = random_hashes(rng, 1)
    hashes = np.stack([near_bits(rng, base[:, kind], 20) for kind in range(5)], axis=1)
    queries = hashes[:7] ^ np.uint64(3)
    query, row = by_hashes(queries, Pictured(fingerprints(hashes), {}).collection(cut), radii)
    distance = np.bitwise_count(queries[:, None] ^ hashes)
    is_near = np.zeros(distance.shape[:2], bool)
    for kind, radius_bits in radii.items():
        is_near |= distance[:, :, HASH_KINDS.index(kind)] <= radius_bits
    assert list(zip(query.tolist(), row.tolist(), strict=True)) == list(map(tuple, np.argwhere(is_near).tolist()))


def test_pictures_are_looked_up_by_their_points_a_few_at_a_time(monkeypatch):
    reference = pictured({str(number): photo(number) for number in range(5)})
    query = pictured({f"copy {number}": cropped(photo(number), 0.1, 0, 0.9, 1) for number in range(4)})
    prints, rows = Pictures.of(query.prints), np.array([3, 1, 0, 2])
    whole = tuples(by_points(rows, prints, query.read, reference.collection()))
    assert {pair[:2] for pair in whole} >= {(number, number) for number in range(4)}
    monkeypatch.setattr(searching, "QUERIES_AT_ONCE", 3)
    assert tuples(by_points(rows, prints, query.read, reference.collection(2))) == whole
    nothing = by_points(rows, prints, lambda image_ids: {}, reference.collection())
    assert tuples(nothing) == []


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 9)), max_size=20),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 9)), max_size=20),
)
def test_of_equal_pairs_the_one_with_most_inliers_is_kept(some, others):
    parts = [Pairs(*np.array(rows, np.int64).reshape(-1, 3).T) for rows in (some, others)]
    best = {}
    for query, reference, inliers in some + others:
        best[reference, query] = max(inliers, best.get((reference, query), 0))
    assert tuples(deduplicate(concatenated(parts))) == [
        (query, reference, inliers) for (reference, query), inliers in sorted(best.items())
    ]


def test_nearest_few_keeps_those_that_differ_least_and_the_same_bytes_before_equal_ones():
    hashes = np.zeros((8, 5), np.uint64)
    hashes[[1, 4], 2] = 0b111, 0b1
    reference = Pictures.of(fingerprints(hashes))
    query = Pictures.of(fingerprints(np.zeros((7, 5))).iloc[[6, 2]])
    pairs = concatenated([without_inliers(np.full(8, row), np.arange(8)[::-1]) for row in (1, 0)])
    kept = tuples(nearest_few(query, reference, pairs, 3))
    assert [pair[:2] for pair in kept] == [(0, 6), (0, 0), (0, 2), (1, 2), (1, 0), (1, 3)]
    everything = tuples(nearest_few(query, reference, pairs, 99))
    assert [pair[1] for pair in everything if pair[0] == 0] == [6, 0, 2, 3, 5, 7, 4, 1]


def test_some_pairs_are_turned_round():
    pairs = Pairs(np.array([1, 2, 3]), np.array([4, 5, 6]), np.array([7, 8, 9]))
    assert tuples(swap(pairs, np.array([True, False, True]))) == [(4, 1, 7), (2, 5, 8), (6, 3, 9)]


def test_a_pair_is_described_by_its_distances_edit_and_probability():
    pictures = pictured({"a": photo(0), "b": ImageOps.mirror(photo(0)), "c": photo(1)})
    reference, everything = pictures.collection(), Pictures.of(pictures.prints)
    pairs = without_inliers(np.array([0, 1, 2]), np.array([0, 0, 0]))
    registered = register(pairs, everything, pictures.read, reference.pictures, reference.read)
    found = describe(registered)
    hashes = pictures.prints[list(HASH_KINDS)].to_numpy()
    assert found["query_image_id"].tolist() == ["a", "b", "c"]
    assert found["reference_image_id"].tolist() == ["a", "a", "a"]
    for kind, column in enumerate(HASH_KINDS):
        bits = [(int(hashes[row, kind]) ^ int(hashes[0, kind])).bit_count() for row in range(3)]
        assert found[f"distance_{column}"].tolist() == bits
    assert found["edit"].tolist()[:2] == [Edit.NONE, Edit.MIRROR]
    assert found["same_photo"].tolist() == [1.0, *likeness(registered.overlays)[1:]]
    assert found["same_photo"][1] > 0.9 > 0.1 > found["same_photo"][2]


def test_an_alignment_is_written_in_so_many_digits_and_without_negative_zeros():
    overlays = np.zeros(2, OVERLAY)
    overlays["matches"], overlays["common_reference"], overlays["common_query"] = [3, 0], [0.5, 0.0], [0.25, 0.0]
    overlays["transform"][0] = [[-1, 1e-9, 1], [-1e-9, 2 / 3, 0.125]]
    found = alignment_columns(overlays)
    assert tuple(found.columns) == ALIGNMENT_COLUMNS
    assert json.loads(found["lead"][0]) == [-1.0, 0.0, 1.0, 0.0, round(2 / 3, TRANSFORM_DIGITS), 0.125]
    assert "-0.0," not in found["lead"][0]
    assert found[["matched_points", "common_area", "other_common_area"]].to_numpy().tolist() == [
        [3, 0.5, 0.25],
        [0, 0, 0],
    ]
