"""The compiled hashes are ImageHash's, bit for bit."""

from __future__ import annotations

import random

import imagehash
import numpy as np
import pytest
from PIL import Image

from data.images.decode import Picture, decode
from data.settings import DecodeSettings
from features.hashing.compiled_hashes import read_compiled, whash_by_imagehash
from features.hashing.fingerprint import fingerprint, fingerprint_and_descriptor
from features.hashing.pillow_hashes import read_by_pillow
from features.hashing.selfcheck import FAST, imagehash_hashes, warmup
from features.hashing.whash import tied_whash
from features.keypoints.descriptor import describe
from tests.features.hashing.drawn_variants import MODES, framed, painting, variant
from tests.full_run import FULL, often

VARIANTS = often(in_full=5_000, otherwise=300)
CHUNK = 50
PHOTOS = 40
PHOTO_SIZES = ((1600, 1200), (1200, 1600), (1000, 3), (3, 1000), (500, 1200), (640, 480), (256, 256))


@pytest.fixture(autouse=True, scope="module")
def warmed_up():
    assert warmup() is None
    assert FAST.reader is read_compiled


def painted(width, height, seed=0):
    return painting(np.random.default_rng(seed), width, height)


def on_white(width, height, seed=0):
    return framed(np.random.default_rng(seed), width, height)


@pytest.mark.parametrize("first", range(0, VARIANTS, CHUNK))
def test_variants_of_every_mode_hash_as_imagehash_does(first):
    differing = []
    for number in range(first, first + CHUNK):
        image = variant(number)
        result, expected = fingerprint(image), imagehash_hashes(image)
        wrong = [kind for kind, value in expected._asdict().items() if getattr(result, kind) != value]
        if wrong:
            differing.append((number, image.mode, image.size, wrong))
    assert differing == []


def test_the_variants_are_of_every_mode():
    assert {variant(number).mode for number in range(4 * len(MODES))} == set(MODES)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("width", range(1, 14))
def test_the_smallest_pictures_hash_as_imagehash_does(width, mode):
    for height in range(1, 14):
        image = painted(width, height, seed=width * 100 + height).convert(mode)
        assert read_compiled(image).hashes == imagehash_hashes(image)


@pytest.mark.parametrize(
    "size", [(1600, 1200), (1200, 1600), (1000, 3), (3, 1000), (500, 1200), (640, 480), (256, 256)]
)
def test_photograph_sizes_hash_as_imagehash_does(size):
    image = painted(*size)
    assert read_compiled(image).hashes == imagehash_hashes(image)


def test_pictures_beyond_one_block_of_memory_hash_as_imagehash_does():
    image = painted(2600, 1900)
    assert read_compiled(image).hashes == imagehash_hashes(image)


def test_grey_photos_have_no_color():
    image = painted(200, 150).convert("L")
    assert read_compiled(image).hashes.colorhash == imagehash_hashes(image).colorhash


@pytest.mark.parametrize("seed", range(12))
def test_ties_of_the_wavelet_hash_fall_as_in_imagehash(seed):
    sides = []

    def tied(pixels, sums):
        sides.append(len(pixels))
        bits = tied_whash(pixels, sums)
        np.testing.assert_array_equal(bits, whash_by_imagehash(pixels, sums))
        return bits

    read_compiled(on_white(300 + 40 * seed, 280, seed), tied=tied)
    assert sides == [256]


def test_ties_of_blocks_with_detail_fall_as_in_imagehash():
    block = np.random.default_rng(5).integers(0, 256, (32, 32), dtype=np.uint8)
    pixels = np.block([[block[:: 1 - 2 * (x % 2), :: 1 - 2 * (y % 2)] for x in range(8)] for y in range(8)])
    pixels[:64, :64] //= 2
    sums = pixels.reshape(8, 32, 8, 32).sum(axis=(1, 3), dtype=np.int64)
    np.testing.assert_array_equal(tied_whash(pixels, sums), imagehash.whash(Image.fromarray(pixels)).hash)


def test_middle_coefficients_too_close_to_call_are_left_to_scipy():
    image = Image.fromarray(np.tile(np.array([[0, 255], [255, 0]], np.uint8), (80, 80)))
    assert read_compiled(image).hashes.phash == imagehash_hashes(image).phash


@pytest.mark.parametrize("number", range(40))
def test_information_and_descriptor_are_those_of_the_plain_way(number):
    image = variant(2 * number + 1)
    result, descriptor = fingerprint_and_descriptor(image)
    plain = read_by_pillow(image)
    expected = describe(plain, *image.size)
    assert result == fingerprint(image)
    np.testing.assert_array_equal(descriptor.keypoints, expected.keypoints)
    np.testing.assert_array_equal(descriptor.thumbnail, expected.thumbnail)
    np.testing.assert_array_equal(FAST.reader(image).shrink(64, 64), plain.shrink(64, 64))


def test_reading_leaves_the_picture_as_it_was():
    image = painted(70, 60)
    before = image.tobytes()
    fingerprint_and_descriptor(image)
    assert image.tobytes() == before


def test_photos_hash_as_imagehash_does(shared):
    files = sorted(path for path in (shared / "photos").rglob("*") if path.suffix in {".jpg", ".png"})
    pairs = sorted(path for path in (shared / "pairs").rglob("*") if path.suffix != ".csv" and path.is_file())
    chosen = files + pairs if FULL else random.Random(8).sample(files, PHOTOS) + random.Random(8).sample(pairs, PHOTOS)
    compared, differing = 0, []
    for path in chosen:
        picture = decode(path.read_bytes(), DecodeSettings())
        if isinstance(picture, Picture):
            compared += 1
            if read_compiled(picture.image).hashes != imagehash_hashes(picture.image):
                differing.append(path.name)
    assert compared >= 0.9 * len(chosen)
    assert differing == []
