"""Our hashes are ImageHash's, bit for bit, on pictures made to be awkward."""

from __future__ import annotations

import imagehash
import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from features.facts import HASH_KINDS
from features.hashing.fingerprint import RECIPE, fingerprint, fingerprint_and_descriptor
from features.hashing.hex_digits import to_hex
from features.keypoints.descriptor import DESCRIPTOR_VERSION
from tests.features.hashing.imagehash_oracle import printed_hashes

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "RGBX", "I", "F", "I;16", "PA", "RGBa")
BY_WAY_OF = {"I;16": "I", "PA": "P", "RGBa": "RGBA"}
SIZES = ((1, 1), (1, 9), (7, 3), (8, 8), (9, 15), (16, 16), (33, 64), (127, 129), (255, 31), (300, 900), (900, 300))


def our_hashes(image):
    result = fingerprint(image)
    return {kind: to_hex(kind, getattr(result, kind)) for kind in HASH_KINDS}


def noise(size, seed):
    levels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(levels)


def painting(size, seed):
    """Soft blobs of color: neither noise nor flat."""
    return noise(size, seed).filter(ImageFilter.GaussianBlur(max(1, min(size) // 8)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("draw", [noise, painting])
def test_any_size_hashes_as_imagehash_does(draw, size):
    image = draw(size, seed=sum(size))
    assert our_hashes(image) == printed_hashes(image)


@pytest.mark.parametrize("mode", MODES)
def test_any_mode_hashes_as_imagehash_does(mode):
    image = painting((131, 97), seed=7).convert(BY_WAY_OF.get(mode, "RGB")).convert(mode)
    assert our_hashes(image) == printed_hashes(image)


@pytest.mark.parametrize("color", ["black", "white", "grey", "red", (31, 31, 31), (32, 32, 32), (255, 170, 85)])
def test_flat_pictures_hash_as_imagehash_does(color):
    image = Image.new("RGB", (200, 150), color)
    assert our_hashes(image) == printed_hashes(image)


@pytest.mark.parametrize("background", [0, 255])
@pytest.mark.parametrize("inset", range(10, 50, 5))
def test_ties_of_the_wavelet_hash_fall_as_in_imagehash(background, inset):
    image = Image.new("RGB", (160, 130), (background,) * 3)
    image.paste(painting((160 - 2 * inset, 130 - 2 * inset), seed=inset), (inset, inset))
    assert our_hashes(image) == printed_hashes(image)


def test_every_hue_and_saturation_falls_into_its_class():
    hue, saturation = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    for value in (20, 33, 128, 255):
        bands = np.stack([hue, saturation, np.full_like(hue, value)], axis=-1)
        image = Image.fromarray(bands)
        hsv = Image.merge("HSV", image.split())
        assert our_hashes(hsv)["colorhash"] == printed_hashes(hsv)["colorhash"]


@pytest.mark.parametrize("saturation", [84, 85, 86, 169, 170, 171])
@pytest.mark.parametrize("hue", [0, 42, 43, 84, 85, 127, 128, 169, 170, 212, 213, 255])
def test_colors_on_the_edge_of_a_class_hash_as_imagehash_does(hue, saturation):
    image = Image.new("HSV", (16, 16), (hue, saturation, 200))
    assert our_hashes(image)["colorhash"] == printed_hashes(image)["colorhash"]


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 80),
    height=st.integers(1, 80),
    levels=st.integers(1, 256),
    mode=st.sampled_from(MODES[:8]),
    seed=st.integers(0, 2**32 - 1),
)
def test_pictures_of_few_levels_hash_as_imagehash_does(width, height, levels, mode, seed):
    drawn = np.random.default_rng(seed).integers(0, levels, (height, width, 3))
    image = Image.fromarray((drawn * (255 // max(1, levels - 1))).astype(np.uint8)).convert(mode)
    assert our_hashes(image) == printed_hashes(image)


def test_a_fingerprint_knows_the_size_of_the_picture():
    result = fingerprint(painting((120, 90), seed=1))
    assert (result.width, result.height) == (120, 90)


def test_hashes_are_plain_unsigned_numbers():
    result = fingerprint(noise((64, 64), seed=3))
    values = [getattr(result, kind) for kind in HASH_KINDS]
    assert all(type(value) is int and 0 <= value < 2**64 for value in values)
    assert result.colorhash < 2**42


@pytest.mark.parametrize("turn", list(Image.Transpose))
def test_the_untransposed_hash_is_that_of_the_picture_in_its_file(turn):
    stored = painting((120, 90), seed=4)
    result, _ = fingerprint_and_descriptor(stored.transpose(turn), stored)
    assert result == fingerprint(stored.transpose(turn), stored)
    assert to_hex("phash", result.untransposed_phash) == str(imagehash.phash(stored))
    assert to_hex("phash", result.phash) == str(imagehash.phash(stored.transpose(turn)))


def test_a_picture_that_is_displayed_as_it_lies_has_no_untransposed_hash():
    assert fingerprint(painting((120, 90), seed=4)).untransposed_phash is None


def test_hashing_leaves_the_picture_as_it_was():
    image = painting((50, 40), seed=2)
    before = image.tobytes()
    fingerprint(image)
    assert image.tobytes() == before


def test_the_recipe_names_our_versions_and_the_libraries_that_decide_the_bits():
    assert RECIPE.startswith("seenbefore-")
    assert f" sketch-{DESCRIPTOR_VERSION} " in RECIPE
    assert f"ImageHash-{imagehash.__version__}" in RECIPE
    assert f"Pillow-{PIL.__version__}" in RECIPE
