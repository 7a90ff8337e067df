"""Blurring and looking for extrema, fast, against the slow way of doing both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate1d, gaussian_filter

from features.keypoints.difference_of_gaussians import BORDER, FURTHEST_STEP, MOST_EXTREMA, blur_step, extrema
from features.keypoints.keypoints import (
    BELLS,
    BLURS,
    FAINTEST,
    FIRST_BELL,
    LONGEST,
    SMALLEST_SIDE,
    STEPS,
    scale_space,
)
from tests.features.copies.sketched import grey_of, photo

EVERY_BELL = (FIRST_BELL, *BELLS)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (height, width)).astype(np.float32)


def symmetric(bell):
    return np.array([*bell[:0:-1], *bell], np.float64)


def blurred_slowly(image, bell):
    """Every pixel by itself; behind the mirrored picture its furthest line goes on."""

    def along(lines):
        count, reach = len(lines), len(bell) - 1
        around = np.arange(-reach, reach + 1)
        places = np.arange(count)[:, None] + around
        places = np.where(places < 0, np.minimum(-1 - places, count - 1), places)
        places = np.where(places >= count, np.maximum(2 * count - 1 - places, 0), places)
        return np.einsum("nt...,t->n...", lines[places], symmetric(bell))

    return along(along(image.astype(np.float64)).T).T


def extrema_slowly(differences, faintest, longest):
    """Compare every pixel with its 26 neighbours, and solve for the place of each peak."""
    cube = np.stack(differences).astype(np.float64)
    for y in range(BORDER, cube.shape[1] - BORDER):
        for x in range(BORDER, cube.shape[2] - BORDER):
            around = cube[:, y - 1 : y + 2, x - 1 : x + 2]
            value, others = around[1, 1, 1], np.delete(around.ravel(), 13)
            if not (value > max(others.max(), faintest) or value < min(others.min(), -faintest)):
                continue
            (a, b, c), (d, _, f), (g, h, i) = around[1]
            curvature = np.array([[d + f - 2 * value, (a + i - c - g) / 4], [(a + i - c - g) / 4, b + h - 2 * value]])
            narrow, long = sorted(np.abs(np.linalg.eigvalsh(curvature)))[::-1]
            if np.linalg.det(curvature) <= 0 or narrow > longest * long:
                continue
            drift = np.linalg.solve(curvature, -np.array([(f - d) / 2, (h - b) / 2]))
            if np.abs(drift).max() > 1:
                continue
            finer, coarser = around[0, 1, 1], around[2, 1, 1]
            step = (finer - coarser) / 2 / (finer + coarser - 2 * value)
            yield x + drift[0], y + drift[1], np.clip(step, -FURTHEST_STEP, FURTHEST_STEP), value


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(EVERY_BELL), st.integers(0, 99))
def test_blurring_is_a_weighted_mean_of_the_mirrored_picture(height, width, bell, seed):
    image = noise(height, width, seed)
    blurred, difference = blur_step(image, bell)
    np.testing.assert_allclose(blurred, blurred_slowly(image, bell), atol=1e-3)
    np.testing.assert_array_equal(difference, blurred - image)


@pytest.mark.parametrize("bell", EVERY_BELL)
def test_blurring_is_what_scipy_does_with_mirrored_edges(bell):
    image = noise(50, 60)
    expected = image.astype(np.float64)
    for axis in (0, 1):
        expected = correlate1d(expected, symmetric(bell), axis, mode="reflect")
    np.testing.assert_allclose(blur_step(image, bell)[0], expected, atol=1e-3)


def test_step_by_step_a_picture_is_blurred_as_at_once():
    image = noise(64, 64)
    blurred = image
    for bell, sigma in zip(EVERY_BELL, BLURS, strict=True):
        blurred, _ = blur_step(blurred, bell)
        expected = gaussian_filter(image.astype(np.float64), np.sqrt(sigma**2 - 0.5**2), mode="reflect")
        np.testing.assert_allclose(blurred, expected, atol=0.6)


def test_a_bell_adds_up_to_one():
    for bell in EVERY_BELL:
        assert symmetric(bell).sum() == pytest.approx(1, abs=1e-6)
        assert all(type(weight) is np.float32 for weight in bell)


@pytest.mark.parametrize("shape", [(60, 47), (5, 90), (90, 5), (4, 4), (1, 30)])
@pytest.mark.parametrize("smooth", [0, 1.5])
@pytest.mark.parametrize("longest", [2.0, LONGEST])
def test_extrema_are_the_peaks_among_26_neighbours(shape, smooth, longest):
    rng = np.random.default_rng(shape[0])
    differences = [gaussian_filter(rng.normal(0, 9, shape), smooth).astype(np.float32) for _ in range(3)]
    differences[1] = differences[1] * np.float32(1.8)
    expected = np.array(list(extrema_slowly(differences, 0.5, longest))).reshape(-1, 4)
    np.testing.assert_allclose(extrema(*differences, 0.5, longest), expected, atol=1e-3)


def test_a_hollow_between_brighter_pixels_is_no_bright_extremum():
    rings = np.full((9, 9), 5, np.float32)
    rings[4, 4] = 4
    lower = np.zeros((9, 9), np.float32)
    assert len(extrema(lower, rings, lower, FAINTEST, LONGEST)) == 0
    assert len(extrema(lower, 9 - rings, lower, FAINTEST, LONGEST)) == 1


def test_of_more_extrema_than_there_is_room_for_the_first_ones_are_kept():
    many = np.zeros((200, 400), np.float32)
    many[::2, ::2] = 9
    nothing = np.zeros_like(many)
    peaks = extrema(nothing, many, nothing, FAINTEST, LONGEST)
    assert len(peaks) == MOST_EXTREMA
    assert (np.diff(peaks[:, 1]) >= 0).all()


@pytest.mark.parametrize("radius", [3, 6, 12, 24])
def test_a_disc_is_an_extremum_of_its_place_and_size(radius):
    rows, columns = np.indices((240, 320))
    disc = 50 + 150 * (np.hypot(columns + 0.5 - 150.2, rows + 0.5 - 110.4) < radius)
    peaks = scale_space(disc.astype(np.float32)).extrema
    surest = peaks[np.argmax(np.abs(peaks["strength"]))]
    np.testing.assert_allclose([surest["x"], surest["y"]], [150.2, 110.4], atol=0.3)
    # A difference of Gaussians peaks where the blur is the radius over the root of two.
    assert surest["blur"] == pytest.approx(radius / np.sqrt(2), rel=0.15)
    assert surest["strength"] < 0


def test_extrema_lie_in_the_blurred_picture_of_their_size():
    blurred, peaks = scale_space(grey_of(photo(1)).astype(np.float32))
    assert len(blurred) % STEPS == 0
    assert set(np.unique(peaks["picture"])) <= set(range(len(blurred)))
    for picture in np.unique(peaks["picture"]):
        here = peaks[peaks["picture"] == picture]
        assert (here["pixel"] == 2.0 ** (picture // STEPS)).all()
        factor = here["blur"] / here["pixel"] / BLURS[1 + picture % STEPS]
        assert (np.abs(np.log2(factor)) <= FURTHEST_STEP / STEPS + 1e-6).all()


@pytest.mark.parametrize("shape", [(SMALLEST_SIDE - 1, 500), (1, 1), (3000, 1)])
def test_a_picture_that_is_too_narrow_has_no_extrema(shape):
    blurred, peaks = scale_space(noise(*shape))
    assert (len(blurred), len(peaks)) == (0, 0)
