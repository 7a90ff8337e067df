"""What turning a picture does to places and to hashes, worked out without turning it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dctn

from features.keypoints.orientations import AFTER, BETWEEN, COUNT, EXCHANGE, FLIP, MATRICES, MIRROR, UPRIGHT, turned
from tests.features.copies.sketched import in_orientation

EIGHT = range(COUNT)
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
def test_what_lies_between_two_upright_readings_leads_from_one_picture_to_the_other(known, known_turn, asked_turn):
    upright = turned(known, known_turn)
    asked = next(turned(upright, back) for back in EIGHT if AFTER[asked_turn, back] == UPRIGHT)
    lead = int(BETWEEN[asked_turn, known_turn])
    assert turned(known, lead) == asked
    assert AFTER[asked_turn, lead] == known_turn


def test_all_eight_are_different_and_can_be_undone():
    for table in (AFTER, BETWEEN):
        assert (np.sort(table, axis=0) == np.arange(COUNT)[:, None]).all()
        assert (np.sort(table, axis=1) == np.arange(COUNT)).all()
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
