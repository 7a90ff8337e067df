"""Which pictures are one photo: groups of pictures that were posted in several versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from features.facts import HASH_KINDS
from features.hamming.hamming_index import Index

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.copies.collection import Pictures

PHOTO_COLUMNS = ("group", "image_id")


def photos(pairs: pd.DataFrame, different: pd.DataFrame) -> pd.DataFrame:
    """Group the pictures that are one photo.

    Whatever is the same as something in a group belongs to the group, so that a chain of copies is one. But no group
    holds two different photos: there, the less probable pairs hold nothing together.

    Parameters
    ----------
    pairs
        Of pictures that are one photo (``NEAR_DUPLICATE_COLUMNS``).
    different
        Pairs of pictures that somebody found to be different photos (``image_id, other_image_id``).

    Returns
    -------
    pandas.DataFrame
        ``PHOTO_COLUMNS``: pictures of groups of two and more, ordered. Groups are numbered from 0 in the order of
        their first ``image_id``.
    """
    ids = pd.Index(np.unique(np.concatenate([pairs["image_id"], pairs["other_image_id"]])), dtype="str")
    links = _places(ids, pairs)
    group = component_numbers(links[:, 0], links[:, 1], len(ids))
    apart = _places(ids, different)
    apart = apart[(apart >= 0).all(axis=1)]
    torn = apart[group[apart[:, 0]] == group[apart[:, 1]]]
    if torn.size:
        in_torn = np.isin(group[links[:, 0]], group[torn[:, 0]])
        surest_first = pairs[in_torn].sort_values(
            ["same_photo", "image_id", "other_image_id"], ascending=[False, True, True]
        )
        group = _parted(group, _places(ids, surest_first), torn)
    return _numbered(group, ids)


def photos_by_hash(pictures: Pictures, *, kind: str, within: int) -> pd.DataFrame:
    """Group pictures by the distance of one hash, as with ImageHash alone, those with little information included.

    Parameters
    ----------
    pictures
        Distinct ones, in any order.
    kind, within
        One of ``HASH_KINDS``, and the most differing bits of two pictures that hold a group together.

    Returns
    -------
    pandas.DataFrame
        As `photos`.
    """
    in_order = np.argsort(pictures.image_id)
    hashes, equal = np.unique(pictures.hashes[in_order, HASH_KINDS.index(kind)], return_inverse=True)
    index = Index.of_keys(hashes)
    near = index.pairs(within)
    group = component_numbers(index.items_at(near.query_index), index.items_at(near.key_index), len(hashes))
    return _numbered(group[equal], pd.Index(pictures.names(in_order)))


def component_numbers(one: NDArray[np.integer], other: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Return for each of so many nodes the number of the connected component that links put it in, shape (count,)."""
    links = coo_array((np.ones(len(one)), (one, other)), shape=(count, count))
    numbers: NDArray[np.int64] = connected_components(links, directed=False)[1].astype(np.int64)
    return numbers


def _places(ids: pd.Index, pairs: pd.DataFrame) -> NDArray[np.int64]:
    """Return where the pictures of pairs are among the ids, -1 for those that are not, shape (n, 2)."""
    sides = [ids.get_indexer(pd.Index(pairs[side])) for side in ("image_id", "other_image_id")]
    return np.stack(sides, axis=1).astype(np.int64)


def _parted(group: NDArray[np.int64], links: NDArray[np.int64], apart: NDArray[np.int64]) -> NDArray[np.int64]:
    """Group anew what links hold together, one after the other, leaving out those that would join what is apart."""
    members = {place: {place} for place in np.unique(links).tolist()}
    for one, other in links.tolist():
        left, right = members[one], members[other]
        if not any((a in left and b in right) or (a in right and b in left) for a, b in apart.tolist()):
            left |= right
            members |= dict.fromkeys(right, left)
    parted = group.copy()
    for place, together in members.items():
        parted[place] = len(group) + min(together)
    return parted


def _numbered(group: NDArray[np.int64], ids: pd.Index) -> pd.DataFrame:
    grouped = pd.DataFrame({"group": group, "image_id": ids.astype("str")})
    grouped = grouped[grouped.groupby("group")["group"].transform("size") > 1]
    numbered = grouped.assign(group=grouped.groupby("group", sort=False).ngroup().astype(np.int64))
    return numbered.sort_values(["group", "image_id"], ignore_index=True)[list(PHOTO_COLUMNS)]
