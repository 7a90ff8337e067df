"""Have the machine code of the whole search for copies at hand before the first picture is compared."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from features.copies.collection import ID_TYPE, Pictures
from features.copies.collection_arrays import collection, part
from features.copies.near_duplicates import alike_pairs
from features.hamming import hamming_index
from features.keypoints.descriptor import THUMBNAIL_SIDE, Descriptor
from features.keypoints.keypoints import KEYPOINT, MOST_KEYPOINTS, find_keypoints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SIDE = 320


@cache
def warm(say: Callable[[str], None]) -> None:
    """Load the kernels that comparing pictures takes, the first time in this process.

    The first time on a machine this compiles for some twenty seconds, later it loads for a second or two.

    Parameters
    ----------
    say
        Told in a sentence when there is something to wait for.
    """
    hamming_index.warmup(say)
    noise = np.random.default_rng(0).integers(0, 256, (SIDE // 8, SIDE // 8), np.uint8)
    found = find_keypoints(np.kron(noise, np.ones((8, 8), np.uint8)))
    points = np.zeros(MOST_KEYPOINTS, KEYPOINT)
    points[: len(found)] = found
    sketch = Descriptor(points, np.resize(noise, (THUMBNAIL_SIDE, THUMBNAIL_SIDE)))

    def read(image_ids: Sequence[str]) -> Mapping[str, Descriptor]:
        return dict.fromkeys(image_ids, sketch)

    two = Pictures(
        image_id=np.array([b"0", b"1"], ID_TYPE),
        hashes=np.zeros((2, 5), np.uint64),
        size=np.full((2, 2), SIDE, np.uint32),
        informative=np.ones(2, dtype=bool),
    )
    alike_pairs(collection([part(two, np.stack([points, points]), 0)], read), np.array([1]))
