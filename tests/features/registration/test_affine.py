"""Points tell how one picture lies in another, however it was moved, and how sure that is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.keypoints.keypoints import KEYPOINT
from features.keypoints.orientations import MATRICES, N_ORIENTATIONS, UPRIGHT, turned
from features.registration.affine import (
    LOG_SIZES,
    PARTNER_BITS,
    PARTNER_PIXELS,
    Keypoints,
    align,
    geometry,
    invert,
    keypoints_of,
)
from features.registration.affine_fit import partners

FRAME = np.array([360.0, 280.0])
ROUGHLY = np.array([[0.0, 0.0, 6.0], [0.0, 0.0, -4.0]])
NOWHERE = np.column_stack([np.eye(2), [5000.0, 5000.0]])


def random_keypoints(count, seed=0):
    rng = np.random.default_rng(seed)
    at = np.column_stack([rng.uniform(0, 1, (count, 2)) * FRAME, rng.uniform(0.6, 4.0, count)])
    return Keypoints(at, rng.integers(0, 1 << 63, count, dtype=np.uint64), FRAME)


def moved_spots(reference, transform, orientation, *, noise_pixels=0.0, seed=1):
    """What another picture shows of these points: those that fall into its frame."""
    at = reference.geometry.copy()
    at[:, :2] = at[:, :2] @ transform[:, :2].T + transform[:, 2]
    at[:, :2] += np.random.default_rng(seed).normal(0, noise_pixels, (len(at), 2))
    at[:, 2] += 0.5 * math.log(abs(np.linalg.det(transform[:, :2])))
    inside = ((at[:, :2] > 0) & (at[:, :2] < FRAME)).all(axis=1)
    return Keypoints(at[inside], turned(reference.hash, orientation)[inside], FRAME)


def transform_by(scale, degrees, orientation=UPRIGHT, stretch=1.0):
    """Enlarge, turn and stretch around the middle of the frame."""
    angle = math.radians(degrees)
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shape = scale * rotation @ np.diag([stretch, 1.0]) @ MATRICES[orientation]
    return np.column_stack([shape, FRAME / 2 - shape @ FRAME / 2])


@pytest.mark.parametrize("orientation", range(N_ORIENTATIONS))
@pytest.mark.parametrize(("scale", "degrees", "stretch"), [(1.0, 0.0, 1.0), (1.4, 3.0, 1.0), (0.8, -6.0, 1.08)])
def test_the_true_place_is_found_from_a_rough_guess(orientation, scale, degrees, stretch):
    reference, transform = random_keypoints(120), transform_by(scale, degrees, orientation, stretch)
    query = moved_spots(reference, transform, orientation, noise_pixels=0.5)
    guess = transform_by(scale * 1.05, 0.0, orientation) + ROUGHLY
    found = align(query, reference, guess, orientation)
    corners = np.array([[0, 0], [360, 0], [0, 280], [360, 280]])
    off = corners @ (found.transform - transform)[:, :2].T + (found.transform - transform)[:, 2]
    assert np.linalg.norm(off, axis=1).max() < 1.0
    assert found.matches >= 0.98 * len(query.geometry)
    assert found.repeated > 0.9
    assert found.bits == 0
    assert found.off_pixels < 1.0


def test_points_that_only_one_picture_has_lessen_what_is_repeated():
    reference = random_keypoints(100)
    # Copied, as kernels are compiled for arrays without gaps.
    half = Keypoints(reference.geometry[::2].copy(), reference.hash[::2].copy(), FRAME)
    more = Keypoints(*map(np.concatenate, zip(half[:2], random_keypoints(50, seed=7)[:2], strict=True)), FRAME)
    same = np.column_stack([np.eye(2), np.zeros(2)])
    assert align(half, reference, same, UPRIGHT).repeated > 0.95
    assert align(more, reference, same, UPRIGHT).repeated == pytest.approx(0.5, abs=0.07)


def test_points_too_small_or_too_large_to_be_found_in_the_other_picture_are_not_missed():
    for scale in (0.3, 3.0):
        reference = random_keypoints(300)
        query = moved_spots(reference, transform_by(scale, 0.0), UPRIGHT)
        visible = (query.geometry[:, 2] > LOG_SIZES[0]) & (query.geometry[:, 2] < LOG_SIZES[1])
        assert visible.mean() < 0.75
        others = random_keypoints(900, seed=2)
        shown = Keypoints(
            np.concatenate([query.geometry[visible], others.geometry]),
            np.concatenate([query.hash[visible], others.hash]),
            FRAME,
        )
        assert align(shown, reference, transform_by(scale, 0.0), UPRIGHT).repeated > 0.97


def test_the_other_way_round_it_is_the_inverse():
    reference, transform = random_keypoints(120), transform_by(1.2, 2.0)
    query = moved_spots(reference, transform, UPRIGHT)
    there, back = align(query, reference, transform, UPRIGHT), align(reference, query, invert(transform), UPRIGHT)
    assert there.matches == back.matches
    np.testing.assert_allclose(invert(there.transform), back.transform, atol=0.3)


def test_where_nothing_matches_the_guess_stays():
    found = align(random_keypoints(30), random_keypoints(30, seed=1), NOWHERE, UPRIGHT)
    assert found[1:] == (0, 0.0, PARTNER_BITS, PARTNER_PIXELS[-1])
    np.testing.assert_array_equal(found.transform, NOWHERE)


@pytest.mark.parametrize("counts", [(0, 0), (0, 5), (5, 0), (1, 1)])
def test_pictures_with_hardly_a_point_are_laid_as_guessed(counts):
    query, reference = (random_keypoints(count) for count in counts)
    same = np.column_stack([np.eye(2), np.zeros(2)])
    found = align(query, reference, same, UPRIGHT)
    assert found.matches == min(counts)
    np.testing.assert_array_equal(found.transform, same)


def test_two_matches_do_not_shear_a_picture():
    reference = random_keypoints(2)
    reference.geometry[:, 1] = [50, 52]
    query = moved_spots(reference, transform_by(1.0, 0.0), UPRIGHT, noise_pixels=2.0)
    shape = align(query, reference, transform_by(1.0, 0.0), UPRIGHT).transform[:, :2]
    np.testing.assert_allclose(shape, np.eye(2), atol=0.1)


@given(st.floats(0.3, 3), st.floats(-180, 180), st.sampled_from(range(N_ORIENTATIONS)), st.floats(0.5, 2))
def test_there_and_back_is_where_one_was(scale, degrees, orientation, stretch):
    transform = transform_by(scale, degrees, orientation, stretch)
    back = invert(transform)
    np.testing.assert_allclose(back[:, :2] @ transform[:, :2], np.eye(2), atol=1e-9)
    np.testing.assert_allclose(back[:, :2] @ transform[:, 2] + back[:, 2], 0, atol=1e-6)


def test_from_a_single_place_there_is_no_way_back():
    np.testing.assert_array_equal(invert(np.array([[0.0, 0.0, 7.0], [0.0, 0.0, 9.0]])), np.zeros((2, 3)))


def test_empty_points_are_left_out_and_units_are_pixels():
    points = np.zeros(4, KEYPOINT)
    points["place"][1], points["size"][1], points["hash"][1] = (32, 160), 64, 5
    keypoints = keypoints_of(points, 640, 480)
    np.testing.assert_allclose(keypoints.geometry, [[2.0, 10.0, math.log(4.0)]])
    assert keypoints.hash.tolist() == [5]
    assert keypoints.frame[0] / keypoints.frame[1] == pytest.approx(640 / 480)
    np.testing.assert_array_equal(geometry(points)[1], keypoints.geometry[0])


@settings(max_examples=60)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 1000))
def test_partners_are_near_alike_and_nobody_elses(query_count, reference_count, seed):
    rng = np.random.default_rng(seed)
    query, reference = (rng.uniform(0, [20, 20, 1], (count, 3)) for count in (query_count, reference_count))
    query_hash, reference_hash = (
        rng.integers(0, 1 << 6, count, dtype=np.uint64) for count in (query_count, reference_count)
    )
    near, most_bits = np.array([0.5, 12.0]), 3
    off = np.linalg.norm(query[:, None, :2] - reference[None, :, :2], axis=2)
    bits = np.bitwise_count(query_hash[:, None] ^ reference_hash).astype(int)
    bits[(off > near[1]) | (np.abs(query[:, None, 2] - reference[:, 2]) > near[0]) | (bits > most_bits)] = 99
    chosen = [int(row.argmin()) if reference_count and row.min() <= most_bits else -1 for row in bits]
    expected = [
        reference_point
        if reference_point >= 0
        and point
        == min(
            (bits[rival, reference_point], rival) for rival in range(query_count) if chosen[rival] == reference_point
        )[1]
        else -1
        for point, reference_point in enumerate(chosen)
    ]
    assert partners(query, query_hash, reference, reference_hash, near, most_bits).tolist() == expected
