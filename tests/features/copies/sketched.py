"""Drawn photographs by number, with what the search for copies keeps of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from data.synthetic.drawn_pictures import Scene, draw_photo
from features.hashing.pillow_hashes import read_by_pillow
from features.keypoints.descriptor import Descriptor, describe
from features.keypoints.keypoints import shrunk_size
from features.registration.registration import View

if TYPE_CHECKING:
    from numpy.typing import NDArray


@cache
def photo(number: int) -> Image.Image:
    return draw_photo(Scene(category=number % 8, setting=31 * number + 1, item=17 * number + 3, view=number))


def grey_of(image: Image.Image) -> NDArray[np.uint8]:
    """As points are looked for in it."""
    return np.asarray(image.convert("L").resize(shrunk_size(*image.size), Image.Resampling.BOX))


def sketch_of(image: Image.Image) -> Descriptor:
    return describe(read_by_pillow(image), *image.size)


def view_of(image: Image.Image) -> View:
    return View.of(sketch_of(image), *image.size)


def in_orientation(levels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Mirror, flip and exchange a picture as the bits of the orientation say, in this order."""
    if orientation & 1:
        levels = levels[:, ::-1]
    if orientation & 2:
        levels = levels[::-1]
    return np.ascontiguousarray(levels.T if orientation & 4 else levels)
