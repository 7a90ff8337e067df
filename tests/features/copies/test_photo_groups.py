"""Groups of pictures that are one photo, against slow ways of putting together and of keeping apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.copies.collection import Pictures
from features.copies.photo_groups import PHOTO_COLUMNS, photos, photos_by_hash
from features.facts import HASH_KINDS
from tests.features.copies.prints import fingerprints, random_hashes

NAMES = "abcdefg"
NOBODY_DENIED = pd.DataFrame({"image_id": [], "other_image_id": []}, dtype="str")


def links(*pairs):
    """Pairs of pictures, each a text of two names, and how probably they are one photo; the first is the surest."""
    frame = pd.DataFrame({"image_id": [pair[0] for pair in pairs], "other_image_id": [pair[1] for pair in pairs]})
    return frame.astype("str").assign(same_photo=np.linspace(0.99, 0.9, len(pairs)))


def grouped(found):
    assert tuple(found.columns) == PHOTO_COLUMNS
    return ["".join(members) for _, members in found.groupby("group")["image_id"]]


def joined_slowly(names, is_one):
    groups = [{name} for name in names]
    for one, other in combinations(names, 2):
        if is_one(one, other):
            left, right = (next(group for group in groups if name in group) for name in (one, other))
            if left is not right:
                groups = [group for group in groups if group not in (left, right)] + [left | right]
    return sorted("".join(sorted(group)) for group in groups if len(group) > 1)


pairs_of_names = st.lists(st.sampled_from(["".join(pair) for pair in combinations(NAMES, 2)]), unique=True, max_size=12)


@given(pairs_of_names)
def test_whatever_is_linked_is_one_photo(pairs):
    found = photos(links(*pairs), NOBODY_DENIED)
    assert grouped(found) == joined_slowly(NAMES, lambda one, other: one + other in pairs)
    assert found["group"].dtype == np.int64
    assert found.equals(found.sort_values(["group", "image_id"], ignore_index=True))


@given(pairs_of_names, pairs_of_names)
def test_no_group_holds_two_different_photos_and_others_stay_as_they_are(pairs, denied):
    kept = [pair for pair in pairs if pair not in denied]
    found = grouped(photos(links(*kept), links(*denied)))
    assert not [pair for pair in denied for group in found if set(pair) <= set(group)]
    for group in grouped(photos(links(*kept), NOBODY_DENIED)):
        if not any(set(pair) <= set(group) for pair in denied):
            assert group in found
        assert all(set(part) <= set(group) for part in found if part[0] in group)


def test_what_would_join_two_different_photos_stays_with_the_one_it_is_likelier():
    assert grouped(photos(links("ab", "cd", "bc"), links("ad"))) == ["ab", "cd"]
    assert grouped(photos(links("bc", "cd", "ab"), links("ad"))) == ["bcd"]
    assert grouped(photos(links("ab", "bc"), links("ac", "xy"))) == ["ab"]
    assert grouped(photos(links("ab", "bc"), links("ca"))) == ["ab"]


def test_no_pairs_make_no_photos():
    assert photos(links(), NOBODY_DENIED).empty


@pytest.mark.parametrize("kind", HASH_KINDS)
@given(seed=st.integers(0, 2**32 - 1), within=st.integers(0, 30))
def test_by_one_hash_groups_are_those_of_its_distance_alone(kind, seed, within):
    rng = np.random.default_rng(seed)
    hashes = random_hashes(rng, 3)[rng.integers(0, 3, len(NAMES))] ^ rng.integers(0, 2**12, (len(NAMES), 5), np.uint64)
    names = rng.permutation(list(NAMES))
    prints = fingerprints(hashes, information=0.0).assign(image_id=pd.Series(names, dtype="str"))
    bits = dict(zip(names, prints[kind].tolist(), strict=True))
    found = photos_by_hash(Pictures.of(prints), kind=kind, within=within)
    assert grouped(found) == joined_slowly(NAMES, lambda one, other: (bits[one] ^ bits[other]).bit_count() <= within)


def test_thousands_of_pictures_with_equal_hashes_are_one_group_at_once():
    crowd = Pictures.of(fingerprints(np.ones((20_000, 5))))
    found = photos_by_hash(crowd, kind="phash", within=8)
    assert found["group"].eq(0).sum() == 20_000


def test_no_pictures_have_no_photos_by_hash():
    assert photos_by_hash(Pictures.of(fingerprints(np.empty((0, 5)))), kind="ahash", within=4).empty
