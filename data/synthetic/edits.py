"""What people do to a picture they did not take before they post it, as functions on displayed pictures."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


class Edit(StrEnum):
    """Named edits; all but ``none`` end in a new JPEG file."""

    NONE = "none"
    RECOMPRESSED = "recompressed"
    RESIZED = "resized"
    MIRROR = "mirror"
    CROP = "crop"
    FRAME = "frame"
    OVERLAY = "overlay"
    TONE = "tone"
    TURN = "turn"


OVERLAY_TEXTS = ("Call 555 0142", "Delivery possible", "LAST ONE", "New shop - new prices", "Write to me first")
LARGEST_TURN_DEGREES = 5.0


def edited(picture: Image.Image, edit: Edit, rng: np.random.Generator) -> Image.Image:
    """Return the picture after an edit.

    Parameters
    ----------
    picture
        An RGB picture; it is left as it is.
    edit
        What to do; ``none`` and ``recompressed`` change no pixel before encoding.
    rng
        Decides how strong the edit is.
    """
    change = _CHANGES.get(edit)
    return picture if change is None else change(picture, rng)


def _resized(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    factor = rng.uniform(0.5, 0.9)
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.LANCZOS)


def _mirrored(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageOps.mirror(picture)


def _cropped(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    width, height = (round(side * rng.uniform(0.78, 0.96)) for side in picture.size)
    left = int(rng.integers(0, picture.width - width + 1))
    top = int(rng.integers(0, picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))


def _framed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    border_px = round(min(picture.size) * rng.uniform(0.03, 0.08))
    colour = ((255, 255, 255), (0, 0, 0), (200, 30, 40), (30, 60, 150))[rng.choice(4, p=[0.5, 0.25, 0.15, 0.1])]
    return ImageOps.expand(picture, border_px, colour)


def _overlaid(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    covered = picture.copy()
    draw = ImageDraw.Draw(covered, "RGBA")
    band_px = round(picture.height * rng.uniform(0.07, 0.12))
    top = round((picture.height - band_px) * rng.choice([0.04, 0.5, 0.96]))
    red, green, blue = (int(value) for value in rng.integers(0, 90, 3))
    draw.rectangle((0, top, picture.width, top + band_px), fill=(red, green, blue, int(rng.integers(120, 230))))
    font = ImageFont.load_default(size=round(band_px * 0.7))
    draw.text(
        (picture.width * rng.uniform(0.03, 0.4), top + band_px * 0.08), str(rng.choice(OVERLAY_TEXTS)),
        fill=(255, 255, 255, 255), font=font,
    )  # fmt: skip
    return covered


def _toned(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhancer(picture).enhance(rng.uniform(0.78, 1.25))
    return picture


def _turned(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    angle_degrees = rng.uniform(1.5, LARGEST_TURN_DEGREES) * rng.choice([-1.0, 1.0])
    turned = picture.rotate(angle_degrees, Image.Resampling.BILINEAR)
    # The empty corners are cut away, as a phone's editor does.
    margin_x, margin_y = round(picture.height * 0.045), round(picture.width * 0.045)
    return turned.crop((margin_x, margin_y, picture.width - margin_x, picture.height - margin_y))


_CHANGES: dict[Edit, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    Edit.RESIZED: _resized,
    Edit.MIRROR: _mirrored,
    Edit.CROP: _cropped,
    Edit.FRAME: _framed,
    Edit.OVERLAY: _overlaid,
    Edit.TONE: _toned,
    Edit.TURN: _turned,
}
