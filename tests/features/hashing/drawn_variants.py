"""Pictures of every mode and odd size, drawn by number: the same number is the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from numpy.random import Generator

MODES = (
    "RGB",
    "L",
    "RGBA",
    "LA",
    "P",
    "1",
    "CMYK",
    "YCbCr",
    "HSV",
    "RGBX",
    "I",
    "F",
    "I;16",
    "I;16B",
    "I;16L",
    "PA",
    "RGBa",
)
BY_WAY_OF = {"I;16": "I", "I;16B": "I", "I;16L": "I", "PA": "P", "RGBa": "RGBA"}
SIDES = ((1, 12), (1, 80), (60, 140), (120, 300), (200, 700))


def noise(draw: Generator, width: int, height: int) -> Image.Image:
    return Image.fromarray(draw.integers(0, 256, (height, width, 3), dtype=np.uint8))


def painting(draw: Generator, width: int, height: int) -> Image.Image:
    return noise(draw, width, height).filter(ImageFilter.GaussianBlur(int(draw.integers(1, 12))))


def few_levels(draw: Generator, width: int, height: int) -> Image.Image:
    levels = draw.integers(0, draw.integers(1, 5), (height, width, 3)) * 63
    return Image.fromarray(levels.astype(np.uint8))


def stripes(draw: Generator, width: int, height: int) -> Image.Image:
    place = np.indices((height, width)).sum(axis=0) // draw.integers(1, 40)
    return Image.fromarray((place % 2 * draw.integers(1, 256)).astype(np.uint8)).convert("RGB")


def framed(draw: Generator, width: int, height: int) -> Image.Image:
    """On white or black, so that blocks of the wavelet hash tie."""
    image = Image.new("RGB", (width, height), "white" if draw.random() < 0.7 else "black")
    inside = painting(draw, max(1, width // 2), max(1, height // 2))
    image.paste(inside, (int(draw.integers(0, width // 2 + 1)), int(draw.integers(0, height // 2 + 1))))
    return image


MOTIFS = (noise, painting, painting, few_levels, stripes, framed, framed)


def variant(number: int) -> Image.Image:
    """Draw a picture; every other one is of the modes that are read fast."""
    draw = np.random.default_rng(number)
    width, height = (int(draw.integers(*SIDES[draw.integers(len(SIDES))])) for _ in range(2))
    image = MOTIFS[draw.integers(len(MOTIFS))](draw, width, height)
    mode = MODES[number % 4 // 2] if number % 2 else MODES[number // 2 % len(MODES)]
    return image.convert(BY_WAY_OF.get(mode, "RGB")).convert(mode)
