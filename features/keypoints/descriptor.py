"""What the search for copies keeps of a picture beside its hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from features.keypoints.keypoints import MOST_POINTS, POINT, find_points, shrunk_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.hashing.decoded_picture import Reading

THUMBNAIL_SIDE = 128


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """A picture reduced to what finds and checks its copies.

    Parameters
    ----------
    points
        Its points, the most useful first, then empty ones (size 0): shape (256,), of type
        `features.keypoints.keypoints.POINT`.
    thumbnail
        Grey levels, shape (128, 128), ``uint8``: to lay two pictures over each other.
    """

    points: NDArray[np.void]
    thumbnail: NDArray[np.uint8]


def sketch(reading: Reading, width: int, height: int) -> Sketch:
    """Reduce a picture that has been read; width and height in pixels."""
    grey = reading.shrink(*shrunk_size(width, height))
    points = np.zeros(MOST_POINTS, POINT)
    found = find_points(grey)
    points[: len(found)] = found
    small = Image.fromarray(grey).resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BILINEAR)
    return Sketch(points, np.asarray(small))
