"""The segments of ImageHash's crop-resistant hash, found at once and not pixel by pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Corners = set[tuple[int, int]]


def find_segment_corners(pixels: NDArray[np.float32], segment_threshold: int, min_segment_size: int) -> list[Corners]:
    """Return upper left and lower right pixel of each segment that ``imagehash._find_all_segments`` returns.

    The library takes half a second for what is a labelling of connected pixels, and then uses the outermost pixels
    alone. Its search for dark segments ends when as many pixels are assigned as the picture has, to which it counts
    the rim outside the picture: its last few segments are never looked for. That is kept.
    """
    bright = pixels > segment_threshold
    searched = 2 * sum(pixels.shape)
    found: list[Corners] = []
    for is_dark, mask in enumerate((bright, ~bright)):
        for box, size in connected(mask):
            if is_dark and searched >= pixels.size:
                break
            searched += size if size > 1 else 0
            if size > min_segment_size:
                found.append({(box[0].start, box[1].start), (box[0].stop - 1, box[1].stop - 1)})
    return found


def connected(mask: NDArray[np.bool_]) -> list[tuple[tuple[slice, ...], int]]:
    """Return bounding box and size of the areas connected along rows and columns, by their first pixel."""
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    _, first = np.unique(labels, return_index=True)
    order: list[int] = np.argsort(first[-count:]).tolist() if count else []
    boxes = ndimage.find_objects(labels)
    return [(boxes[label], int(sizes[label])) for label in order]
