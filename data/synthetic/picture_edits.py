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
    TILT = "tilt"
    SCREENSHOT = "screenshot"
    COLLAGE = "collage"


OVERLAY_TEXTS = ("Call 555 0142", "Delivery possible", "LAST ONE", "New shop - new prices", "Write to me first")
LARGEST_TILT_DEGREES = 5.0
GAP_PX = 6
"""Between the pictures of a collage."""


def edited(
    picture: Image.Image, edit: Edit, rng: np.random.Generator, beside: Image.Image | None = None
) -> Image.Image:
    """Return the picture after an edit.

    Parameters
    ----------
    picture
        An RGB picture; it is left as it is.
    edit
        What to do; ``none`` and ``recompressed`` change no pixel before encoding.
    rng
        Decides how strong the edit is.
    beside
        What stands beside it in a collage; ``None`` for a detail of itself.
    """
    if edit is Edit.COLLAGE:
        return _collage(picture, beside or _detail(picture), rng)
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


def _tilted(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    angle_degrees = rng.uniform(1.5, LARGEST_TILT_DEGREES) * rng.choice([-1.0, 1.0])
    tilted = picture.rotate(angle_degrees, Image.Resampling.BILINEAR)
    # The empty corners are cut away, as a phone's editor does.
    margin_x, margin_y = round(picture.height * 0.045), round(picture.width * 0.045)
    return tilted.crop((margin_x, margin_y, picture.width - margin_x, picture.height - margin_y))


def _photographed_off_a_screen(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Show it as an upright phone shows a listing: bars above and below, and the page around it."""
    width = round(picture.width * rng.uniform(0.7, 1.0))
    shown = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.BILINEAR)
    height = round(width * rng.uniform(1.5, 2.1))
    grey = int(rng.choice([20, 245, 255]))
    screen = Image.new("RGB", (width, max(height, shown.height)), (grey, grey, grey))
    top = round((screen.height - shown.height) * rng.uniform(0.1, 0.4))
    screen.paste(shown, (0, top))
    ink = (240, 240, 240) if grey < 128 else (40, 40, 40)
    draw, font = ImageDraw.Draw(screen), ImageFont.load_default(size=max(10, width // 22))
    draw.text((width * 0.05, 2), f"{rng.integers(24):02d}:{rng.integers(60):02d}", fill=ink, font=font)
    for line in range(int(rng.integers(1, 4))):
        below = top + shown.height + round(width * (0.05 + 0.08 * line))
        draw.text((width * 0.05, below), str(rng.choice(OVERLAY_TEXTS)), fill=ink, font=font)
    return screen


def _detail(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((width // 4, height // 4, 3 * width // 4, 3 * height // 4))


def _collage(picture: Image.Image, beside: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Lay two pictures side by side at one height, either first."""
    height = round(picture.height * rng.uniform(0.6, 1.0))
    two = [
        shown.resize((max(1, round(shown.width * height / shown.height)), height), Image.Resampling.BILINEAR)
        for shown in (picture, beside)
    ]
    left, right = two if rng.random() < 0.5 else two[::-1]
    collage = Image.new("RGB", (left.width + GAP_PX + right.width, height), (255, 255, 255))
    collage.paste(left, (0, 0))
    collage.paste(right, (left.width + GAP_PX, 0))
    return collage


_CHANGES: dict[Edit, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    Edit.RESIZED: _resized,
    Edit.MIRROR: _mirrored,
    Edit.CROP: _cropped,
    Edit.FRAME: _framed,
    Edit.OVERLAY: _overlaid,
    Edit.TONE: _toned,
    Edit.TILT: _tilted,
    Edit.SCREENSHOT: _photographed_off_a_screen,
}
