"""A copy is laid where it was cut out, and what is measured there tells it from another photo."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from features.copies.candidates import PointIndex, details_of, keys_of
from features.hamming.hamming_index import Index
from features.keypoints.orientations import UPRIGHT
from features.registration.registration import OVERLAY, View, overlay, upright_guess
from tests.features.copies.sketched import photo, sketch_of, view_of

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
TRANSPOSES = (None, *Image.Transpose)


def cut(image, box, transpose=None, scale=1.0):
    """Cut a box (in shares of the sides) out, scale and turn it; return it and where its corners lie in the picture."""
    sides = np.array([*image.size, *image.size])
    pixels = np.round(np.array(box) * sides).astype(int)
    part = image.crop(pixels.tolist())
    part = part.resize([round(side * scale) for side in part.size], Image.Resampling.LANCZOS)
    left, top, right, bottom = pixels / sides
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
    if transpose is None:
        return part, corners
    numbers = Image.fromarray(np.array([[0, 1], [2, 3]], np.uint8)).transpose(transpose)
    return part.transpose(transpose), corners[np.asarray(numbers).ravel()]


def best_overlay(copy, original):
    """As a search would lay them."""
    query, reference = sketch_of(copy), sketch_of(original)
    points = reference.keypoints[None]
    votes = PointIndex(Index.of_keys(*keys_of(points, 0)), (details_of(points),)).candidates(query.keypoints[None])
    views = View.of(query, *copy.size), View.of(reference, *original.size)
    return overlay(*views, votes.guess[0], int(votes.orientation[0]))


def places(transform, at):
    return at @ transform[:, :2].T + transform[:, 2]


@pytest.mark.parametrize("transpose", TRANSPOSES)
@pytest.mark.parametrize("number", [0, 1])
def test_a_turned_part_is_laid_where_it_was_cut_out(number, transpose):
    copy, corners = cut(photo(number), (0.15, 0.1, 0.95, 0.85), transpose)
    found = best_overlay(copy, photo(number))
    # The copy's corners in the reference picture are led to the corners of the copy.
    np.testing.assert_allclose(places(found["transform"], corners), CORNERS, atol=0.02)
    np.testing.assert_allclose(found["box"], [0.15, 0.1, 0.95, 0.85], atol=0.02)
    assert found["matches"] > 30
    assert found["repeated"] > 0.5
    assert found["agreeing"] > 0.9 * found["textured"]
    assert found["common_reference"] == pytest.approx(0.6, abs=0.03)
    assert found["common_query"] > 0.97


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7])
@pytest.mark.parametrize("box", [(0.0, 0.0, 1.0, 1.0), (0.3, 0.2, 0.85, 0.8)])
def test_size_does_not_matter(scale, box):
    copy, corners = cut(photo(4), box, scale=scale)
    found = best_overlay(copy, photo(4))
    np.testing.assert_allclose(places(found["transform"], corners), CORNERS, atol=0.02)
    assert found["agreeing"] > 0.85 * found["textured"]


def test_a_picture_inside_another_is_found_there():
    canvas = Image.new("RGB", (700, 900), (240, 240, 240))
    shown, _ = cut(photo(6), (0.0, 0.0, 1.0, 1.0), scale=0.8)
    canvas.paste(shown, (90, 200))
    found = best_overlay(canvas, photo(6))
    at = CORNERS * shown.size + [90, 200]
    np.testing.assert_allclose(places(found["transform"], CORNERS) * canvas.size, at, atol=0.02 * 900)
    assert found["common_reference"] == 1.0
    assert found["common_query"] == pytest.approx(shown.width * shown.height / (700 * 900), abs=0.03)


@pytest.mark.parametrize("number", range(6))
def test_two_photos_have_little_in_common(number):
    query, reference = view_of(photo(number)), view_of(photo(number + 1))
    found = overlay(query, reference, upright_guess(query, reference), UPRIGHT)
    assert found["matches"] <= 5
    assert found["repeated"] < 0.1
    assert found["agreeing"] <= 0.2 * found["textured"]
    assert found["low"] <= found["middle"] < 0.6


def test_a_picture_lies_on_itself_from_side_to_side():
    view = view_of(photo(3))
    found = overlay(view, view, upright_guess(view, view), UPRIGHT)
    np.testing.assert_allclose(found["transform"], [[1, 0, 0], [0, 1, 0]], atol=1e-9)
    assert found["matches"] == len(view.keypoints.geometry)
    assert (found["repeated"], found["bits"], found["off_pixels"]) == (1.0, 0.0, pytest.approx(0.0, abs=1e-6))
    assert found["textured"] == found["agreeing"]
    assert (found["common_query"], found["common_reference"]) == (1.0, 1.0)


def test_the_summary_is_that_of_the_blocks():
    found = best_overlay(cut(photo(5), (0.1, 0.0, 0.8, 0.9))[0], photo(5))
    told = found["correlation"][~np.isnan(found["correlation"])]
    counted = np.clip(told, 0, 1)
    assert found["textured"] == told.size
    assert found["agreeing"] == (told > 0.6).sum()
    assert [found["mean"], found["middle"], found["low"]] == pytest.approx(
        [counted.mean(), np.median(counted), np.quantile(counted, 0.25)]
    )


def test_pictures_without_points_or_texture_can_be_laid_over_each_other():
    flat = Image.new("RGB", (400, 300), (120, 130, 140))
    for pair in ((flat, flat), (flat, photo(0)), (photo(0), flat)):
        query, reference = map(view_of, pair)
        found = overlay(query, reference, upright_guess(query, reference), UPRIGHT)
        assert (found["matches"], found["textured"], found["agreeing"]) == (0, 0, 0)
        assert (found["repeated"], found["mean"], found["low"]) == (0.0, 0.0, 0.0)
        assert found.dtype == OVERLAY


def test_without_points_one_frame_is_guessed_to_fill_the_other():
    sketch = sketch_of(photo(0))
    wide, tall = View.of(sketch, 400, 100), View.of(sketch, 100, 400)
    guess = upright_guess(wide, tall)
    np.testing.assert_allclose(guess @ [*tall.keypoints.frame, 1], wide.keypoints.frame)
    np.testing.assert_array_equal(guess @ [0, 0, 1], [0, 0])
