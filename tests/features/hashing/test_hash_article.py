"""The published table of one car advert: seven photos, five hashes, and what they find."""

from __future__ import annotations

import numpy as np
import pytest

from features.copies.collection import RADII, Pictures
from features.copies.pairs import by_hashes
from features.copies.photo_groups import photos_by_hash
from features.copies.reverse_search import search_by_hash
from features.facts import HASH_KINDS
from features.hamming.brute_force import within
from features.hashing.hex_digits import from_hex
from tests.features.copies.pictured import Pictured
from tests.features.copies.prints import ARTICLE, fingerprints


@pytest.fixture
def advert():
    rows = [line.split() for line in ARTICLE]
    return fingerprints(
        np.array(
            [[from_hex(kind, text) for kind, text in zip(HASH_KINDS, row, strict=True)] for row in rows],
            dtype=np.uint64,
        )
    )


def numbers(image_ids):
    return [int(image_id, 16) for image_id in image_ids]


def flagged(groups):
    """Return the images that repeat an earlier one."""
    return numbers(groups.loc[groups.duplicated("group"), "image_id"])


@pytest.mark.parametrize(
    ("kind", "repeats"),
    [("ahash", [5, 6]), ("phash", [5]), ("dhash", [5]), ("whash", [5]), ("colorhash", [])],
)
def test_each_kind_flags_the_repeats_it_flagged_in_print(advert, kind, repeats):
    assert sorted(flagged(photos_by_hash(Pictures.of(advert), kind=kind, within=0))) == repeats


@pytest.mark.parametrize("kind", ["phash", "dhash", "whash"])
def test_the_small_copy_of_image_3_lies_within_two_bits(advert, kind):
    hits = within(advert[kind].to_numpy()[[6]], advert[kind].to_numpy(), 2)
    assert hits.key_index.tolist() == [3, 6]
    groups = photos_by_hash(Pictures.of(advert), kind=kind, within=2).groupby("group")["image_id"].agg(numbers)
    assert groups.tolist() == [[2, 5], [3, 6]]


@pytest.mark.parametrize("kind", ["ahash", "phash", "dhash", "whash"])
def test_ranking_from_image_2_puts_itself_and_its_copy_first(advert, kind):
    known = Pictured(advert, {})
    hits = search_by_hash(advert.iloc[[2]], known.read, known.collection(), kind=kind, within=64)
    assert numbers(hits["image_id"][:2]) == [2, 5]
    assert hits[f"distance_{kind}"][:2].tolist() == [0, 0]
    assert hits[f"distance_{kind}"].is_monotonic_increasing
    assert hits["rank"].tolist() == list(range(1, 8))


def test_the_two_hashes_that_pairs_are_looked_for_by_bring_both_copies_in(advert):
    asked, known = by_hashes(Pictures.of(advert).hashes, Pictured(advert, {}).collection(), RADII)
    assert {(2, 5), (3, 6)} <= set(zip(asked.tolist(), known.tolist(), strict=True))
