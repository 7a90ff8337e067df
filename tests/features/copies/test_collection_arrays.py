"""Parts of a collection: together and merged they are the collection that one part would be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from features.copies.candidates import INDEXED, TABLES, keys_of
from features.copies.collection import ID_TYPE, POINTS, RADII, Pictures, collection, extend, merge
from features.facts import HASH_KINDS
from tests.features.copies.pictured import cropped, pictured
from tests.features.copies.sketched import photo

PHOTOS = 6
FLAT = "flat"


@pytest.fixture(scope="module")
def pictures():
    images = {f"{9 - number}": photo(number) for number in range(PHOTOS)}
    images |= {FLAT: Image.new("RGB", (300, 200), "white"), "noise": Image.effect_noise((300, 200), 60).convert("RGB")}
    return pictured(images)


@pytest.fixture(scope="module")
def query():
    copies = {f"copy {number}": ImageOps.mirror(cropped(photo(number), 0.1, 0.1, 0.9, 0.8)) for number in range(PHOTOS)}
    return np.stack([sketch.keypoints for sketch in pictured(copies).sketches.values()])


def shown(reference, query):
    """All that a collection answers, with names in place of rows."""
    peaks = reference.points.candidates(query)
    picture = peaks.pair & 0xFFFFFFFF
    answers = {"candidates": list(zip(peaks.pair >> 32, reference.pictures.names(picture), peaks.inliers, strict=True))}
    answers["guesses"] = peaks.guess.tolist(), peaks.orientation.tolist()
    for kind in RADII:
        index = reference.by_hash(kind)
        hits = index.within(reference.pictures.hashes[:, HASH_KINDS.index(kind)], 24)
        rows = zip(
            hits.query_index.tolist(), index.items_at(hits.key_index).tolist(), hits.distance.tolist(), strict=True
        )
        answers[kind] = sorted(rows)
    return answers


def assert_same(one, other, query):
    for left, right in zip(one.pictures, other.pictures, strict=True):
        assert left.dtype == right.dtype
        assert (left == right).all()
    assert shown(one, query) == shown(other, query)


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, PHOTOS + 2), max_size=3).map(sorted), keep=st.integers(0, 3))
def test_parts_and_merged_parts_answer_as_one_part_does(pictures, query, cuts, keep):
    whole, parts = pictures.collection(), pictures.parts(*cuts)
    assert_same(collection(parts, pictures.read), whole, query)
    if len(parts) > 1:
        assert_same(extend(collection(parts[:-1], pictures.read), parts[-1], pictures.read), whole, query)
    if len(parts) > keep:
        assert_same(collection([*parts[:keep], merge(parts[keep:])], pictures.read), whole, query)


def test_points_are_in_as_many_tables_whatever_they_were_merged_of(pictures):
    parts = pictures.parts(2, 5)
    for arrays in (*parts, merge(parts)):
        assert sum(name.startswith(f"{POINTS}.keys_") for name in arrays) == TABLES


def test_the_rows_of_a_collection_are_the_fingerprints_in_their_order(pictures):
    held, expected = pictures.collection(3).pictures, Pictures.of(pictures.prints)
    assert held.image_id.dtype == ID_TYPE
    for stored, given_ in zip(held, expected, strict=True):
        assert (stored == given_).all()


def test_after_merging_every_key_belongs_to_the_picture_it_is_of(pictures):
    parts = pictures.parts(2, 5)
    reference = collection([merge([merge(parts[:2]), parts[2]])], pictures.read)
    index = reference.points.index
    picture, number = np.divmod(index.items_at(np.arange(len(index))).astype(int), INDEXED)
    own = {}
    for row, image_id in enumerate(pictures.prints["image_id"]):
        keys, items = keys_of(pictures.sketches[image_id].keypoints[None], row)
        own |= dict(zip(items.tolist(), keys.tolist(), strict=True)) if image_id != FLAT else {}
    found = zip((picture * INDEXED + number).tolist(), index.keys_at(np.arange(len(index))).tolist(), strict=True)
    assert sorted(found) == sorted(own.items())
    for kind in RADII:
        index = reference.nearest[kind]
        rows = index.items_at(np.arange(len(index)))
        keys = index.keys_at(np.arange(len(index)))
        assert sorted(rows.tolist()) == list(range(len(pictures.prints)))
        assert (pictures.prints[kind].to_numpy()[rows] == keys).all()


def test_pictures_that_hold_too_little_are_not_found_by_points_but_are_there(pictures):
    reference = pictures.collection()
    flat = pictures.prints["image_id"].tolist().index(FLAT)
    assert not reference.pictures.informative[flat]
    index = reference.points.index
    assert flat not in set((index.items_at(np.arange(len(index))) // INDEXED).tolist())
    assert reference.pictures.names(np.array([flat])).tolist() == [FLAT]


def test_no_parts_and_empty_parts_make_an_empty_collection(pictures, query):
    for reference in (collection([], pictures.read), pictures.of([]).collection(), pictures.of([]).collection(0)):
        assert len(reference.pictures.image_id) == 0
        assert len(reference.points.candidates(query).pair) == 0
        assert len(reference.by_hash("phash").within(np.zeros(3, np.uint64), 64).query_index) == 0


@pytest.mark.parametrize("cuts", [(), (3,)])
def test_parts_are_plain_arrays_of_one_dimension(pictures, cuts):
    for arrays, (start, stop) in zip(pictures.parts(*cuts), pairwise([0, *cuts, len(pictures.prints)]), strict=True):
        assert {array.ndim for array in arrays.values()} == {1}
        assert len(arrays["image_id"]) == ID_TYPE.itemsize * (stop - start)
        assert len(arrays["details"]) == INDEXED * (stop - start)
