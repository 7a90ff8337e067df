"""Pairs of alike pictures: found once, whatever came first, and described by the two pictures alone."""

from __future__ import annotations

import json
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from features.copies.candidates import MOST_CANDIDATES
from features.copies.collection import RADII
from features.copies.near_duplicates import KEPT, near_duplicate_pairs
from features.copies.pairs import by_points
from features.facts import ALIGNMENT_COLUMNS, DISTANCE_COLUMNS, HASH_KINDS, LOW_INFORMATION, NEAR_DUPLICATE_COLUMNS
from features.keypoints.keypoints import PLACE_UNIT, frame_size
from features.registration import registration as comparison
from features.registration.edits import Edit
from tests.features.copies.pictured import Pictured, cropped, likeness, pictured
from tests.features.copies.prints import fingerprints, flip, random_hashes
from tests.features.copies.sketched import photo

PHOTOS = 5
CROP = (0.1, 0.2, 0.85, 0.9)
"""Left, upper, right and lower side, in shares of the sides."""
WITHIN = 0.02


@pytest.fixture(autouse=True)
def _unfitted(monkeypatch):
    """Leave the fitted numbers out of it: they may change, and this may not."""
    monkeypatch.setattr(comparison, "same_photo", likeness)


@pytest.fixture(scope="module")
def gallery():
    """Five photos in four versions each, and two flat pictures; names tell the photo, but not in their order."""
    images = {}
    for number in range(PHOTOS):
        image = photo(number)
        versions = (
            image,
            ImageOps.mirror(cropped(image, *CROP)),
            ImageOps.expand(image.resize((image.width // 2, image.height // 2)), 30, "white"),
            image.transpose(Image.Transpose.ROTATE_90),
        )
        names = (f"{(7 * number + 11 * version) % 20:02d} photo {number}" for version in range(len(versions)))
        images |= dict(zip(names, versions, strict=True))
    flat = {f"{number} flat": Image.new("RGB", (300, 200), (90, 90, 90 + number)) for number in range(2)}
    return pictured(images | flat)


def all_pairs(pictures, *cuts):
    reference = pictures.collection(*cuts)
    return near_duplicate_pairs(reference, np.arange(len(pictures.prints)))


def in_batches(pictures, edges):
    """Return the pairs of pictures of which those between two edges come together."""
    names = pictures.prints["image_id"].tolist()
    batches = [
        near_duplicate_pairs(pictures.of(names[:stop]).collection(*([start] if start else [])), np.arange(start, stop))
        for start, stop in pairwise(edges)
    ]
    return pd.concat(batches).sort_values(["image_id", "other_image_id"], ignore_index=True)


def shuffled(pictures, seed):
    return pictures.of(np.random.default_rng(seed).permutation(pictures.prints["image_id"]))


def ids(pairs):
    return list(zip(pairs["image_id"], pairs["other_image_id"], strict=True))


def finds(pictures, query, other):
    """Whether a picture finds another one by its points."""
    reference = pictures.of([other]).collection()
    alone = pictures.of([query]).collection()
    return bool(len(by_points(np.array([0]), alone.pictures, pictures.read, reference).query))


def test_the_versions_of_each_photo_are_pairs_once_each_and_in_order(gallery):
    pairs = all_pairs(gallery)
    expected = [pair for pair in combinations(sorted(gallery.sketches), 2) if pair[0][2:] == pair[1][2:]]
    assert ids(pairs) == [pair for pair in expected if "flat" not in pair[0]]
    assert (pairs["same_photo"] >= KEPT).all()


def test_the_frame_is_as_declared(gallery):
    for pairs in (
        all_pairs(gallery),
        near_duplicate_pairs(gallery.collection(), np.empty(0, np.int64)),
        all_pairs(gallery.of([])),
    ):
        assert tuple(pairs.columns) == (*NEAR_DUPLICATE_COLUMNS, *ALIGNMENT_COLUMNS)
        assert (pairs[[*DISTANCE_COLUMNS, "matched_points"]].dtypes == np.int64).all()
        assert (pairs[["same_photo", "common_area", "other_common_area"]].dtypes == np.float64).all()
        assert (pairs[["image_id", "other_image_id", "edit", "lead"]].dtypes == "str").all()


def test_without_a_new_picture_there_is_no_pair(gallery):
    names = gallery.prints["image_id"].tolist()
    everything = all_pairs(gallery)
    for new in ([3], [0, 7], [len(names) - 1]):
        wanted = {names[row] for row in new}
        pairs = near_duplicate_pairs(gallery.collection(), np.array(new))
        assert ids(pairs) == [pair for pair in ids(everything) if wanted & set(pair)]


@pytest.mark.parametrize("seed", range(3))
def test_neither_the_order_of_pictures_nor_how_they_are_kept_changes_anything(gallery, seed):
    pd.testing.assert_frame_equal(all_pairs(shuffled(gallery, seed), 4 + seed, 13), all_pairs(gallery))


@pytest.mark.parametrize("edges", [[0, 22], [0, 9, 22], [0, 5, 10, 15, 22], list(range(23))])
def test_pictures_that_come_in_several_batches_make_the_same_pairs(gallery, edges):
    pd.testing.assert_frame_equal(in_batches(shuffled(gallery, 3), edges), all_pairs(gallery))


def test_a_pair_that_only_one_picture_finds_needs_that_one_to_be_new_and_reads_the_same():
    """The points that a photo shares with a part of it are not among those by which it is found."""
    left, upper, right, lower = box = (0.3, 0.3, 0.8, 0.8)
    pictures = pictured({"whole": photo(2), "part": cropped(photo(2), *box)})
    points = pictures.sketches["whole"].keypoints
    across, down = (points["place"] * PLACE_UNIT / frame_size(*photo(2).size)).T
    shared = (across > left) & (across < right) & (down > upper) & (down < lower) & (points["size"] > 0)
    points[:] = points[np.lexsort((shared, points["size"] == 0))]
    assert [finds(pictures, "whole", "part"), finds(pictures, "part", "whole")] == [True, False]
    once = all_pairs(pictures)
    assert ids(once) == [("part", "whole")]
    pd.testing.assert_frame_equal(in_batches(pictures.of(["part", "whole"]), [0, 1, 2]), once)
    assert in_batches(pictures.of(["whole", "part"]), [0, 1, 2]).empty


def test_flat_pictures_make_no_pairs(gallery):
    flat = gallery.of(["0 flat", "1 flat"])
    assert (flat.prints["information"] < LOW_INFORMATION).all()
    assert all_pairs(flat).empty


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_the_alignment_leads_from_the_picture_to_the_other_one(names):
    whole, part = names
    left, upper, right, lower = CROP
    pair = all_pairs(pictured({whole: photo(1), part: ImageOps.mirror(cropped(photo(1), *CROP))})).iloc[0]
    transform = np.array(json.loads(pair["lead"])).reshape(2, 3)
    corners = {(left, upper): (1, 0), (right, upper): (0, 0), (left, lower): (1, 1), (right, lower): (0, 1)}
    for in_whole, in_part in corners.items():
        start, end = (in_whole, in_part) if whole < part else (in_part, in_whole)
        assert transform[:, :2] @ start + transform[:, 2] == pytest.approx(end, abs=WITHIN)
    share = (right - left) * (lower - upper)
    common = pair["common_area"], pair["other_common_area"]
    assert common == pytest.approx((share, 1.0) if whole < part else (1.0, share), abs=0.05)
    assert {Edit.MIRROR, Edit.CROP} <= set(pair["edit"].split("+"))


def family(rng, n, *, bits):
    """Return n pictures around one, each kind a few bits away from it."""
    hashes = np.repeat(random_hashes(rng, 1), n, axis=0)
    flips = rng.integers(0, bits + 1, hashes.shape)
    for row, kind in np.ndindex(hashes.shape):
        hashes[row, kind] = flip(rng, hashes[row : row + 1, kind], flips[row, kind])[0]
    return hashes


def without_sketches(hashes, **columns):
    return Pictured(fingerprints(hashes, **columns), {})


def market(seed, n=40):
    """Draw families of pictures at random distances, in random order; they have hashes, but no points."""
    rng = np.random.default_rng(seed)
    hashes = np.vstack([family(rng, 5, bits=bits) for bits in range(n // 5)])
    rng.shuffle(hashes)
    return without_sketches(hashes, information=rng.choice([0.0, LOW_INFORMATION, 4.0], n))


def counted(prints, new):
    """Compare pictures one pair at a time."""
    pairs = {}
    for (one, left), (other, right) in combinations(enumerate(prints.to_dict("records")), 2):
        if not {one, other} & set(new) or min(left["information"], right["information"]) < LOW_INFORMATION:
            continue
        bits = [(left[kind] ^ right[kind]).bit_count() for kind in HASH_KINDS]
        if any(bits[HASH_KINDS.index(kind)] <= radius for kind, radius in RADII.items()):
            pairs[left["image_id"], right["image_id"]] = bits
    return pairs


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_pairs_of_near_hashes_are_those_that_comparing_one_by_one_finds(seed, n_new):
    pictures, new = market(seed), np.arange(n_new)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "same_photo", lambda overlays: np.ones(len(overlays)))
        pairs = near_duplicate_pairs(pictures.collection(17), new)
    found = dict(zip(ids(pairs), pairs[list(DISTANCE_COLUMNS)].to_numpy().tolist(), strict=True))
    assert found == counted(pictures.prints, new.tolist())
    assert len(found) == len(pairs)


@pytest.mark.parametrize("kind", RADII)
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_pair_at_the_radius_is_looked_at_and_one_bit_further_is_not(monkeypatch, kind, beyond):
    monkeypatch.setattr(comparison, "same_photo", lambda overlays: np.ones(len(overlays)))
    rng = np.random.default_rng(9)
    hashes, column = random_hashes(rng, 2), HASH_KINDS.index(kind)
    hashes[1, column] = flip(rng, hashes[:1, column], RADII[kind] + beyond)[0]
    assert len(all_pairs(without_sketches(hashes))) == 1 - beyond


def test_a_new_picture_like_a_whole_crowd_is_paired_with_the_nearest_of_them(monkeypatch):
    monkeypatch.setattr(comparison, "same_photo", lambda overlays: np.ones(len(overlays)))
    rng = np.random.default_rng(2)
    hashes = np.repeat(random_hashes(rng, 1), 60, axis=0)
    hashes[:, 1] = [flip(rng, hashes[:1, 1], row // 10)[0] for row in range(60)]
    order = rng.permutation(60)
    crowd = without_sketches(hashes[order])
    newest = int(np.flatnonzero(order == 0)[0])
    pairs = near_duplicate_pairs(crowd.collection(), np.array([newest]))
    partner = [int(one if int(other, 16) == newest else other, 16) for one, other in ids(pairs)]
    nearest = sorted((row for row in range(60) if row != newest), key=lambda row: (order[row] // 10, row))
    assert sorted(partner) == sorted(nearest[:MOST_CANDIDATES])


def test_what_is_less_than_kept_is_no_pair(gallery, monkeypatch):
    monkeypatch.setattr(comparison, "same_photo", lambda overlays: np.full(len(overlays), KEPT * 0.99))
    assert all_pairs(gallery).empty
