"""Pairs of alike pictures against comparing everything with everything, one pair at a time."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import comparison
from features.alike import RADII, Edit, alike_blocks, alike_pairs
from features.facts import ALIKE_COLUMNS, DISTANCE_COLUMNS, HASH_KINDS
from features.information import LOW_INFORMATION
from features.same_photo import same_photo
from tests.features.prints import fingerprints, flip, random_hashes


def family(rng, n, *, bits):
    """Return n pictures around one, each kind a few bits away from it."""
    hashes = np.repeat(random_hashes(rng, 1), n, axis=0)
    flips = rng.integers(0, bits + 1, hashes.shape)
    for row, kind in np.ndindex(hashes.shape):
        hashes[row, kind] = flip(rng, hashes[row : row + 1, kind], flips[row, kind])[0]
    return hashes


def market(seed, n=40):
    """Draw families of pictures at random distances, in random order."""
    rng = np.random.default_rng(seed)
    hashes = np.vstack([family(rng, 5, bits=bits) for bits in range(n // 5)])
    rng.shuffle(hashes)
    return fingerprints(
        hashes,
        width=rng.integers(300, 900, n),
        height=rng.integers(300, 900, n),
        information=rng.choice([0.0, LOW_INFORMATION, 4.0], n),
    )


def counted(new, known):
    """Compare pictures one pair at a time."""
    new_ids = set(new["image_id"])
    pictures = {row["image_id"]: row for frame in (known, new) for row in frame.to_dict("records")}
    pairs = {}
    for one, other in combinations(sorted(pictures), 2):
        if not {one, other} & new_ids:
            continue
        left, right = pictures[one], pictures[other]
        if min(left["information"], right["information"]) < LOW_INFORMATION:
            continue
        bits = [(left[kind] ^ right[kind]).bit_count() for kind in HASH_KINDS]
        if any(bits[HASH_KINDS.index(kind)] <= radius for kind, radius in RADII.items()):
            pairs[one, other] = bits
    return pairs


def found(pairs):
    ids = zip(pairs["image_id"], pairs["other_image_id"], strict=True)
    return dict(zip(ids, pairs[list(DISTANCE_COLUMNS)].to_numpy().tolist(), strict=True))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_pairs_are_those_that_comparing_one_by_one_finds(seed, n_new):
    pictures = market(seed)
    new, known = pictures[:n_new], pictures[n_new:]
    pairs = alike_pairs(new, known)
    expected = counted(new, known)
    assert found(pairs) == expected
    assert len(pairs) == len(expected)
    assert list(found(pairs)) == sorted(expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 40), min_size=1, max_size=4))
def test_pictures_that_come_in_several_loads_make_the_same_pairs(seed, cuts):
    pictures = market(seed)
    bounds = [0, *sorted(cuts), len(pictures)]
    loads = [alike_pairs(pictures[start:stop], pictures[:start]) for start, stop in pairwise(bounds)]
    once = found(alike_pairs(pictures, pictures[:0]))
    assert {pair: bits for load in loads for pair, bits in found(load).items()} == once
    assert sum(map(len, loads)) == len(once)


def test_the_frame_is_as_declared():
    pictures = market(3)
    for pairs in (alike_pairs(pictures, pictures[:0]), alike_pairs(pictures[:0], pictures)):
        assert tuple(pairs.columns) == ALIKE_COLUMNS
        assert (pairs[list(DISTANCE_COLUMNS)].dtypes == np.int64).all()
        assert pairs["same_photo"].dtype == np.float64
        assert (pairs[["image_id", "other_image_id", "edit"]].dtypes == "str").all()


def test_a_picture_that_is_new_and_known_is_one_picture():
    pictures = market(4)
    assert found(alike_pairs(pictures, pictures)) == found(alike_pairs(pictures, pictures[:0]))


def test_pairs_carry_the_probability_of_their_distances():
    pairs = alike_pairs(market(5), market(5)[:0])
    assert len(pairs) > 10
    assert pairs["same_photo"].to_numpy() == pytest.approx(same_photo(pairs[list(DISTANCE_COLUMNS)]))


@pytest.mark.parametrize("kind", RADII)
def test_a_pair_at_the_radius_is_found_and_one_bit_further_is_not(kind):
    rng = np.random.default_rng(9)
    for bits, pairs in ((RADII[kind], 1), (RADII[kind] + 1, 0)):
        hashes = random_hashes(rng, 2)
        column = HASH_KINDS.index(kind)
        hashes[1, column] = flip(rng, hashes[:1, column], bits)[0]
        pictures = fingerprints(hashes)
        assert len(alike_pairs(pictures, pictures[:0])) == pairs


def test_flat_pictures_make_no_pairs():
    flat = fingerprints(np.zeros((5, 5)), information=0.0)
    assert alike_pairs(flat, flat[:0]).empty


@pytest.mark.parametrize(
    ("size", "edit"),
    [
        ((640, 480), Edit.RECOMPRESSED),
        ((320, 240), Edit.RESIZED),
        ((160, 119), Edit.RESIZED),
        ((1280, 960), Edit.RESIZED),
        ((640, 450), Edit.RESHAPED),
        ((480, 640), Edit.RESHAPED),
    ],
)
def test_the_edit_follows_from_the_sizes(size, edit):
    pictures = fingerprints(np.zeros((2, 5)))
    pictures.loc[1, ["width", "height"]] = size
    assert alike_pairs(pictures, pictures[:0])["edit"].tolist() == [edit]


def test_many_near_identical_pictures_come_in_bounded_parts(monkeypatch):
    monkeypatch.setattr(comparison, "BLOCK_PAIRS", 1_000)
    crowd = fingerprints(family(np.random.default_rng(2), 200, bits=2))
    parts = [len(part) for part in alike_blocks(crowd, crowd[:0])]
    assert max(parts) <= 1_000
    assert sum(parts) == 200 * 199 // 2
    assert len(alike_pairs(crowd, crowd[:0])) == sum(parts)


def test_inputs_are_left_as_they_were():
    new, known = market(6)[:20], market(6)[20:]
    before = new.copy(), known.copy()
    alike_pairs(new, known)
    assert new.equals(before[0])
    assert known.equals(before[1])
