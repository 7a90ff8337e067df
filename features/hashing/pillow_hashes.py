"""The five hashes by Pillow and numpy alone: needs no compiling, and the measure for the compiled way.

Three of them are ImageHash's own functions on a shared grey picture. For the two that are slow, ``whash`` and
``colorhash``, the same bits are read from whole-number counts that decide them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import imagehash
import numpy as np
from PIL import Image, ImageChops

from features.hashing.hash_bits import (
    HUES,
    WHASH_SIDE,
    DecodedPicture,
    Hashes,
    colorhash_bits,
    whash_bits,
    whash_side,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOT_BLACK = [0] * 32 + [255] * 224
"""Mask by grey level: ImageHash calls the darkest eighth of the levels black."""
HUE_CLASS = np.searchsorted(np.linspace(0, 255, HUES + 1)[1:-1], np.arange(256), side="right").tolist()
GREY, FAINT, BETWEEN, BRIGHT = 0, HUES, 2 * HUES, 3 * HUES
SATURATION_CLASS = [GREY] * 85 + [FAINT] * 85 + [BETWEEN] + [BRIGHT] * 85
"""Saturation below 85 is grey; 170 itself counts as a color, but as neither a faint nor a bright one."""


def read_by_pillow(image: Image.Image) -> DecodedPicture:
    """Hash a picture of any mode that ImageHash takes."""
    grey = image.convert("L")
    hashes = Hashes.of_bits(
        ahash=imagehash.average_hash(grey).hash,
        phash=imagehash.phash(grey).hash,
        dhash=imagehash.dhash(grey).hash,
        whash=_whash(grey),
        colorhash=_colorhash(image, grey),
    )
    return DecodedPicture(hashes, partial(shrink_by_pillow, grey))


def shrink_by_pillow(grey: Image.Image, width: int, height: int) -> NDArray[np.uint8]:
    """Return a grey picture in another size, each pixel the mean of those it covers."""
    return np.asarray(grey.resize((width, height), Image.Resampling.BOX))


def _whash(grey: Image.Image) -> NDArray[np.bool_]:
    side = whash_side(grey.size)
    pixels = np.asarray(grey.resize((side, side), Image.Resampling.LANCZOS))
    block = side // WHASH_SIDE
    bands = pixels.reshape(WHASH_SIDE, block, side).sum(axis=1, dtype=np.int64)
    bits = whash_bits(bands.reshape(WHASH_SIDE, WHASH_SIDE, block).sum(axis=2))
    return np.asarray(imagehash.whash(grey).hash) if bits is None else bits


def _colorhash(image: Image.Image, grey: Image.Image) -> NDArray[np.bool_]:
    """Return ImageHash's color hash from one histogram of color classes."""
    hue, saturation, _ = image.convert("HSV").split()
    color_class = ImageChops.add(hue.point(HUE_CLASS), saturation.point(SATURATION_CLASS))
    counts = np.array(color_class.histogram(mask=grey.point(NOT_BLACK)))
    pixels = image.width * image.height
    neutral = [pixels - counts.sum(), counts[GREY:FAINT].sum()]
    classes = np.concatenate((neutral, counts[FAINT:BETWEEN], counts[BRIGHT : BRIGHT + HUES]))
    return colorhash_bits(classes, pixels)
