"""Keypoints are where they were in mirrored and turned pictures, with the hashes that follow from their own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.copies.candidates import RADIUS_BITS
from features.keypoints.keypoints import (
    AREA,
    FADED_COSINES,
    KEYPOINT,
    MOST_KEYPOINTS,
    PLACE_UNIT,
    find_keypoints,
    frame_size,
    scale_space,
    shrunk_size,
)
from features.keypoints.orientations import (
    EXCHANGE,
    MATRICES,
    N_ORIENTATIONS,
    orientation_hypotheses,
    turned,
    upright,
)
from features.keypoints.patches import low_frequencies
from features.registration.affine import PARTNER_BITS
from tests.features.copies.sketched import grey_of, in_orientation, photo

TURNED = range(1, N_ORIENTATIONS)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def low_frequencies_slowly(image, column, row, half_side):
    """Read 16 x 16 places between four pixels each, and multiply with the transform from both sides."""
    steps = (np.arange(16) + 0.5) / 8 - 1
    patch = np.empty((16, 16))
    for i, y in enumerate(row + half_side * steps):
        for j, x in enumerate(column + half_side * steps):
            patch[i, j] = 0
            for at_y, at_x in np.ndindex(2, 2):
                near_y, near_x = int(np.floor(y)) + at_y, int(np.floor(x)) + at_x
                weight = (1 - abs(y - near_y)) * (1 - abs(x - near_x))
                inside = np.clip(near_y, 0, image.shape[0] - 1), np.clip(near_x, 0, image.shape[1] - 1)
                patch[i, j] += weight * image[inside]
    angles = np.arange(8)[:, None] * (np.arange(16) + 0.5) * np.pi / 16
    faded_cosines = np.cos(angles) * np.exp(-((steps / 0.7) ** 2) / 2)
    return faded_cosines @ patch @ faded_cosines.T


def rounds_slowly(extrema, shape):
    """The order in which the parts of a picture give their strongest extrema: eight each, then two at a time."""
    ranked = sorted(extrema, key=lambda extremum: -abs(extremum["strength"]))
    given_already, rounds = dict.fromkeys(np.ndindex(4, 4), 0), []
    for extremum in ranked:
        cell = int(4 * extremum["y"] / shape[0]), int(4 * extremum["x"] / shape[1])
        rounds.append(max(0, (given_already[cell] - 8) // 2 + 1))
        given_already[cell] += 1
    return [ranked[n] for n in sorted(range(len(ranked)), key=lambda n: rounds[n])]


def keypoint_slowly(extremum, blurred):
    """Hash and turn of one extremum, from its surroundings less their mean."""
    square = [(extremum["x"] - 0.5), (extremum["y"] - 0.5), 6.5 * extremum["blur"]] / extremum["pixel"]
    frequencies = low_frequencies_slowly(blurred[extremum["picture"]], *square)
    ones = low_frequencies_slowly(np.ones((2, 2)), 0, 0, 1)
    frequencies -= frequencies[0, 0] / ones[0, 0] * ones
    positive = frequencies > 0
    positive[0, 0] = extremum["strength"] > 0
    across, down = frequencies[0, 1], frequencies[1, 0]
    large, small = sorted([abs(across), abs(down)])[::-1]
    doubt = 0.08 * np.linalg.norm(frequencies)
    turn = [across < 0, down < 0, abs(down) > abs(across), large < doubt, small < doubt, large - small < doubt]
    return np.packbits(positive).view(">u8")[0], np.packbits(turn, bitorder="little")[0]


def nearest_twins(keypoints, others, orientation, size):
    """For each keypoint, the one that lies where it went when the picture was turned, and how far off, in blurs."""
    turned_size = size[::-1] if orientation & EXCHANGE else size
    place = (keypoints["place"] * PLACE_UNIT - size / 2) @ MATRICES[orientation].T + turned_size / 2
    off = np.linalg.norm(place[:, None] - others["place"] * PLACE_UNIT, axis=2)
    off /= 2.0 ** (keypoints["size"] / 32)[:, None]
    off += np.abs(keypoints["size"][:, None].astype(float) - others["size"]) / 32
    return off.argmin(axis=1), off.min(axis=1)


@settings(max_examples=40)
@given(
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.floats(-5, 35, width=32),
    st.floats(-5, 35, width=32),
    st.floats(1, 30, width=32),
)
def test_low_frequencies_are_those_of_the_square_cut_out(shape, column, row, half_side):
    image = noise(*shape).astype(np.float32)
    frequencies = low_frequencies(image, np.array([[column, row, half_side]], np.float32), FADED_COSINES)[0]
    np.testing.assert_allclose(frequencies, low_frequencies_slowly(image, column, row, half_side), atol=0.05)


def test_keypoints_are_the_strongest_extrema_of_every_part_of_the_picture():
    grey = grey_of(photo(0))
    keypoints, (blurred, extrema) = find_keypoints(grey), scale_space(grey.astype(np.float32))
    expected = rounds_slowly(extrema, grey.shape)[:MOST_KEYPOINTS]
    np.testing.assert_allclose(keypoints["place"] / 16, [[peak["x"], peak["y"]] for peak in expected], atol=1 / 32)
    np.testing.assert_allclose(keypoints["size"] / 32, [np.log2(peak["blur"]) for peak in expected], atol=1 / 64)
    hashes, turns = np.transpose([keypoint_slowly(peak, blurred) for peak in expected[::4]])
    assert (keypoints["hash"][::4] == hashes).mean() > 0.96
    assert (keypoints["turn"][::4] == turns).mean() > 0.96


def test_brightness_changes_no_hash():
    dark = grey_of(photo(0)) // 2
    keypoints, bright = find_keypoints(dark), find_keypoints(dark + 100)
    np.testing.assert_allclose(keypoints["place"].astype(int), bright["place"], atol=1)
    assert (keypoints["hash"] == bright["hash"]).mean() > 0.97


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("number", [0, 4])
def test_where_every_second_pixel_is_the_same_one_a_turned_picture_has_the_same_keypoints(number, orientation):
    size = np.array([16 * 22 + 1, 16 * 19 + 1])
    grey = np.asarray(photo(number).convert("L").resize(size))
    keypoints, others = find_keypoints(grey), find_keypoints(in_orientation(grey, orientation))
    twin, off = nearest_twins(keypoints, others, orientation, size)
    same_place = off < 0.1
    assert same_place.mean() > 0.98
    equal = turned(keypoints["hash"], orientation)[same_place] == others["hash"][twin][same_place]
    assert equal.mean() > 0.98


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("number", [0, 2, 3])
def test_any_turned_picture_has_nearly_the_same_keypoints(number, orientation):
    grey = grey_of(photo(number))
    keypoints, others = find_keypoints(grey), find_keypoints(in_orientation(grey, orientation))
    twin, off = nearest_twins(keypoints, others, orientation, np.array(grey.shape[::-1]))
    same_place = off < 0.5
    assert same_place.mean() > 0.9
    bits = np.bitwise_count(turned(keypoints["hash"], orientation) ^ others["hash"][twin])[same_place]
    assert (bits == 0).mean() > 0.6
    assert (bits <= RADIUS_BITS).mean() > 0.95
    assert (bits <= PARTNER_BITS).mean() > 0.98


@pytest.mark.parametrize("orientation", TURNED)
def test_a_turned_picture_is_found_by_the_upright_hashes_of_its_keypoints(orientation):
    grey = grey_of(photo(3))
    keypoints, others = find_keypoints(grey), find_keypoints(in_orientation(grey, orientation))
    keys = upright(keypoints["hash"], keypoints["turn"] % N_ORIENTATIONS)
    _, _, queries = orientation_hypotheses(others)
    nearest = np.bitwise_count(keys[:, None] ^ queries).min(axis=1)
    assert (nearest <= RADIUS_BITS).mean() > 0.88


def test_the_same_picture_gives_the_same_bytes():
    grey = grey_of(photo(4))
    first = find_keypoints(grey)
    assert first.tobytes() == find_keypoints(grey.copy()).tobytes()
    assert first.tobytes() == find_keypoints(np.asfortranarray(grey)).tobytes()
    assert first.dtype == KEYPOINT


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 5000), (5000, 1), (1, 200_000), (13, 7876), (7876, 13), (5, 9)])
@pytest.mark.parametrize("seed", [0, 1])
def test_any_shape_has_keypoints_or_none(shape, seed):
    grey = noise(*shape, seed)
    if grey.size > AREA:
        grey = np.ascontiguousarray(grey[:, : AREA // len(grey)])
    keypoints = find_keypoints(grey)
    width, height = frame_size(*grey.shape[::-1])
    assert len(keypoints) <= MOST_KEYPOINTS
    assert (keypoints["size"] > 0).all()
    assert (keypoints["place"] * PLACE_UNIT <= np.array([width, height]) + 1).all()


@pytest.mark.parametrize("shape", [(1, 1), (320, 320), (90, 100), (12, 4000)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_has_none(shape, level):
    assert len(find_keypoints(np.full(shape, level, np.uint8))) == 0


def test_a_picture_smaller_than_its_frame_has_the_keypoints_of_the_enlarged_one():
    grey = grey_of(photo(2))[::2, ::2]
    large = np.asarray(grey.repeat(2, axis=0).repeat(2, axis=1))
    keypoints, expected = find_keypoints(grey), find_keypoints(large)
    scale = np.array(frame_size(*grey.shape[::-1])) / large.shape[::-1]
    off = np.linalg.norm(keypoints["place"][:, None] / scale - expected["place"], axis=2).min(axis=1) * PLACE_UNIT
    assert (off < 1.5).mean() > 0.8


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_pictures_are_shrunk_to_their_frame_but_never_enlarged(width, height):
    size = shrunk_size(width, height)
    framed = frame_size(width, height)
    assert framed[0] * framed[1] == pytest.approx(AREA)
    assert framed[0] / framed[1] == pytest.approx(width / height)
    if width * height <= AREA:
        assert size == (width, height)
    else:
        np.testing.assert_allclose(size, framed, atol=0.51 if min(framed) > 1 else 1)
