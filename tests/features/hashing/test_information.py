"""Empty pictures lie below the line, photographs above it."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from data.images.decode import Picture, decode
from data.settings import DecodeSettings
from features.facts import LOW_INFORMATION
from features.hashing.fingerprint import fingerprint

SIZE = (640, 480)
ACROSS, DOWN = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))


def information(image):
    return fingerprint(image).information


def from_levels(levels):
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


def with_text(text, size):
    image = Image.new("L", SIZE, 230)
    ImageDraw.Draw(image).text((320, 240), text, fill=120, anchor="mm", font=ImageFont.load_default(size))
    return image


def noise(deviation):
    return from_levels(np.random.default_rng(0).normal(128, deviation, SIZE[::-1]))


EMPTY = {
    "flat": Image.new("RGB", SIZE, (90, 140, 200)),
    "faint noise": noise(3),
    "strong noise": noise(12),
    "slope": from_levels(ACROSS * 255 / SIZE[0]),
    "slanting slope": from_levels((ACROSS + DOWN) * 255 / sum(SIZE)),
    "light in the middle": from_levels(255 - np.hypot(ACROSS - 320, DOWN - 240) * 0.4),
    "two halves": from_levels(np.where(ACROSS < 320, 40, 200)),
    "small line of text": with_text("No image", 24),
    "one pixel": Image.new("L", (1, 1), 77),
}


@pytest.mark.parametrize("name", EMPTY)
def test_empty_pictures_lie_below_the_line(name):
    assert 0 <= information(EMPTY[name]) < LOW_INFORMATION


def test_a_flat_picture_holds_nothing():
    assert information(Image.new("L", SIZE, 200)) == 0.0


def test_photos_lie_above_the_line(shared):
    photos = sorted(path for path in (shared / "photos").rglob("*") if path.suffix in {".jpg", ".png"})
    turntable = [path for path in photos if "spin360" in str(path)]
    for path in random.Random(5).sample(photos, 60) + random.Random(5).sample(turntable, 20):
        picture = decode(path.read_bytes(), DecodeSettings())
        assert isinstance(picture, Picture)
        assert information(picture.image) > 2 * LOW_INFORMATION, path.name


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 256))
def test_information_is_between_nothing_and_one_number_a_pixel(seed, levels):
    image = from_levels(np.random.default_rng(seed).integers(0, levels, (64, 64)))
    assert 0 <= information(image) <= np.log2(63 * 63)


def test_turning_and_mirroring_hardly_change_it():
    image = with_text("WALNUT TABLE", 70)
    turned = [image.transpose(turn) for turn in Image.Transpose]
    assert [information(other) for other in turned] == pytest.approx([information(image)] * len(turned), rel=0.1)
