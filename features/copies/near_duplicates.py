"""Which of the pictures of a collection are one photo, or look so: the pairs that matching is made of."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from features.copies.collection import ID_TYPE, Pictures, collection, part
from features.copies.pairs import candidate_pairs, deduplicate, swap
from features.facts import ALIGNMENT_COLUMNS, NEAR_DUPLICATE_COLUMNS
from features.hamming import hamming_index
from features.keypoints.descriptor import THUMBNAIL_SIDE, Descriptor
from features.keypoints.keypoints import KEYPOINT, MOST_KEYPOINTS, find_keypoints
from features.registration.registration import describe, register

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from features.copies.collection import Collection

KEPT = 0.1
"""Probability of being one photo below which a pair is nothing: chance agreement of a few points."""
SIDE = 320
"""Of the picture that is compared with itself to warm up."""


def near_duplicate_pairs(collection: Collection, new: NDArray[np.int64]) -> pd.DataFrame:
    """Find every pair of pictures that look alike and of which at least one is new.

    Pictures with less than ``LOW_INFORMATION`` bits make no pairs. What is said of a pair depends on its two pictures
    alone. Whether it is found may depend on which of them is new in two cases. A query picture asks with twice as many
    points as a reference is found by: a poor pair may be found only by the one picture asking for the other, and is
    then missing where that one was there first. And a picture that is like more than `MOST_CANDIDATES` others by its
    points, or by its hashes, is paired with the most similar ones only, unless the others come later and find it.

    Parameters
    ----------
    collection
        The new pictures and the reference pictures.
    new
        Rows of the new pictures, some thousands at a time: all their candidates are held at once.

    Returns
    -------
    pandas.DataFrame
        ``NEAR_DUPLICATE_COLUMNS`` and ``ALIGNMENT_COLUMNS``: each pair once, ``image_id`` < ``other_image_id``, ordered
        by both. Distances are ``int64`` in bits, ``edit`` as `features.registration.edits` names it, ``same_photo`` a
        probability from `KEPT` on. The alignment leads from the picture to the other one.
    """
    pictures, read = collection.pictures, collection.read
    pairs = candidate_pairs(pictures, new[pictures.informative[new]], read, collection, same_bytes=False)
    # The picture with the smaller id becomes the reference of its pair.
    pairs = deduplicate(swap(pairs, pictures.image_id[pairs.query] < pictures.image_id[pairs.reference]))
    described = describe(register(pairs, pictures, read, pictures, read))
    named = described.rename(columns={"reference_image_id": "image_id", "query_image_id": "other_image_id"})
    kept = named.loc[named["same_photo"] >= KEPT, [*NEAR_DUPLICATE_COLUMNS, *ALIGNMENT_COLUMNS]]
    return kept.sort_values(["image_id", "other_image_id"], ignore_index=True)


@cache
def warmup(say: Callable[[str], None]) -> None:
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
    near_duplicate_pairs(collection([part(two, np.stack([points, points]), 0)], read), np.array([1]))
