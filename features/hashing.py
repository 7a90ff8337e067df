"""The five perceptual hashes of a picture, bit for bit those of the ImageHash library at its default sizes.

Three of them are ImageHash's own functions on a shared grey picture. For the two that are slow, ``whash`` and
``colorhash``, the same bits are read from whole-number counts that decide them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagehash
import numpy as np
import PIL
from PIL import Image, ImageChops

from features.information import information

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECIPE = f"seenbefore-1 ImageHash-{imagehash.__version__} Pillow-{PIL.__version__}"
"""Names everything the bits depend on; hashes of two recipes are never compared."""

WHASH_SIDE = 8

HUE_BINS = 6
COLOR_LEVELS = 8
COLOR_CODES = np.array([0b000, 0b001, 0b010, 0b011, 0b110, 0b111, 0b110, 0b111])
"""ImageHash's three bits for each eighth of the picture: not plain binary from four on."""

NOT_BLACK = [0] * 32 + [255] * 224
"""Mask by grey level: ImageHash calls the darkest eighth of the levels black."""
HUE_CLASS = np.searchsorted(np.linspace(0, 255, HUE_BINS + 1)[1:-1], np.arange(256), side="right").tolist()
GREY, FAINT, BETWEEN, BRIGHT = 0, HUE_BINS, 2 * HUE_BINS, 3 * HUE_BINS
SATURATION_CLASS = [GREY] * 85 + [FAINT] * 85 + [BETWEEN] + [BRIGHT] * 85
"""Saturation below 85 is grey; 170 itself counts as a colour, but as neither a faint nor a bright one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What is kept of a picture to know it again.

    Parameters
    ----------
    ahash, phash, dhash, whash
        64-bit hashes, the first bit (top left) highest.
    colorhash
        The 42-bit colour hash, in the low bits.
    width, height
        Size of the displayed picture in pixels.
    information
        Information content in bits (see `features.information`); small means flat.
    """

    ahash: int
    phash: int
    dhash: int
    whash: int
    colorhash: int
    width: int
    height: int
    information: float


def fingerprint(image: Image.Image) -> Fingerprint:
    """Fingerprint a picture as it is displayed: turned upright, transparency laid on white.

    Parameters
    ----------
    image
        A loaded picture of any mode that ImageHash takes and any size from 1×1 up.
    """
    grey = image.convert("L")
    return Fingerprint(
        ahash=_to_int(imagehash.average_hash(grey).hash),
        phash=_to_int(imagehash.phash(grey).hash),
        dhash=_to_int(imagehash.dhash(grey).hash),
        whash=_to_int(_whash(grey)),
        colorhash=_to_int(_colorhash(image, grey)),
        width=image.width,
        height=image.height,
        information=information(grey),
    )


def _to_int(bits: NDArray[np.bool_]) -> int:
    """Read bits in row order as one unsigned number, the first bit highest."""
    packed = np.packbits(bits.ravel())
    return int.from_bytes(packed.tobytes(), "big") >> (packed.size * 8 - bits.size)


def _whash(grey: Image.Image) -> NDArray[np.bool_]:
    """Return ImageHash's wavelet hash, shape (8, 8), from block sums instead of a wavelet transform.

    The hash compares the low band of a Haar transform with its median. That band is the sum of each block of pixels
    up to a common factor and offset, so that whole-number sums decide the same way: two different sums lie further
    apart than ImageHash's rounding errors by a factor above 10⁵ at 8192 pixels a side. Only where the two middle
    sums are equal does its rounding noise decide; there ImageHash itself is asked.
    """
    side = max(1 << (min(grey.size).bit_length() - 1), WHASH_SIDE)
    pixels = np.asarray(grey.resize((side, side), Image.Resampling.LANCZOS))
    block = side // WHASH_SIDE
    bands = pixels.reshape(WHASH_SIDE, block, side).sum(axis=1, dtype=np.int64)
    sums = bands.reshape(WHASH_SIDE, WHASH_SIDE, block).sum(axis=2)
    lower, upper = np.sort(sums, axis=None)[[31, 32]]
    if lower == upper:
        tied: NDArray[np.bool_] = imagehash.whash(grey).hash
        return tied
    return np.asarray(sums >= upper)


def _colorhash(image: Image.Image, grey: Image.Image) -> NDArray[np.bool_]:
    """Return ImageHash's colour hash, shape (14, 3), from one histogram of colour classes.

    Fourteen shares (black, grey, six hues of faint colour, six of bright colour), three bits each.
    """
    hue, saturation, _ = image.convert("HSV").split()
    color_class = ImageChops.add(hue.point(HUE_CLASS), saturation.point(SATURATION_CLASS))
    counts = np.array(color_class.histogram(mask=grey.point(NOT_BLACK)))
    pixels = image.width * image.height
    greys = counts[GREY:FAINT].sum()
    black = pixels - counts.sum()
    colors = counts[FAINT:].sum()
    shares = np.concatenate(
        (
            np.array([black, greys]) / pixels,
            counts[FAINT:BETWEEN] / max(1, colors),
            counts[BRIGHT : BRIGHT + HUE_BINS] / max(1, colors),
        )
    )
    levels = np.minimum(COLOR_LEVELS - 1, (shares * COLOR_LEVELS).astype(np.int64))
    return np.asarray((COLOR_CODES[levels][:, None] >> np.array([2, 1, 0])) & 1 == 1)
