"""The five hashes by compiled loops over shared intermediate results, bit for bit those of ImageHash.

Only for mode ``L`` and ``RGB``, and only to be trusted where `features.hashing.selfcheck` has compared it with
ImageHash.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import imagehash
import numpy as np
from PIL import Image

from features.compiled import was_compiled
from features.hashing.colorhash import CLASSES, color_bits
from features.hashing.decoded_picture import Reading
from features.hashing.hash_bits import Hashes, to_int
from features.hashing.kernels.block_sums import block_sums
from features.hashing.kernels.color_classes import DARKEST_GREY, read_colours
from features.hashing.kernels.resize import Grey
from features.hashing.kernels.taps import Filter, fixed_point, taps
from features.hashing.pillow_hashes import WHASH_SIDE, whash_bits, whash_side
from features.hashing.pixels import color_rows, grey_levels
from features.hashing.whash_ties import tied_whash

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Tied = Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.bool_]]

PHASH_SIDE = 32
FREQUENCIES = np.arange(8)[:, None] * (2 * np.arange(PHASH_SIDE) + 1)
COSINES = 2 * np.cos(np.pi * FREQUENCIES / (2 * PHASH_SIDE))
"""The eight lowest rows of the discrete cosine transform (type 2) of 32 values, in SciPy's scale."""
TOO_CLOSE = 1e-6
"""Distance of the middle coefficients below which rounding decides; rounding errors stay below 10⁻⁹."""


def read_fast(image: Image.Image, tied: Tied = tied_whash) -> Reading:
    """Hash a picture of mode ``L`` or ``RGB``.

    Parameters
    ----------
    image
        Loaded, from 1×1 up.
    tied
        Gives the wavelet hash where its two middle values are equal, from the resized pixels and their block sums.
    """
    grey, classes = _grey_and_classes(image)
    hashes = Hashes(
        ahash=to_int(_ahash(grey)),
        phash=to_int(_phash(grey)),
        dhash=to_int(_dhash(grey)),
        whash=to_int(_whash(grey, tied)),
        colorhash=to_int(color_bits(classes, image.width * image.height)),
    )
    return Reading(hashes, partial(_shrink, grey))


def ask_imagehash(pixels: NDArray[np.uint8], _: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Leave a tie of the wavelet hash to ImageHash, at forty times the cost."""
    return np.asarray(imagehash.whash(Image.fromarray(pixels)).hash)


def must_compile() -> bool:
    """Load the smallest kernel, and tell whether it had to be compiled first."""
    taps(1, 1, Filter.BOX)
    return was_compiled(fixed_point)


def _shrink(grey: Grey, width: int, height: int) -> NDArray[np.uint8]:
    return grey.resized(width, height, Filter.BOX)


def _grey_and_classes(image: Image.Image) -> tuple[Grey, NDArray[np.int64]]:
    """Return the grey picture and the number of pixels of each colour class, shape (14,)."""
    classes = np.zeros(CLASSES, np.int64)
    if image.mode == "L":
        levels = grey_levels(image)
        black = np.count_nonzero(levels < DARKEST_GREY)
        classes[:2] = black, levels.size - black
        return Grey(levels), classes
    levels = np.empty((image.height, image.width), np.uint8)
    for top, pixels in color_rows(image):
        read_colours(pixels, levels[top : top + len(pixels)], classes)
    return Grey(levels), classes


def _ahash(grey: Grey) -> NDArray[np.bool_]:
    pixels = grey.resized(8, 8, Filter.LANCZOS)
    return np.asarray(pixels > pixels.mean())


def _dhash(grey: Grey) -> NDArray[np.bool_]:
    pixels = grey.resized(9, 8, Filter.LANCZOS)
    return np.asarray(pixels[:, 1:] > pixels[:, :-1])


def _phash(grey: Grey) -> NDArray[np.bool_]:
    pixels = grey.resized(PHASH_SIDE, PHASH_SIDE, Filter.LANCZOS)
    coefficients = COSINES @ pixels @ COSINES.T
    lower, upper = np.sort(coefficients, axis=None)[[31, 32]]
    if upper - lower < TOO_CLOSE:
        return np.asarray(imagehash.phash(Image.fromarray(pixels)).hash)
    return np.asarray(coefficients >= upper)


def _whash(grey: Grey, tied: Tied) -> NDArray[np.bool_]:
    height, width = grey.levels.shape
    side = whash_side((width, height))
    pixels = grey.resized(side, side, Filter.LANCZOS)
    sums = block_sums(pixels, WHASH_SIDE)
    bits = whash_bits(sums)
    return tied(pixels, sums) if bits is None else bits
