"""The pixels of a Pillow picture as arrays, without a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

BLOCK_BYTES = 8 << 20
"""Half of the blocks in which Pillow keeps pixels; what lies in one block can be looked at where it is."""
BYTES_A_PIXEL = 4


def grey_levels(image: Image.Image) -> NDArray[np.uint8]:
    """Return the levels of a picture of mode ``L``, shape (rows, columns); not to be written to."""
    return np.asarray(image)


def color_rows(image: Image.Image) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Give the pixels of a picture of mode ``RGB``, a few rows at a time where it is large.

    Yields
    ------
    int
        The first row.
    numpy.ndarray
        Shape (rows, columns): red in the lowest byte, then green and blue; the highest means nothing. It looks into
        the picture's own memory, keeps that alive, and cannot be written to.
    """
    try:
        yield 0, _in_place(image)
    except ValueError:
        rows_at_once = max(1, BLOCK_BYTES // (BYTES_A_PIXEL * image.width))
        for top in range(0, image.height, rows_at_once):
            bottom = min(top + rows_at_once, image.height)
            yield top, _in_place(image.crop((0, top, image.width, bottom)))


def _in_place(image: Image.Image) -> NDArray[np.uint32]:
    """Look at pixels where they are.

    Raises
    ------
    ValueError
        If they do not lie in one block.
    """
    channels = pa.array(image).flatten().to_numpy(zero_copy_only=True)
    return np.asarray(channels.view(np.uint32).reshape(image.height, image.width))
