"""Matches that tell of one place are counted as by trying every one of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.copies.candidates import Matches, hough_voting
from features.copies.hough_kernels import MOST_MATCHES, repeated_hits, supported_matches
from features.keypoints.orientations import BETWEEN, MATRICES, N_ORIENTATIONS, UPRIGHT
from tests.features.copies.slow_votes import orientation_of, peaks_slowly

TRUE_SCALE = 0.6


def true_matches(rng, count, orientation, *, pair=0, first_point=0):
    """What one picture in another, smaller and turned, would give."""
    reference = np.column_stack([rng.uniform(0, 300, (count, 2)), rng.uniform(0.5, 4, count)])
    query = reference.copy()
    query[:, :2] = TRUE_SCALE * reference[:, :2] @ MATRICES[orientation].T + [200, 100]
    query[:, 2] += math.log(TRUE_SCALE)
    reference_turn = rng.integers(0, N_ORIENTATIONS, count).astype(np.uint8)
    query_turn = np.array([np.flatnonzero(BETWEEN[:, turn] == orientation)[0] for turn in reference_turn], np.uint8)
    numbers = np.arange(first_point, first_point + count)
    return Matches(np.full(count, pair), query, reference, numbers, numbers[::-1].copy(), query_turn, reference_turn)


def random_matches(rng, count, pairs, spread):
    return Matches(
        pair=np.sort(rng.integers(0, pairs, count)) * 7,
        query=np.column_stack([rng.uniform(0, spread, (count, 2)), rng.uniform(0, 1, count)]),
        reference=np.column_stack([rng.uniform(0, spread, (count, 2)), rng.uniform(0, 1, count)]),
        query_point=rng.integers(0, 20, count),
        reference_point=rng.integers(0, 20, count),
        query_turn=rng.integers(0, 2, count).astype(np.uint8),
        reference_turn=rng.integers(0, 2, count).astype(np.uint8),
    )


@settings(max_examples=40)
@given(st.integers(0, 40), st.integers(1, 4), st.sampled_from([10.0, 60.0, 300.0]), st.integers(0, 1000))
def test_votes_are_those_of_the_largest_consistent_sets(count, pairs, spread, seed):
    matches = random_matches(np.random.default_rng(seed), count, pairs, spread)
    peaks = hough_voting(matches)
    expected = list(peaks_slowly(matches))
    assert list(zip(peaks.pair.tolist(), peaks.inliers.tolist(), strict=True)) == [row[:2] for row in expected]
    assert peaks.orientation.tolist() == [orientation_of(matches, around) for _, _, around in expected]
    for guess, (_, _, around) in zip(peaks.guess, expected, strict=True):
        np.testing.assert_allclose(
            guess[:, :2] @ matches.reference[around, :2] + guess[:, 2], matches.query[around, :2]
        )


@pytest.mark.parametrize("orientation", range(N_ORIENTATIONS))
def test_true_matches_are_found_among_false_ones_with_their_place(orientation):
    rng = np.random.default_rng(orientation)
    true, false = true_matches(rng, 12, orientation), random_matches(rng, 30, 1, 300.0)
    false = false._replace(query_point=false.query_point + 12, reference_point=false.reference_point + 12)
    peaks = hough_voting(Matches(*map(np.concatenate, zip(false, true, strict=True))))
    assert peaks.inliers[0] >= 12
    assert peaks.orientation[0] == orientation
    expected = np.column_stack([TRUE_SCALE * MATRICES[orientation], [200, 100]])
    np.testing.assert_allclose(peaks.guess[0], expected, atol=1e-9)


def test_a_point_that_matches_many_counts_once():
    matches = true_matches(np.random.default_rng(0), 5, UPRIGHT)
    repeated_hits = Matches(*(np.repeat(array[:1], 9, axis=0) for array in matches))
    assert hough_voting(repeated_hits).inliers.tolist() == [1]


def test_pairs_of_pictures_are_told_apart():
    rng = np.random.default_rng(1)
    parts = [true_matches(rng, count, UPRIGHT, pair=pair) for pair, count in ((3, 4), (8, 1), (9, 6))]
    peaks = hough_voting(Matches(*map(np.concatenate, zip(*parts, strict=True))))
    assert peaks.pair.tolist() == [3, 8, 9]
    assert peaks.inliers.tolist() == [4, 1, 6]
    assert peaks.take(np.array([2, 0])).pair.tolist() == [9, 3]


@given(st.integers(0, 60), st.integers(1, 4), st.integers(1, 8), st.integers(1, 3), st.integers(0, 1000))
def test_hits_stay_whose_pair_of_pictures_has_enough(n_hits, n_pictures, n_reference, fewest, seed):
    rng = np.random.default_rng(seed)
    picture = np.sort(rng.integers(0, n_pictures, 10))
    query, reference = rng.integers(0, 10, n_hits), rng.integers(0, n_reference, n_hits)
    pairs = list(zip(picture[query].tolist(), reference.tolist(), strict=True))
    found = repeated_hits(query, reference, picture, n_pictures, n_reference, fewest)
    assert sorted(found.tolist()) == [hit for hit, pair in enumerate(pairs) if pairs.count(pair) >= fewest]
    assert (np.diff(picture[query[found]]) >= 0).all()


@given(st.integers(0, 40), st.integers(1, 6), st.integers(1, 3), st.integers(0, 1000))
def test_matches_stay_whose_pair_has_enough_of_one_orientation(count, pairs, fewest, seed):
    rng = np.random.default_rng(seed)
    pair, orientation = np.sort(rng.integers(0, pairs, count)), rng.integers(0, N_ORIENTATIONS, count)
    both = list(zip(pair.tolist(), orientation.tolist(), strict=True))
    expected = [row for row, match in enumerate(both) if both.count(match) >= fewest]
    assert supported_matches(pair, orientation, fewest).tolist() == expected


@given(st.integers(0, 40), st.integers(1, 4), st.integers(2, 4), st.integers(0, 1000))
def test_votes_of_enough_matches_are_told_without_the_others(count, pairs, fewest, seed):
    matches = random_matches(np.random.default_rng(seed), count, pairs, 60.0)
    every, told = hough_voting(matches), hough_voting(matches, fewest)
    for field, expected in zip(told, every.take(np.flatnonzero(every.inliers >= fewest)), strict=True):
        np.testing.assert_array_equal(field, expected)


def test_without_matches_there_are_no_votes():
    peaks = hough_voting(random_matches(np.random.default_rng(0), 0, 1, 1.0))
    assert [len(field) for field in peaks] == [0, 0, 0, 0]


def test_of_very_many_matches_the_first_ones_are_looked_at():
    true, far = (true_matches(np.random.default_rng(0), 4, UPRIGHT, first_point=first) for first in (0, 10))
    flood = Matches(*(np.repeat(array[:1], MOST_MATCHES, axis=0) for array in far))
    peaks = hough_voting(Matches(*map(np.concatenate, zip(flood, true, strict=True))))
    assert peaks.inliers.tolist() == [1]
