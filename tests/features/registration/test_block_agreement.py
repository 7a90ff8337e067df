"""Two pictures registered on each other agree where they are the same, block by block."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates, uniform_filter

from features.registration.correlation_kernels import BLOCK, SAMPLES, SHIFT, SMOOTH, block_correlations
from features.registration.thumbnail_comparison import AGREES, agreement, levels
from tests.features.copies.sketched import photo, sketch_of

SAME = np.column_stack([np.eye(2), np.zeros(2)])
BESIDE, HALF_BESIDE = (np.array([[1.0, 0.0, off], [0.0, 1.0, 0.0]]) for off in (2.0, 0.5))
WHOLE = np.array([0.0, 0.0, 1.0, 1.0])


def noise(seed=0, side=128):
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)


def smooth(seed=0):
    large = uniform_filter(np.random.default_rng(seed).normal(0, 1, (128, 128)), 5, mode="wrap")
    return np.clip(128 + 200 * large, 0, 255).astype(np.uint8)


def sampled_slowly(picture, places):
    at = np.clip(places[..., ::-1] * len(picture) - 0.5, 0, len(picture) - 1)
    return map_coordinates(picture.astype(np.float64), np.moveaxis(at, -1, 0), order=1, mode="nearest")


def sharpened_slowly(sampled, there):
    out = np.full(sampled.shape, np.nan)
    for i, j in np.argwhere(there):
        around = np.s_[max(0, i - SMOOTH) : i + SMOOTH + 1, max(0, j - SMOOTH) : j + SMOOTH + 1]
        out[i, j] = sampled[i, j] - sampled[around][there[around]].mean()
    return out


def correlations_slowly(query, reference, transform, box):
    """Sample both pictures, take away what is even, and correlate every block at every shift."""
    steps = (np.arange(SAMPLES) + 0.5) / SAMPLES
    u, v = np.meshgrid(box[0] + (box[2] - box[0]) * steps, box[1] + (box[3] - box[1]) * steps)
    places = np.stack([u, v], axis=-1)
    query_places = places @ transform[:, :2].T + transform[:, 2]
    there = ((query_places >= 0) & (query_places <= 1)).all(axis=-1)
    one = sharpened_slowly(sampled_slowly(query, query_places), there)
    other = sharpened_slowly(sampled_slowly(reference, places), there)
    padded = np.pad(one, SHIFT, constant_values=np.nan)
    correlations = np.full((SAMPLES // BLOCK, SAMPLES // BLOCK), np.nan)
    for row, column in np.ndindex(*correlations.shape):
        block = np.s_[row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK]
        if there[block].mean() < 0.5:
            continue
        found = []
        for down, across in np.ndindex(2 * SHIFT + 1, 2 * SHIFT + 1):
            shifted = padded[down : down + SAMPLES, across : across + SAMPLES][block]
            both = ~np.isnan(shifted) & there[block]
            if shifted[both].std() > 1e-3 and other[block][both].std() > 1e-3:
                found.append(np.corrcoef(shifted[both], other[block][both])[0, 1])
            else:
                found.append(0.0)
        correlations[row, column] = max(found)
    return correlations


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    ("transform", "box"),
    [
        (SAME, WHOLE),
        (np.array([[1.3, 0.1, -0.2], [-0.1, 1.2, 0.05]]), WHOLE),
        (np.array([[-0.5, 0.0, 0.8], [0.0, 0.6, 0.3]]), np.array([0.1, 0.0, 0.9, 0.7])),
    ],
)
def test_blocks_correlate_as_numpy_says(number, transform, box):
    query, reference = (sketch_of(photo(n)).thumbnail.astype(np.float32) for n in (number, number + 1 - number % 2))
    found, _ = block_correlations(query, reference, transform, box)
    np.testing.assert_allclose(found, correlations_slowly(query, reference, transform, box), atol=0.01)


def test_the_weaker_contrast_is_told():
    strong, weak = (noise().astype(np.float32) * factor for factor in (1.0, 0.1))
    for pair in ((strong, weak), (weak, strong)):
        _, contrast = block_correlations(*pair, SAME, WHOLE)
        alone = block_correlations(weak, weak, SAME, WHOLE)[1]
        np.testing.assert_allclose(contrast, alone, rtol=1e-3)


def test_a_picture_agrees_with_itself_everywhere():
    found = agreement(levels(noise()), levels(noise()), SAME)
    np.testing.assert_allclose(found.correlation, 1.0, atol=1e-3)
    np.testing.assert_array_equal(found.box, WHOLE)


def test_different_pictures_agree_in_few_blocks():
    pictures = [levels(sketch_of(photo(number)).thumbnail) for number in range(6)]
    shares = []
    for query, reference in zip(pictures, pictures[1:] + pictures[:1], strict=True):
        correlation = agreement(query, reference, SAME).correlation
        shares.append((correlation > AGREES).sum() / max(1, np.count_nonzero(~np.isnan(correlation))))
    assert np.mean(shares) < 0.08
    assert max(shares) < 0.2


@given(st.floats(0.3, 0.9), st.floats(0, 1), st.floats(0, 1), st.booleans())
@settings(max_examples=20)
def test_a_part_agrees_with_the_whole_where_it_was_cut_out(share, left, top, mirrored):
    side = round(128 * share)
    x, y = round(left * (128 - side)), round(top * (128 - side))
    steps = np.stack(np.meshgrid(*[(np.arange(128) + 0.5) / 128] * 2), axis=-1)
    back = np.array([[side, 0, x], [0, side, y]]) / 128
    if mirrored:
        back = np.array([[-side, 0, x + side], [0, side, y]]) / 128
    part = sampled_slowly(smooth(), steps @ back[:, :2].T + back[:, 2])
    transform = np.column_stack([np.linalg.inv(back[:, :2]), -np.linalg.inv(back[:, :2]) @ back[:, 2]])
    found = agreement(levels(part.astype(np.uint8)), levels(smooth()), transform)
    np.testing.assert_allclose(found.box * 128, [x, y, x + side, y + side], atol=1e-6)
    assert np.nanmean(found.correlation > AGREES) > 0.95


@pytest.mark.parametrize("transform", [BESIDE, SAME * 1e-5, np.zeros((2, 3)), SAME * 1e4])
def test_pictures_that_share_no_area_agree_nowhere(transform):
    assert np.isnan(agreement(levels(noise()), levels(noise()), transform).correlation).all()


@pytest.mark.parametrize("query", [np.full((128, 128), 90, np.uint8), noise(3)])
def test_even_blocks_tell_nothing(query):
    half = noise()
    half[:, 64:] = 200 + noise(5)[:, 64:] // 128
    correlation = agreement(levels(query), levels(half), SAME).correlation
    assert np.isnan(correlation[:, 5:]).all()
    assert np.isnan(correlation[:, :4]).all() == (query.std() == 0)


def test_blocks_outside_the_other_picture_tell_nothing():
    _, contrast = block_correlations(noise().astype(np.float32), noise(1).astype(np.float32), HALF_BESIDE, WHOLE)
    assert np.isnan(contrast[:, 4:]).all()
    assert not np.isnan(contrast[:, :4]).any()


def test_levels_are_means_of_four():
    found = levels(noise())
    assert [len(level) for level in found] == [128, 64, 32, 16]
    for finer, coarser in pairwise(found):
        expected = finer.reshape(len(coarser), 2, len(coarser), 2).mean(axis=(1, 3))
        np.testing.assert_allclose(coarser, expected, atol=1e-3)
