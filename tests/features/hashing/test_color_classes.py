"""Grey levels and color classes by whole numbers are those that Pillow and ImageHash come to in floating point."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from features.hashing.color_classes import BETWEEN, BLACK, BRIGHT, FAINT, GREY, classify, read_colors
from tests.full_run import FULL

REDS = range(256) if FULL else (0, 1, 31, 57, 85, 128, 171, 254, 255)
HUE_EDGES = np.linspace(0, 255, 7)[1:-1]


def packed(red, green, blue):
    return (red | green << 8 | blue << 16).astype(np.uint32)


def classes_by_imagehash(image):
    """Return what ImageHash's masks make of each pixel."""
    hue, saturation, _ = (np.asarray(band) for band in image.convert("HSV").split())
    sixth = np.searchsorted(HUE_EDGES, hue, side="right")
    classes = np.where(saturation < 170, FAINT + sixth, BRIGHT + sixth)
    classes[saturation == 170] = BETWEEN
    classes[saturation < 85] = GREY
    classes[np.asarray(image.convert("L")) < 32] = BLACK
    return classes


@pytest.mark.parametrize("red", REDS)
def test_every_green_and_blue_with_this_red_has_its_class_and_level(red):
    green, blue = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    channels = np.stack([np.full_like(green, red), green, blue], axis=-1).astype(np.uint8)
    image = Image.fromarray(channels)
    levels, classes = np.empty(green.size, np.uint8), np.empty(green.size, np.uint8)
    classify(packed(red, green, blue).ravel(), levels, classes)
    np.testing.assert_array_equal(levels.reshape(256, 256), np.asarray(image.convert("L")))
    np.testing.assert_array_equal(classes.reshape(256, 256), classes_by_imagehash(image))


def test_classes_are_counted_over_all_rows():
    colors = np.random.default_rng(1).integers(0, 1 << 24, (57, 83), dtype=np.uint32)
    levels, counts = np.empty(colors.shape, np.uint8), np.zeros(14, np.int64)
    read_colors(colors, levels, counts)
    classes = np.empty(colors.size, np.uint8)
    classify(colors.ravel(), levels.ravel(), classes)
    np.testing.assert_array_equal(counts, np.bincount(classes, minlength=BETWEEN + 1)[:BETWEEN])


def test_the_fourth_byte_of_a_pixel_means_nothing():
    colors = np.random.default_rng(2).integers(0, 1 << 24, 500, dtype=np.uint32)
    results = []
    for pixels in (colors, colors | 0xFF000000):
        levels, classes = np.empty(500, np.uint8), np.empty(500, np.uint8)
        classify(pixels, levels, classes)
        results.append((levels.tobytes(), classes.tobytes()))
    assert results[0] == results[1]
