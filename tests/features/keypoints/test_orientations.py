"""What turning a picture does to places and to hashes, worked out without turning it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.fft import dctn

from features.keypoints.keypoints import KEYPOINT
from features.keypoints.orientations import (
    AFTER,
    BETWEEN,
    EXCHANGE,
    FLIP,
    MATRICES,
    MIRROR,
    N_ORIENTATIONS,
    UPRIGHT,
    orientation_hypotheses,
    turned,
    upright,
)
from tests.features.copies.sketched import in_orientation

EIGHT = range(N_ORIENTATIONS)
orientations = st.sampled_from(EIGHT)
hashes = st.integers(0, 2**64 - 1).map(lambda bits: np.array([bits], np.uint64))


def hash_of(square):
    """The signs of the lowest frequencies, the lowest of all left out."""
    positive = dctn(square)[:8, :8] > 0
    positive[0, 0] = False
    return np.packbits(positive).view(">u8").astype(np.uint64)


@pytest.mark.parametrize("orientation", EIGHT)
def test_the_hash_of_a_turned_picture_follows_from_its_own(orientation):
    for square in np.random.default_rng(orientation).normal(size=(20, 16, 16)):
        assert turned(hash_of(square), orientation) == hash_of(in_orientation(square, orientation))


@pytest.mark.parametrize("orientation", EIGHT)
def test_matrices_tell_where_a_place_goes(orientation):
    size = np.array([7, 5])
    turned_size = size[::-1] if orientation & EXCHANGE else size
    for x, y in np.ndindex(*size):
        picture = np.zeros(size[::-1], int)
        picture[y, x] = 1
        row, column = np.argwhere(in_orientation(picture, orientation))[0]
        from_middle = MATRICES[orientation] @ (np.array([x, y]) - (size - 1) / 2)
        np.testing.assert_allclose([column, row], from_middle + (turned_size - 1) / 2)


@given(hashes, orientations, orientations)
def test_two_orientations_one_after_the_other_are_a_third(bits, first, then):
    assert turned(turned(bits, first), then) == turned(bits, int(AFTER[then, first]))
    np.testing.assert_array_equal(MATRICES[AFTER[then, first]], MATRICES[then] @ MATRICES[first])


@given(hashes, orientations, orientations)
def test_what_lies_between_two_upright_hashes_leads_from_one_to_the_other(reference, reference_turn, query_turn):
    brought_upright = turned(reference, reference_turn)
    query = next(turned(brought_upright, back) for back in EIGHT if AFTER[query_turn, back] == UPRIGHT)
    between = int(BETWEEN[query_turn, reference_turn])
    assert turned(reference, between) == query
    assert AFTER[query_turn, between] == reference_turn


def test_all_eight_are_different_and_can_be_undone():
    for table in (AFTER, BETWEEN):
        assert (np.sort(table, axis=0) == np.arange(N_ORIENTATIONS)[:, None]).all()
        assert (np.sort(table, axis=1) == np.arange(N_ORIENTATIONS)).all()
    assert (np.diag(BETWEEN) == UPRIGHT).all()


def test_the_lowest_frequency_stays_what_it_is():
    highest_bit = np.array([1 << 63], np.uint64)
    assert all(
        turned(highest_bit, orientation) == highest_bit ^ turned(highest_bit * 0, orientation) for orientation in EIGHT
    )


def test_the_bits_are_those_of_the_frequencies_that_change_their_sign():
    odd = np.arange(8) % 2 == 1
    nothing = np.zeros(1, np.uint64)
    assert turned(nothing, MIRROR) == np.packbits(np.broadcast_to(odd, (8, 8))).view(">u8").astype(np.uint64)
    assert turned(nothing, FLIP) == np.packbits(np.broadcast_to(odd[:, None], (8, 8))).view(">u8").astype(np.uint64)


@given(arrays(np.uint64, st.integers(0, 6)), st.data())
def test_the_orientation_hypotheses_of_a_keypoint_begin_with_the_surest(several, data):
    keypoints = np.zeros(len(several), KEYPOINT)
    keypoints["hash"] = several
    keypoints["turn"] = data.draw(arrays(np.uint8, len(several), elements=st.integers(0, 63)))
    number, orientation, hashes_upright = orientation_hypotheses(keypoints)
    expected = [
        (place, AFTER[change, turn % N_ORIENTATIONS])
        for place, turn in enumerate(keypoints["turn"])
        for change in range(N_ORIENTATIONS)
        if change | turn // N_ORIENTATIONS == turn // N_ORIENTATIONS
    ]
    np.testing.assert_array_equal(np.column_stack([number, orientation]), np.array(expected).reshape(-1, 2))
    first = np.flatnonzero(np.diff(number, prepend=-1))
    np.testing.assert_array_equal(orientation[first], keypoints["turn"] % N_ORIENTATIONS)
    np.testing.assert_array_equal(hashes_upright[first], upright(keypoints["hash"], keypoints["turn"] % N_ORIENTATIONS))
    np.testing.assert_array_equal(hashes_upright, upright(several[number], orientation))


@given(arrays(np.uint64, st.integers(0, 9)), st.data())
def test_each_hash_is_brought_upright_by_its_own_orientation(several, data):
    orientations = data.draw(arrays(np.uint8, len(several), elements=st.integers(0, 7)))
    expected = [turned(several[i : i + 1], int(way))[0] for i, way in enumerate(orientations)]
    np.testing.assert_array_equal(upright(several, orientations), np.array(expected, np.uint64))
    np.testing.assert_array_equal(upright(several, np.full(len(several), UPRIGHT, np.uint8)), several)
