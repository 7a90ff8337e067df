"""Our resize is Pillow's, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from features.hashing.resize import PRECISION_BITS, TOGETHER, Filter, Grey, taps
from features.hashing.whash import block_sums

PILLOW = {Filter.BOX: Image.Resampling.BOX, Filter.LANCZOS: Image.Resampling.LANCZOS}
FILTERS = list(Filter)


def levels(rows, columns, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (rows, columns), dtype=np.uint8)


def by_pillow(grey, width, height, reach):
    return np.asarray(Image.fromarray(grey).resize((width, height), PILLOW[reach]))


@settings(max_examples=80)
@given(
    old=st.tuples(st.integers(1, 400), st.integers(1, 400)),
    new=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    reach=st.sampled_from(FILTERS),
    seed=st.integers(0, 1000),
)
def test_any_size_becomes_any_size_as_in_pillow(old, new, reach, seed):
    grey = levels(*old, seed)
    np.testing.assert_array_equal(Grey(grey).resized(*new, reach), by_pillow(grey, *new, reach))


@pytest.mark.parametrize("reach", FILTERS)
@pytest.mark.parametrize("rows", [100, 108, 109, 300])
def test_the_order_of_the_two_passes_is_pillows(rows, reach):
    grey = levels(rows, 54)
    np.testing.assert_array_equal(Grey(grey).resized(50, 100, reach), by_pillow(grey, 50, 100, reach))


@pytest.mark.parametrize("contrast", [np.uint8(255), np.uint8(1)])
def test_overshoot_is_cut_as_in_pillow(contrast):
    grey = levels(300, 301) % 2 * contrast
    for side in (8, 32, 128, 256):
        result = Grey(grey).resized(side, side, Filter.LANCZOS)
        np.testing.assert_array_equal(result, by_pillow(grey, side, side, Filter.LANCZOS))


@pytest.mark.parametrize("columns", [16_000, 60_000])
def test_long_rows_do_not_overflow(columns):
    grey = np.full((4, columns), 255, np.uint8)
    assert (Grey(grey).resized(8, 8, Filter.LANCZOS) == 255).all()
    noisy = levels(4, columns)
    np.testing.assert_array_equal(Grey(noisy).resized(9, 8, Filter.LANCZOS), by_pillow(noisy, 9, 8, Filter.LANCZOS))


@pytest.mark.parametrize("reach", FILTERS)
@pytest.mark.parametrize(("length", "size"), [(1600, 8), (1200, 32), (37, 1000), (5, 5), (1, 8)])
def test_weights_add_up_to_one_and_end_with_zeros(length, size, reach):
    result = taps(length, size, reach)
    used = np.arange(result.weights.shape[1]) < result.counts[:, None]
    assert result.weights.shape[1] % TOGETHER == 0
    assert not result.weights[~used].any()
    np.testing.assert_allclose(result.weights.sum(axis=1), 1 << PRECISION_BITS, atol=result.counts.max())


@given(st.integers(0, 6), st.integers(0, 1000))
def test_block_sums_are_those_of_the_blocks(doublings, seed):
    side = 8 << doublings
    pixels = levels(side, side, seed)
    expected = pixels.reshape(8, side // 8, 8, side // 8).sum(axis=(1, 3), dtype=np.int64)
    np.testing.assert_array_equal(block_sums(pixels, 8), expected)
