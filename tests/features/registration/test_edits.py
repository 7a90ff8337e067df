"""The words for what lies between two pictures, each where it belongs and nowhere else."""

from __future__ import annotations

from functools import cache
from math import cos, radians, sin
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from data.synthetic.drawn_pictures import Scene, draw_photo
from features.hashing.pillow_hashes import read_by_pillow
from features.keypoints.descriptor import describe
from features.registration.edits import AND, Edit, edits, has
from features.registration.registration import OVERLAY, View, overlay
from features.registration.thumbnail_comparison import differences

if TYPE_CHECKING:
    from collections.abc import Callable

    from features.keypoints.descriptor import Descriptor

WIDTH, HEIGHT = 640, 480
MIRROR, EXCHANGE = 1, 4
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@cache
def photo(number: int) -> Image.Image:
    drawn = draw_photo(Scene(category=number, setting=number + 5, item=number + 3, view=number))
    return drawn.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


class Case(NamedTuple):
    """A change of the photo, where it puts the photo's pixels, (2, 3), in which orientation, and what it is called."""

    change: Callable[[Image.Image], Image.Image]
    transform: list[list[float]]
    text: str
    orientation: int = 0


def moved(left: float = 0, top: float = 0, scale: float = 1) -> list[list[float]]:
    return [[scale, 0, left], [0, scale, top]]


def turned_about_centre(degrees: float) -> list[list[float]]:
    """Counter-clockwise, as Pillow turns."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    x, y = WIDTH / 2, HEIGHT / 2
    return [[c, s, x - c * x - s * y], [-s, c, y + s * x - c * y]]


def covered(image: Image.Image) -> Image.Image:
    image = image.copy()
    draw = ImageDraw.Draw(image)
    draw.rectangle((200, 140, 420, 330), fill=(220, 40, 40))
    draw.text((220, 200), "SOLD", fill=WHITE, font_size=70)
    return image


def beside_others(image: Image.Image) -> Image.Image:
    sheet = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT))
    for number, place in enumerate([(WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT)], start=2):
        sheet.paste(ImageOps.invert(photo(number)), place)
    sheet.paste(image, (0, 0))
    return sheet


CASES = {
    "encoded anew": Case(lambda image: image.quantize(64).convert("RGB"), moved(), "recompressed"),
    "half size": Case(lambda image: image.resize((320, 240)), moved(scale=0.5), "resized"),
    "mirror": Case(ImageOps.mirror, [[-1, 0, WIDTH], [0, 1, 0]], "mirror", MIRROR),
    "upside down mirror": Case(ImageOps.flip, [[1, 0, 0], [0, -1, HEIGHT]], "mirror+turn", 2),
    "half a turn": Case(lambda image: image.rotate(180), [[-1, 0, WIDTH], [0, -1, HEIGHT]], "turn", 3),
    "quarter turn": Case(
        lambda image: image.transpose(Image.Transpose.ROTATE_90), [[0, 1, 0], [-1, 0, WIDTH]], "turn", MIRROR | EXCHANGE
    ),
    "tilt": Case(lambda image: image.rotate(4, Image.Resampling.BICUBIC), turned_about_centre(4), "tilt"),
    "squeezed": Case(lambda image: image.resize((540, 480)), [[540 / WIDTH, 0, 0], [0, 1, 0]], "reshaped+resized"),
    "crop": Case(lambda image: image.crop((60, 90, 560, 440)), moved(-60, -90), "crop"),
    "small crop": Case(
        lambda image: image.crop((60, 90, 560, 440)).resize((250, 175)), moved(-30, -45, 0.5), "crop+resized"
    ),
    "white frame": Case(lambda image: ImageOps.expand(image, 48, WHITE), moved(48, 48), "frame"),
    "bars": Case(lambda image: ImageOps.pad(image, (640, 640), color=BLACK), moved(0, 80), "frame"),
    "collage": Case(beside_others, moved(), "collage"),
    "sticker": Case(covered, moved(), "overlay"),
    "darker": Case(lambda image: ImageEnhance.Brightness(image).enhance(0.7), moved(), "tone"),
    "mirrored crop with a sticker": Case(
        lambda image: covered(ImageOps.mirror(image)).crop((40, 40, 600, 440)),
        [[-1, 0, WIDTH - 40], [0, 1, -40]],
        "mirror+crop+overlay",
        MIRROR,
    ),
}


def sketched(image: Image.Image) -> Descriptor:
    return describe(read_by_pillow(image), *image.size)


def registered(
    reference: Image.Image, query: Image.Image, transform: list[list[float]], orientation: int
) -> np.ndarray:
    """Lay one over the other, given where the pixels of the reference are in the query."""
    views = [View.of(sketched(image), *image.size) for image in (query, reference)]
    to_query, to_reference = (
        view.keypoints.frame / image.size for view, image in zip(views, (query, reference), strict=True)
    )
    guess = np.array(transform) * to_query[:, None]
    guess[:, :2] /= to_reference
    return overlay(*views, guess, orientation)


def named(
    reference: Image.Image, query: Image.Image, transform: list[list[float]], orientation: int, *, look: bool = True
) -> str:
    overlays = registered(reference, query, transform, orientation)[None]
    thumbnails = (sketched(image).thumbnail[None] for image in (query, reference))
    seen = differences(overlays, *thumbnails) if look else None
    sizes = (np.array([image.size], np.float64) for image in (query, reference))
    return str(edits(overlays, *sizes, np.array([False]), seen)[0])


def back(transform: list[list[float]]) -> list[list[float]]:
    return np.linalg.inv([*transform, [0, 0, 1]])[:2].tolist()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_change_is_called_by_its_name(case):
    reference = photo(1)
    assert named(reference, case.change(reference), case.transform, case.orientation) == case.text


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_words_are_the_same_whichever_picture_asks(case):
    reference = photo(1)
    # Only quarter turns are not their own opposites: orientations 5 and 6.
    opposite = {5: 6, 6: 5}.get(case.orientation, case.orientation)
    assert named(case.change(reference), reference, back(case.transform), opposite) == case.text


@pytest.mark.parametrize(("name", "text"), [("white frame", "crop"), ("sticker", "recompressed"), ("mirror", "mirror")])
def test_without_thumbnails_only_the_place_is_named(name, text):
    case = CASES[name]
    assert named(photo(1), case.change(photo(1)), case.transform, case.orientation, look=False) == text


def test_a_plain_border_around_a_photo_with_the_same_plain_edge_is_a_crop():
    product = Image.new("RGB", (WIDTH, HEIGHT), WHITE)
    product.paste(photo(1).resize((400, 300)), (120, 90))
    assert named(product, ImageOps.expand(product, 60, WHITE), moved(60, 60), 0) == "crop"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ((640, 480), "recompressed"),
        ((320, 240), "resized"),
        ((160, 119), "resized"),
        ((640, 450), "reshaped"),
        ((480, 640), "reshaped"),
    ],
)
def test_where_nothing_tells_the_place_the_sizes_have_to_do(size, text):
    sizes = (np.array([size], np.float64), np.array([[WIDTH, HEIGHT]], np.float64))
    assert edits(np.zeros(1, OVERLAY), *sizes, np.array([False])).tolist() == [text]


def test_the_same_bytes_are_no_edit_whatever_else_is_seen():
    case = CASES["mirror"]
    overlays = registered(photo(1), case.change(photo(1)), case.transform, case.orientation)[None].repeat(2)
    size = np.array([[WIDTH, HEIGHT]] * 2, np.float64)
    assert edits(overlays, size, size, np.array([True, False])).tolist() == ["none", "mirror"]


def test_no_pairs_have_no_edits():
    nothing = np.empty((0, 2))
    found = edits(np.empty(0, OVERLAY), nothing, nothing, np.empty(0, np.bool_))
    assert (len(found), found.dtype) == (0, "str")


TEXTS = st.lists(st.sampled_from(list(Edit)), min_size=1, unique=True).map(AND.join)


@given(st.lists(TEXTS | st.none()), st.sampled_from(list(Edit)))
def test_a_word_is_found_among_others(texts, word):
    found = has(pd.Series(texts, dtype="str"), word)
    assert found.tolist() == [text is not None and word in text.split(AND) for text in texts]
    assert found.dtype == np.bool_
