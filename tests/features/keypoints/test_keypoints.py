"""Points are where they were in mirrored and turned pictures, with the hashes that follow from their own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.copies.candidates import RADIUS_BITS
from features.keypoints.kernels.patches import low_frequencies
from features.keypoints.keypoints import (
    AREA,
    FADED_COSINES,
    MOST_POINTS,
    PLACE_UNIT,
    POINT,
    find_points,
    frame_size,
    readings,
    shrunk_size,
    upright,
)
from features.keypoints.orientations import AFTER, COUNT, EXCHANGE, MATRICES, UPRIGHT, turned
from features.keypoints.scale_space import scale_space
from features.registration.alignment import PARTNER_BITS
from tests.features.copies.sketched import grey_of, in_orientation, photo

TURNED = range(1, COUNT)


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


def rounds_slowly(spots, shape):
    """The order in which the parts of a picture give their strongest spots: eight each, then two at a time."""
    ranked = sorted(spots, key=lambda spot: -abs(spot["strength"]))
    given_already, rounds = dict.fromkeys(np.ndindex(4, 4), 0), []
    for spot in ranked:
        cell = int(4 * spot["y"] / shape[0]), int(4 * spot["x"] / shape[1])
        rounds.append(max(0, (given_already[cell] - 8) // 2 + 1))
        given_already[cell] += 1
    return [ranked[n] for n in sorted(range(len(ranked)), key=lambda n: rounds[n])]


def point_slowly(spot, blurred):
    """Hash and turn of one spot, from its surroundings less their mean."""
    square = [(spot["x"] - 0.5), (spot["y"] - 0.5), 6.5 * spot["blur"]] / spot["pixel"]
    found = low_frequencies_slowly(blurred[spot["picture"]], *square)
    ones = low_frequencies_slowly(np.ones((2, 2)), 0, 0, 1)
    found -= found[0, 0] / ones[0, 0] * ones
    positive = found > 0
    positive[0, 0] = spot["strength"] > 0
    across, down = found[0, 1], found[1, 0]
    large, small = sorted([abs(across), abs(down)])[::-1]
    doubt = 0.08 * np.linalg.norm(found)
    turn = [across < 0, down < 0, abs(down) > abs(across), large < doubt, small < doubt, large - small < doubt]
    return np.packbits(positive).view(">u8")[0], np.packbits(turn, bitorder="little")[0]


def nearest_twins(points, others, orientation, size):
    """For each point, the one that lies where it went when the picture was turned, and how far off, in blurs."""
    turned_size = size[::-1] if orientation & EXCHANGE else size
    place = (points["place"] * PLACE_UNIT - size / 2) @ MATRICES[orientation].T + turned_size / 2
    off = np.linalg.norm(place[:, None] - others["place"] * PLACE_UNIT, axis=2)
    off /= 2.0 ** (points["size"] / 32)[:, None]
    off += np.abs(points["size"][:, None].astype(float) - others["size"]) / 32
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
    found = low_frequencies(image, np.array([[column, row, half_side]], np.float32), FADED_COSINES)[0]
    np.testing.assert_allclose(found, low_frequencies_slowly(image, column, row, half_side), atol=0.05)


def test_points_are_the_strongest_spots_of_every_part_of_the_picture():
    grey = grey_of(photo(0))
    points, (blurred, spots) = find_points(grey), scale_space(grey.astype(np.float32))
    expected = rounds_slowly(spots, grey.shape)[:MOST_POINTS]
    np.testing.assert_allclose(points["place"] / 16, [[spot["x"], spot["y"]] for spot in expected], atol=1 / 32)
    np.testing.assert_allclose(points["size"] / 32, [np.log2(spot["blur"]) for spot in expected], atol=1 / 64)
    hashes, turns = np.transpose([point_slowly(spot, blurred) for spot in expected[::4]])
    assert (points["hash"][::4] == hashes).mean() > 0.96
    assert (points["turn"][::4] == turns).mean() > 0.96


def test_brightness_changes_no_hash():
    dark = grey_of(photo(0)) // 2
    points, bright = find_points(dark), find_points(dark + 100)
    np.testing.assert_allclose(points["place"].astype(int), bright["place"], atol=1)
    assert (points["hash"] == bright["hash"]).mean() > 0.97


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("number", [0, 4])
def test_where_every_second_pixel_is_the_same_one_a_turned_picture_has_the_same_points(number, orientation):
    size = np.array([16 * 22 + 1, 16 * 19 + 1])
    grey = np.asarray(photo(number).convert("L").resize(size))
    points, others = find_points(grey), find_points(in_orientation(grey, orientation))
    twin, off = nearest_twins(points, others, orientation, size)
    same_place = off < 0.1
    assert same_place.mean() > 0.98
    equal = turned(points["hash"], orientation)[same_place] == others["hash"][twin][same_place]
    assert equal.mean() > 0.98


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("number", [0, 2, 3])
def test_any_turned_picture_has_nearly_the_same_points(number, orientation):
    grey = grey_of(photo(number))
    points, others = find_points(grey), find_points(in_orientation(grey, orientation))
    twin, off = nearest_twins(points, others, orientation, np.array(grey.shape[::-1]))
    same_place = off < 0.5
    assert same_place.mean() > 0.9
    bits = np.bitwise_count(turned(points["hash"], orientation) ^ others["hash"][twin])[same_place]
    assert (bits == 0).mean() > 0.6
    assert (bits <= RADIUS_BITS).mean() > 0.95
    assert (bits <= PARTNER_BITS).mean() > 0.98


@pytest.mark.parametrize("orientation", TURNED)
def test_a_turned_picture_is_found_by_the_upright_hashes_of_its_points(orientation):
    grey = grey_of(photo(3))
    points, others = find_points(grey), find_points(in_orientation(grey, orientation))
    keys = upright(points["hash"], points["turn"] % COUNT)
    _, _, asked = readings(others)
    nearest = np.bitwise_count(keys[:, None] ^ asked).min(axis=1)
    assert (nearest <= RADIUS_BITS).mean() > 0.88


def test_the_same_picture_gives_the_same_bytes():
    grey = grey_of(photo(4))
    first = find_points(grey)
    assert first.tobytes() == find_points(grey.copy()).tobytes()
    assert first.tobytes() == find_points(np.asfortranarray(grey)).tobytes()
    assert first.dtype == POINT


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 5000), (5000, 1), (1, 200_000), (13, 7876), (7876, 13), (5, 9)])
@pytest.mark.parametrize("seed", [0, 1])
def test_any_shape_has_points_or_none(shape, seed):
    grey = noise(*shape, seed)
    if grey.size > AREA:
        grey = np.ascontiguousarray(grey[:, : AREA // len(grey)])
    points = find_points(grey)
    width, height = frame_size(*grey.shape[::-1])
    assert len(points) <= MOST_POINTS
    assert (points["size"] > 0).all()
    assert (points["place"] * PLACE_UNIT <= np.array([width, height]) + 1).all()


@pytest.mark.parametrize("shape", [(1, 1), (320, 320), (90, 100), (12, 4000)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_has_none(shape, level):
    assert len(find_points(np.full(shape, level, np.uint8))) == 0


def test_a_picture_smaller_than_its_frame_has_the_points_of_the_enlarged_one():
    grey = grey_of(photo(2))[::2, ::2]
    large = np.asarray(grey.repeat(2, axis=0).repeat(2, axis=1))
    points, expected = find_points(grey), find_points(large)
    scale = np.array(frame_size(*grey.shape[::-1])) / large.shape[::-1]
    off = np.linalg.norm(points["place"][:, None] / scale - expected["place"], axis=2).min(axis=1) * PLACE_UNIT
    assert (off < 1.5).mean() > 0.8


@given(arrays(np.uint64, st.integers(0, 6)), st.data())
def test_the_readings_of_a_point_begin_with_the_surest(hashes, data):
    points = np.zeros(len(hashes), POINT)
    points["hash"] = hashes
    points["turn"] = data.draw(arrays(np.uint8, len(hashes), elements=st.integers(0, 63)))
    number, orientation, found = readings(points)
    expected = [
        (place, AFTER[change, turn % COUNT])
        for place, turn in enumerate(points["turn"])
        for change in range(COUNT)
        if change | turn // COUNT == turn // COUNT
    ]
    np.testing.assert_array_equal(np.column_stack([number, orientation]), np.array(expected).reshape(-1, 2))
    first = np.flatnonzero(np.diff(number, prepend=-1))
    np.testing.assert_array_equal(orientation[first], points["turn"] % COUNT)
    np.testing.assert_array_equal(found[first], upright(points["hash"], points["turn"] % COUNT))
    np.testing.assert_array_equal(found, upright(hashes[number], orientation))


@given(arrays(np.uint64, st.integers(0, 9)), st.data())
def test_each_hash_is_brought_upright_by_its_own_orientation(hashes, data):
    orientations = data.draw(arrays(np.uint8, len(hashes), elements=st.integers(0, 7)))
    expected = [turned(hashes[i : i + 1], int(way))[0] for i, way in enumerate(orientations)]
    np.testing.assert_array_equal(upright(hashes, orientations), np.array(expected, np.uint64))
    np.testing.assert_array_equal(upright(hashes, np.full(len(hashes), UPRIGHT, np.uint8)), hashes)


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
