"""The five hashes by compiled loops over shared intermediate results, bit for bit those of ImageHash.

Only for mode ``L`` and ``RGB``, and only to be trusted where `features.hashing.selfcheck` has compared it with
ImageHash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagehash
import numpy as np
import pyarrow as pa
from PIL import Image

from features.compiled import was_compiled
from features.hashing.color_classes import DARKEST_GREY, read_colors
from features.hashing.hash_bits import (
    CLASSES,
    WHASH_SIDE,
    DecodedPicture,
    Hashes,
    colorhash_bits,
    whash_bits,
    whash_side,
)
from features.hashing.resize import Filter, Grey, fixed_point_taps, taps
from features.hashing.whash import block_sums, tied_whash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Tied = Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.bool_]]

PHASH_SIDE = 32
FREQUENCIES = np.arange(8)[:, None] * (2 * np.arange(PHASH_SIDE) + 1)
COSINES = 2 * np.cos(np.pi * FREQUENCIES / (2 * PHASH_SIDE))
"""The eight lowest rows of the discrete cosine transform (type 2) of 32 values, in SciPy's scale."""
TOO_CLOSE = 1e-6
"""Distance of the middle coefficients below which rounding decides; rounding errors stay below 10⁻⁹."""

BLOCK_BYTES = 8 << 20
"""Half of the blocks in which Pillow keeps pixels; what lies in one block can be looked at where it is."""
BYTES_A_PIXEL = 4


def read_compiled(image: Image.Image, tied: Tied = tied_whash) -> DecodedPicture:
    """Hash a picture of mode ``L`` or ``RGB``.

    Parameters
    ----------
    image
        Loaded, from 1×1 up.
    tied
        Gives the wavelet hash where its two middle values are equal, from the resized pixels and their block sums.
    """
    grey, classes = _grey_and_classes(image)
    hashes = Hashes.of_bits(
        ahash=_ahash(grey),
        phash=_phash(grey),
        dhash=_dhash(grey),
        whash=_whash(grey, tied),
        colorhash=colorhash_bits(classes, image.width * image.height),
    )
    return DecodedPicture(hashes, grey.shrunk)


def whash_by_imagehash(pixels: NDArray[np.uint8], _: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Leave a tie of the wavelet hash to ImageHash, at forty times the cost."""
    return np.asarray(imagehash.whash(Image.fromarray(pixels)).hash)


def must_compile() -> bool:
    """Load the smallest kernel, and tell whether it had to be compiled first."""
    taps(1, 1, Filter.BOX)
    return was_compiled(fixed_point_taps)


def _grey_and_classes(image: Image.Image) -> tuple[Grey, NDArray[np.int64]]:
    """Return the grey picture and the number of pixels of each color class, shape (14,)."""
    classes = np.zeros(CLASSES, np.int64)
    if image.mode == "L":
        levels = np.asarray(image)
        black = np.count_nonzero(levels < DARKEST_GREY)
        classes[:2] = black, levels.size - black
        return Grey(levels), classes
    levels = np.empty((image.height, image.width), np.uint8)
    for top, pixels in _color_rows(image):
        read_colors(pixels, levels[top : top + len(pixels)], classes)
    return Grey(levels), classes


def _color_rows(image: Image.Image) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Give the pixels of a picture of mode ``RGB`` without a copy, a few rows at a time where it is large.

    Yields
    ------
    int
        The first row.
    numpy.ndarray
        Shape (rows, columns): red in the lowest byte, then green and blue; the highest means nothing. It looks into
        the picture's own memory, keeps that alive, and cannot be written to.
    """
    try:
        yield 0, _pixels_in_place(image)
    except ValueError:
        rows_at_once = max(1, BLOCK_BYTES // (BYTES_A_PIXEL * image.width))
        for top in range(0, image.height, rows_at_once):
            bottom = min(top + rows_at_once, image.height)
            yield top, _pixels_in_place(image.crop((0, top, image.width, bottom)))


def _pixels_in_place(image: Image.Image) -> NDArray[np.uint32]:
    """Look at pixels where they are.

    Raises
    ------
    ValueError
        If they do not lie in one block.
    """
    channels = pa.array(image).flatten().to_numpy(zero_copy_only=True)
    return np.asarray(channels.view(np.uint32).reshape(image.height, image.width))


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
