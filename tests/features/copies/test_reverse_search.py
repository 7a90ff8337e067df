"""Reverse image search: ranked hits, by probability or by one plain hash."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from features.copies import reverse_search as searching
from features.copies.candidates import MOST_CANDIDATES
from features.copies.collection import RADII
from features.copies.reverse_search import SEARCH_COLUMNS, search, search_by_hash
from features.facts import DISTANCE_COLUMNS, HASH_KINDS
from features.registration import registration
from features.registration.edits import Edit
from tests.features.copies.pictured import Pictured, cropped, likeness, pictured
from tests.features.copies.prints import fingerprints, flip, random_hashes
from tests.features.copies.sketched import photo

QUERY_ID = "f" * 64
PHOTOS = 4
LEAST = 0.5


@pytest.fixture(autouse=True)
def _unfitted(monkeypatch):
    monkeypatch.setattr(registration, "same_photo", likeness)
    monkeypatch.setattr(searching, "operating_point", lambda pictures: LEAST)


@pytest.fixture(scope="module")
def gallery():
    """Four photos, each with a part of it, and two flat pictures that differ in their bytes alone."""
    images = {f"{number}": photo(number) for number in range(PHOTOS)}
    images |= {f"{number} part": cropped(photo(number), 0.3, 0.3, 0.9, 0.9) for number in range(PHOTOS)}
    images |= {f"flat {number}": Image.new("RGB", (300, 200), "white") for number in range(2)}
    return pictured(images)


@pytest.fixture(scope="module")
def query():
    """Mirrored, recompressed in effect, and a picture that nobody knows."""
    small = photo(2).resize((240, 180)).resize(photo(2).size)
    return pictured({"q0": ImageOps.mirror(photo(0)), "q1": small, "q2": photo(PHOTOS + 3)})


def hits_of(query, reference, **options):
    return search(query.prints, query.read, reference.collection(), **options)


def without_sketches(prints):
    return Pictured(prints, {})


def ladder(steps=12):
    """Reference pictures without points, the n-th of them n phash bits away from the first."""
    rng = np.random.default_rng(0)
    hashes = np.repeat(random_hashes(rng, 1), steps, axis=0)
    for row in range(steps):
        hashes[row, 1] = flip(rng, hashes[:1, 1], row)[0]
    return fingerprints(hashes)


def query_like(reference, row=0, **columns):
    return reference.iloc[[row]].assign(image_id=QUERY_ID, **columns)


def by_hash(queries, reference, **options):
    pictures = without_sketches(reference)
    return search_by_hash(queries, pictures.read, pictures.collection(), **options)


def test_hits_are_ranked_by_probability_and_say_how_they_were_found(gallery, query):
    hits = hits_of(query, gallery)
    assert hits[["query", "rank", "image_id"]].to_numpy().tolist() == [
        [0, 1, "0"],
        [0, 2, "0 part"],
        [1, 1, "2"],
        [1, 2, "2 part"],
    ]
    assert (hits["found_by"] == "points").all()
    assert (likeness(hits[["matched_points"]].rename(columns={"matched_points": "matches"}).to_records()) > LEAST).all()
    assert hits["edit"].tolist()[0] == Edit.MIRROR
    assert {Edit.MIRROR, Edit.CROP} <= set(hits["edit"].tolist()[1].split("+"))


def test_the_columns_are_as_declared_also_of_no_hits(gallery, query):
    for found in (hits_of(query, gallery), hits_of(query, gallery.of([])), hits_of(query.of([]), gallery)):
        assert tuple(found.columns) == SEARCH_COLUMNS
        assert (found[["query", "rank", "matched_points", *DISTANCE_COLUMNS]].dtypes == np.int64).all()
        assert (found[["image_id", "edit", "found_by"]].dtypes == "str").all()


def test_hits_go_down_to_the_operating_point_or_where_told(gallery, query):
    everything = hits_of(query, gallery, min_probability=0.0)
    for least in (LEAST, 0.05, 0.99):
        options = {} if least == LEAST else {"min_probability": least}
        some = hits_of(query, gallery, **options)
        assert some["same_photo"].min() >= least
        pd.testing.assert_frame_equal(
            some.reset_index(drop=True), everything[everything["same_photo"] >= least].reset_index(drop=True)
        )


def test_the_same_bytes_come_first_and_are_certain_without_an_edit(gallery):
    hits = hits_of(gallery.of(["1", "3 part", "flat 1"]), gallery)
    best = hits[hits["rank"] == 1]
    assert best["image_id"].tolist() == ["1", "3 part", "flat 1"]
    assert best["edit"].tolist() == [Edit.NONE] * 3
    assert best["same_photo"].tolist() == [1.0] * 3
    assert best["found_by"].tolist() == ["bytes"] * 3


def test_the_same_bytes_come_first_among_pictures_of_equal_hashes_that_are_just_as_sure(monkeypatch):
    monkeypatch.setattr(registration, "same_photo", lambda overlays: np.ones(len(overlays)))
    crowd = without_sketches(fingerprints(np.zeros((MOST_CANDIDATES + 9, 5))))
    last = crowd.of(crowd.prints["image_id"].tolist()[-1:])
    hits = hits_of(last, crowd)
    assert hits["image_id"].tolist()[0] == last.prints["image_id"][0]
    assert hits["image_id"].tolist()[1:] == crowd.prints["image_id"].tolist()[: MOST_CANDIDATES - 1]
    plain = by_hash(last.prints, crowd.prints, kind="dhash")
    assert plain["image_id"].tolist()[0] == last.prints["image_id"][0]
    assert len(plain) == len(crowd.prints)


def test_flat_pictures_find_their_own_bytes_only_but_by_a_single_kind(gallery):
    flat = gallery.of(["flat 0"])
    assert hits_of(flat, gallery, min_probability=0.0)["image_id"].tolist() == ["flat 0"]
    plain = search_by_hash(flat.prints, flat.read, gallery.collection(), kind="phash")
    assert plain["image_id"].tolist() == ["flat 0", "flat 1"]


def test_the_limit_keeps_the_best_of_each_query(gallery, query):
    everything = hits_of(query, gallery, min_probability=0.0)
    some = hits_of(query, gallery, min_probability=0.0, limit=1)
    assert some["query"].tolist() == sorted(set(everything["query"]))
    pd.testing.assert_frame_equal(
        some.reset_index(drop=True), everything[everything["rank"] == 1].reset_index(drop=True)
    )


def test_what_is_known_to_be_another_photo_is_no_hit_and_leaves_no_gap(gallery, query):
    for pair in (["q0", "0"], ["0", "q0"]):
        different = pd.DataFrame([pair, ["q1", "0 part"]], columns=["image_id", "other_image_id"], dtype="str")
        hits = hits_of(query, gallery, different=different)
        assert hits[["query", "rank", "image_id"]].to_numpy().tolist() == [
            [0, 1, "0 part"],
            [1, 1, "2"],
            [1, 2, "2 part"],
        ]
    assert len(hits_of(query, gallery, different=different[:0])) == 4


def test_neither_the_order_stored_nor_other_queries_change_a_hit(gallery, query):
    shuffled = gallery.of(np.random.default_rng(1).permutation(gallery.prints["image_id"]))
    whole = hits_of(query, gallery, min_probability=0.0)
    pd.testing.assert_frame_equal(hits_of(query, shuffled, min_probability=0.0), whole)
    alone = hits_of(query.of(["q1"]), gallery, min_probability=0.0).assign(query=1)
    pd.testing.assert_frame_equal(alone, whole[whole["query"] == 1].reset_index(drop=True))


@pytest.mark.parametrize("kind", HASH_KINDS)
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), radius_bits=st.integers(0, 64))
def test_a_kind_ranks_by_its_distance_alone(kind, seed, radius_bits):
    rng = np.random.default_rng(seed)
    reference, query = fingerprints(random_hashes(rng, 20)), fingerprints(random_hashes(rng, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registration, "same_photo", likeness)
        hits = by_hash(query.assign(image_id=QUERY_ID), reference, kind=kind, within=radius_bits)
    distances = [(int(query[kind].iloc[0]) ^ int(value)).bit_count() for value in reference[kind]]
    assert hits[f"distance_{kind}"].tolist() == sorted(bits for bits in distances if bits <= radius_bits)
    assert [distances[int(image_id, 16)] for image_id in hits["image_id"]] == hits[f"distance_{kind}"].tolist()
    assert hits["rank"].tolist() == list(range(1, len(hits) + 1))


def test_without_a_distance_a_kind_takes_its_radius_and_a_weak_one_equality():
    reference = ladder(steps=20)
    assert by_hash(query_like(reference), reference, kind="phash")["distance_phash"].tolist() == list(
        range(RADII["phash"] + 1)
    )
    assert by_hash(query_like(reference), reference, kind="colorhash")["distance_colorhash"].tolist() == [0] * 20


def test_equally_near_hits_are_ordered_by_name_whatever_the_order_stored():
    reference = fingerprints(np.zeros((6, 5)))
    hits = by_hash(query_like(reference), reference.sample(frac=1, random_state=1), kind="ahash", limit=4)
    assert hits["image_id"].tolist() == sorted(reference["image_id"])[:4]


def test_by_a_kind_too_every_hit_is_measured_and_may_be_left_out(gallery, query):
    def plain(**options):
        return search_by_hash(query.prints, query.read, gallery.collection(), kind="phash", within=64, **options)

    everything = plain()
    assert len(everything) == len(query.prints) * len(gallery.prints)
    assert set(everything["found_by"]) == {"hashes"}
    likely = everything.loc[everything["same_photo"] >= LEAST, ["query", "image_id"]].to_numpy().tolist()
    assert sorted(likely) == [[0, "0"], [0, "0 part"], [1, "2"], [1, "2 part"]]
    assert plain(min_probability=LEAST)[["query", "image_id"]].to_numpy().tolist() == likely
