"""What thumbnails tell beside the place: light, hidden blocks, seams, and what stands around."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from features.registration.registration import OVERLAY
from features.registration.thumbnail_comparison import DIFFERENCES, PAIRS_AT_ONCE, _read, differences

SIDE = 128


def scene(seed: int, low: int = 60, high: int = 180) -> np.ndarray:
    """A soft picture without an edge, of middling levels."""
    keypoints = np.random.default_rng(seed).integers(low, high, (14, 14), dtype=np.uint8)
    return np.asarray(Image.fromarray(keypoints).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def whole(count: int = 1) -> np.ndarray:
    """Pairs that agree from side to side."""
    made = np.zeros(count, OVERLAY)
    made["matches"], made["textured"], made["agreeing"] = 50, 64, 64
    made["transform"], made["box"], made["correlation"] = np.eye(2, 3), (0, 0, 1, 1), 1
    return made


def compared(overlays: np.ndarray, query: np.ndarray, reference: np.ndarray) -> np.void:
    return differences(overlays, query[None], reference[None])[0]


def test_a_picture_and_itself_do_not_differ():
    found = compared(whole(), scene(1), scene(1))
    assert (found["lightness"], found["contrast"], found["hidden"].any()) == (0, 0, False)


@pytest.mark.parametrize(("gain", "lift"), [(1.0, 20), (0.7, 0), (1.2, -30)])
def test_another_tone_is_measured_and_hides_nothing(gain, lift):
    reference = scene(2)
    query = np.clip(reference * gain + lift, 0, 255).astype(np.uint8)
    found = compared(whole(), query, reference)
    assert found["lightness"] == pytest.approx(query.mean() - reference.mean(), abs=1)
    assert found["contrast"] == pytest.approx(np.log(gain), abs=0.02)
    assert not found["hidden"].any()


def test_a_sticker_hides_the_blocks_below_it_and_no_others():
    reference, overlays = scene(3), whole()
    query = reference.copy()
    query[32:80, 48:96] = 250
    overlays["correlation"][0, 2:5, 3:6] = np.nan
    expected = np.zeros((8, 8), np.bool_)
    expected[2:5, 3:6] = True
    np.testing.assert_array_equal(compared(overlays, query, reference)["hidden"], expected)


def framed(inner: np.ndarray, around: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay a picture of half the size into the middle of another; also return the overlay."""
    sheet = around.copy()
    sheet[32:96, 32:96] = np.asarray(Image.fromarray(inner).resize((64, 64), Image.Resampling.BOX))
    overlays = whole()
    overlays["transform"] = [[0.5, 0, 0.25], [0, 0.5, 0.25]]
    return sheet, overlays


def test_a_border_is_all_seam_and_not_busy():
    sheet, overlays = framed(scene(4), np.full((SIDE, SIDE), 240, np.uint8))
    found = compared(overlays, sheet, scene(4))
    assert (found["seam_query"] > 0.9).all()
    assert not found["seam_reference"].any()
    assert (found["busy_query"], found["busy_reference"]) == (0, 0)


def test_other_photos_around_are_busy():
    sheet, overlays = framed(scene(5), np.random.default_rng(5).integers(0, 255, (SIDE, SIDE), dtype=np.uint8))
    assert compared(overlays, sheet, scene(5))["busy_query"] > 0.9


def test_a_photo_that_goes_on_has_no_seam():
    outer, overlays = scene(6), whole()
    inner = np.asarray(Image.fromarray(outer[32:96, 32:96]).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    overlays["transform"] = [[0.5, 0, 0.25], [0, 0.5, 0.25]]
    assert (compared(overlays, outer, inner)["seam_query"] < 0.35).all()


def test_pairs_whose_place_is_not_told_are_left_blank():
    pictures = np.stack([scene(7), scene(8)])
    found = differences(np.zeros(2, OVERLAY), pictures, pictures[::-1])
    np.testing.assert_array_equal(found, np.zeros(2, DIFFERENCES))


def test_many_pairs_are_compared_as_each_alone():
    count = PAIRS_AT_ONCE + 3
    query, reference = (np.stack([scene(seed + first) for seed in range(count)]) for first in (0, 1))
    found = differences(whole(count), query, reference)
    alone = [compared(whole(), *pair) for pair in zip(query, reference, strict=True)]
    np.testing.assert_array_equal(found, np.array(alone, DIFFERENCES))


@given(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2))
def test_reading_between_pixels_weighs_the_four_around(x, y):
    picture = np.random.default_rng(9).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    read = _read(picture[None], np.array([[[x, y]]]))[0, 0]
    if not (0 <= x <= 1 and 0 <= y <= 1):
        assert np.isnan(read)
        return
    column, row = np.clip([x * SIDE - 0.5, y * SIDE - 0.5], 0, SIDE - 1)
    across = [np.interp(column, np.arange(SIDE), line) for line in picture]
    assert read == pytest.approx(np.interp(row, np.arange(SIDE), across))
