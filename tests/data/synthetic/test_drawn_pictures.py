"""Drawn pictures behave like photographs under perceptual hashes, and edits do what they are named for."""

from __future__ import annotations

from dataclasses import replace

import imagehash
import numpy as np
import pytest
from PIL import Image

from data.synthetic.drawn_pictures import (
    SIZES,
    Scene,
    draw_photo,
    draw_placeholder,
    draw_stock,
    fitted_photo,
    with_banner,
)
from data.synthetic.picture_edits import Edit, edited

A_SCENE = Scene(category=0, setting=11, item=12, view=13)


def phash_bits(picture: Image.Image) -> np.ndarray:
    return imagehash.phash(picture).hash.ravel()


def distance_bits(one: Image.Image, other: Image.Image) -> int:
    return int((phash_bits(one) != phash_bits(other)).sum())


def test_the_same_seeds_draw_the_same_pixels() -> None:
    assert draw_photo(A_SCENE) == draw_photo(A_SCENE)
    assert draw_stock(3, 4) == draw_stock(3, 4)
    assert draw_placeholder(1) == draw_placeholder(1)


@pytest.mark.parametrize("seed", ["setting", "item", "view"])
def test_every_seed_matters(seed: str) -> None:
    assert draw_photo(A_SCENE) != draw_photo(replace(A_SCENE, **{seed: 99}))


def test_different_pictures_are_as_far_apart_as_different_photographs() -> None:
    scenes = [
        Scene(category=number % 8, setting=number // 6, item=number // 3, view=1_000 + number) for number in range(72)
    ]
    bits = np.array([phash_bits(draw_photo(scene)) for scene in scenes])
    distances = (bits[:, None] != bits[None]).sum(axis=2)[np.triu_indices(len(bits), 1)]
    assert 30 < distances.mean() < 33
    assert 3 < distances.std() < 6
    assert (distances < 10).mean() < 0.002


@pytest.mark.parametrize("edit", list(Edit))
def test_an_edit_leaves_its_input_alone_and_is_the_same_for_the_same_seed(edit: Edit) -> None:
    picture = draw_photo(A_SCENE)
    before = picture.copy()
    once, twice = (edited(picture, edit, np.random.default_rng(5)) for _ in range(2))
    assert picture == before
    assert once == twice
    assert (once == picture) is (edit in {Edit.NONE, Edit.RECOMPRESSED})


@pytest.mark.parametrize("edit", [Edit.RESIZED, Edit.TONE, Edit.OVERLAY])
def test_light_edits_stay_near_their_original(edit: Edit) -> None:
    picture = draw_photo(A_SCENE)
    assert distance_bits(picture, edited(picture, edit, np.random.default_rng(1))) <= 12


def test_a_mirrored_picture_is_far_until_it_is_mirrored_back() -> None:
    picture = draw_photo(A_SCENE)
    mirrored = edited(picture, Edit.MIRROR, np.random.default_rng(1))
    assert distance_bits(picture, mirrored) > 16
    assert edited(mirrored, Edit.MIRROR, np.random.default_rng(1)) == picture


def test_a_crop_is_smaller_and_a_frame_is_larger() -> None:
    picture = draw_photo(A_SCENE)
    crop = edited(picture, Edit.CROP, np.random.default_rng(2))
    frame = edited(picture, Edit.FRAME, np.random.default_rng(2))
    assert crop.width < picture.width < frame.width
    assert crop.height < picture.height < frame.height
    border_px = (frame.width - picture.width) // 2
    assert frame.crop((border_px, border_px, border_px + picture.width, border_px + picture.height)) == picture


def test_a_small_tilt_leaves_no_empty_corner() -> None:
    white = Image.new("RGB", SIZES[0], (255, 255, 255))
    for seed in range(20):
        tilted = edited(white, Edit.TILT, np.random.default_rng(seed))
        assert np.asarray(tilted).min() == 255


def test_a_screenshot_is_upright_and_shows_the_whole_picture() -> None:
    red = Image.new("RGB", (600, 450), (200, 10, 10))
    for seed in range(10):
        screen = np.asarray(edited(red, Edit.SCREENSHOT, np.random.default_rng(seed)))
        is_red = (screen == (200, 10, 10)).all(axis=2)
        height, width = is_red.shape
        assert height > 1.4 * width
        assert is_red.any(axis=0).all()
        assert abs(is_red.all(axis=1).sum() - 0.75 * width) <= 2


def test_a_collage_shows_both_pictures_at_one_height() -> None:
    red, blue = Image.new("RGB", (400, 300), (200, 10, 10)), Image.new("RGB", (300, 400), (10, 10, 200))
    collage = np.asarray(edited(red, Edit.COLLAGE, np.random.default_rng(1), blue)).astype(int)
    middle = collage[len(collage) // 2]
    shares = [(np.abs(middle - colour).max(axis=1) < 5).mean() for colour in ((200, 10, 10), (10, 10, 200))]
    assert shares[0] / shares[1] == pytest.approx((4 / 3) / (3 / 4), rel=0.05)


def test_a_collage_of_one_picture_shows_a_detail_beside_it() -> None:
    picture = draw_photo(A_SCENE)
    collage = edited(picture, Edit.COLLAGE, np.random.default_rng(1))
    assert collage.width / collage.height == pytest.approx(2 * picture.width / picture.height, rel=0.05)


def test_a_banner_is_the_same_on_every_picture_of_one_width() -> None:
    one, other = (with_banner(draw_photo(Scene(1, 0, item, item)), 7) for item in (1, 2))
    changed = np.asarray(one) == np.asarray(other)
    rows = changed.all(axis=(1, 2))
    assert rows[-30:].all()
    assert not rows[: one.height // 2].any()


def test_a_photograph_is_turned_as_displayed_and_brought_to_size() -> None:
    tall = Image.new("L", (1_600, 1_200))
    tall.getexif()[0x0112] = 6
    assert fitted_photo(tall).size == (480, 640)
    assert fitted_photo(tall).mode == "RGB"


def test_a_transparent_photograph_is_laid_on_white() -> None:
    assert fitted_photo(Image.new("RGBA", (80, 60), (10, 20, 30, 0))).getpixel((5, 5)) == (255, 255, 255)
