"""Window hashes are the hashes of windows that were cut out."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
from hypothesis import given
from hypothesis import strategies as st

from features.windows import GREY_SIDE, SCALE, SCALES, WINDOWS, coefficient_hashes, window_coefficients, window_hashes
from tests.features.drawn_variants import painting

TOLERANCE = 0.001
"""Of the largest coefficient that is not the mean: the matrices are rounded to whole numbers."""


def greys(seed):
    image = painting(np.random.default_rng(seed), GREY_SIDE, GREY_SIDE)
    return np.asarray(image.convert("L"))


def cut_and_averaged(grey, top, left, side):
    """Average the pixels of a window into 32×32, by cumulative sums between fractional edges."""
    total = np.zeros((GREY_SIDE + 1, GREY_SIDE + 1))
    total[1:, 1:] = grey.cumsum(axis=0, dtype=float).cumsum(axis=1)

    def along(edges, table):
        whole = np.minimum(np.floor(edges).astype(int), GREY_SIDE - 1)
        rest = (edges - whole)[:, None]
        return table[whole] * (1 - rest) + table[whole + 1] * rest

    rows, columns = (start + np.linspace(0, side, 33) for start in (top, left))
    corners = along(columns, along(rows, total).T).T
    return np.diff(np.diff(corners, axis=0), axis=1) / (side / 32) ** 2


def slow_coefficients(grey):
    found = []
    for scale in SCALES:
        for top in scale.starts:
            for left in scale.starts:
                small = cut_and_averaged(grey, top, left, scale.side * GREY_SIDE)
                found.append(scipy.fft.dctn(small, type=2)[:8, :8])
    return np.array(found) / 4


@pytest.mark.parametrize("seed", range(3))
def test_each_window_has_the_frequencies_of_the_window_cut_out(seed):
    grey = greys(seed)
    found, expected = window_coefficients(grey) / SCALE**2, slow_coefficients(grey)
    assert found.shape == (WINDOWS, 8, 8)
    shading = np.abs(expected).reshape(WINDOWS, -1)[:, 1:].max()
    np.testing.assert_allclose(found[:, 1:, 1:], expected[:, 1:, 1:], atol=TOLERANCE * shading)
    np.testing.assert_allclose(found[:, 0, 0], expected[:, 0, 0], rtol=0.0001)


def test_coefficients_are_whole_numbers_that_double_precision_holds():
    for grey in (greys(1), np.full((GREY_SIDE, GREY_SIDE), 255, np.uint8)):
        found = window_coefficients(grey)
        np.testing.assert_array_equal(found, np.rint(found))
        assert np.abs(found).max() < 2**52


def test_mirroring_the_picture_flips_the_sign_of_odd_frequencies():
    grey = greys(2)
    signs = (-1.0) ** np.arange(8)
    whole, mirrored = (window_coefficients(turned)[0] for turned in (grey, grey[:, ::-1]))
    largest = np.abs(whole).ravel()[1:].max()
    np.testing.assert_allclose(mirrored, whole * signs, atol=TOLERANCE * largest)


def test_transposing_the_picture_transposes_each_window():
    grey = greys(3)
    found, turned = window_coefficients(grey), window_coefficients(np.ascontiguousarray(grey.T))
    at = 0
    for scale in SCALES:
        of_scale = slice(at, at + scale.steps**2)
        shape = (scale.steps, scale.steps, 8, 8)
        np.testing.assert_array_equal(
            turned[of_scale].reshape(shape), found[of_scale].reshape(shape).transpose(1, 0, 3, 2)
        )
        at = of_scale.stop


@given(st.integers(0, 2**32 - 1))
def test_bits_say_which_coefficients_lie_above_the_median(seed):
    coefficients = np.random.default_rng(seed).integers(-50, 50, (5, 8, 8)).astype(float)
    expected = [
        int("".join(str(int(value > np.median(window))) for value in window.ravel()), 2) for window in coefficients
    ]
    assert coefficient_hashes(coefficients).tolist() == expected


def test_a_crop_is_found_among_the_windows():
    grey = greys(4)
    shrunk = np.kron(cut_and_averaged(grey, 0, 0, 0.6 * GREY_SIDE), np.ones((8, 8)))
    crop = window_hashes(np.rint(np.clip(shrunk, 0, 255)).astype(np.uint8))[0]
    distances = np.bitwise_count(window_hashes(grey) ^ crop)
    first_of_smallest = WINDOWS - SCALES[-1].steps ** 2
    assert distances.argmin() == first_of_smallest
    assert distances.min() <= 4
