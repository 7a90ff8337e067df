"""Which of the pictures of a collection are one photo, or look so: the pairs that matching is made of."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.copies.candidates import MOST_CANDIDATES
from features.copies.pairs import (
    Pairs,
    aligned,
    by_hashes,
    by_points,
    described,
    joined,
    nearest_few,
    surest,
    turned_round,
    without_votes,
)
from features.facts import ALIGNMENT_COLUMNS, ALIKE_COLUMNS
from features.registration.registration import lay_over

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from features.copies.collection import Collection, Pictures

RADII: Mapping[str, int] = MappingProxyType({"phash": 10, "dhash": 8})
"""Most differing bits, for each kind of hash, at which a pair is looked at; within one of them is enough.

They find copies of pictures that have too few points. Measured on 1,737,075 pairs of different real photographs: 45
lie within 10 bits by phash, 85 within 8 by dhash. The other kinds are too weak alone: 92 pairs within 2 by ahash, 132
within 2 by whash, 15,177 with equal colorhash.
"""

KEPT = 0.1
"""Probability of being one photo below which a pair is nothing: chance agreement of a few points."""


def alike_pairs(collection: Collection, new: NDArray[np.int64]) -> pd.DataFrame:
    """Find every pair of pictures that look alike and of which at least one is new.

    Pictures with less than ``LOW_INFORMATION`` bits make no pairs. What is said of a pair depends on its two pictures
    alone. Whether it is found may depend on which of them is new in two cases. An asked picture asks with twice as many
    points as a known one is found by: a poor pair may be found only by the one picture asking for the other, and is
    then missing where that one was there first. And a picture that is like more than `MOST_CANDIDATES` others by its
    points, or by its hashes, is paired with the most similar ones only, unless the others come later and find it.

    Parameters
    ----------
    collection
        The new pictures and the known ones.
    new
        Rows of the new pictures, some thousands at a time: all their candidates are held at once.

    Returns
    -------
    pandas.DataFrame
        ``ALIKE_COLUMNS`` and ``ALIGNMENT_COLUMNS``: each pair once, ``image_id`` < ``other_image_id``, ordered by both.
        Distances are ``int64`` in bits, ``edit`` as `features.registration.edits` names it, ``same_photo`` a
        probability from `KEPT`
        on. The alignment leads from the picture to the other one.
    """
    pictures = collection.pictures
    pairs = _candidates(collection, new[pictures.informative[new]])
    laid = lay_over(pairs, pictures, collection.read, pictures, collection.read)
    found = pd.concat([described(pictures, pictures, pairs, laid), aligned(laid.overlays)], axis=1)
    found = found.rename(columns={"known_image_id": "image_id", "asked_image_id": "other_image_id"})
    kept = found.loc[found["same_photo"] >= KEPT, [*ALIKE_COLUMNS, *ALIGNMENT_COLUMNS]]
    return kept.sort_values(["image_id", "other_image_id"], ignore_index=True)


def _candidates(collection: Collection, asked: NDArray[np.int64]) -> Pairs:
    """Return the pairs worth a look, each once, the picture with the smaller ``image_id`` as the known one."""
    pictures = collection.pictures
    query, key = by_hashes(pictures.hashes[asked], collection, RADII)
    near = _worthwhile(pictures, without_votes(asked[query], key))
    found = _worthwhile(pictures, by_points(asked, pictures, collection.read, collection))
    pairs = joined([found, nearest_few(pictures, pictures, near, MOST_CANDIDATES)])
    return surest(turned_round(pairs, pictures.image_id[pairs.asked] < pictures.image_id[pairs.known]))


def _worthwhile(pictures: Pictures, pairs: Pairs) -> Pairs:
    return pairs.take(np.flatnonzero((pairs.asked != pairs.known) & pictures.informative[pairs.known]))
