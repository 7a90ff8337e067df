"""Which pictures are one photo: groups of pictures that were posted in several versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from features.index.search import Index

if TYPE_CHECKING:
    from numpy.typing import NDArray

PHOTO_COLUMNS = ("group", "image_id")


def photos(alike: pd.DataFrame, least: float) -> pd.DataFrame:
    """Group the pictures that are one photo.

    Whatever is the same as something in a group belongs to the group, so that a chain of copies is one.

    Parameters
    ----------
    alike
        Pairs of pictures that look alike (``ALIKE_COLUMNS``).
    least
        Least probability of being one photo, for a pair that holds a group together.

    Returns
    -------
    pandas.DataFrame
        ``PHOTO_COLUMNS``: pictures of groups of two and more, ordered. Groups are numbered from 0 in the order of
        their first ``image_id``.
    """
    sure = alike[alike["same_photo"] >= least]
    ids = pd.Index(np.unique(np.concatenate([sure["image_id"], sure["other_image_id"]])), dtype="str")
    one, other = ids.get_indexer(sure["image_id"]), ids.get_indexer(sure["other_image_id"])
    return _numbered(_connected(one, other, len(ids)), ids)


def photos_by_hash(fingerprints: pd.DataFrame, *, kind: str, within: int) -> pd.DataFrame:
    """Group pictures by the distance of one hash, as with ImageHash alone, those with little information included.

    Parameters
    ----------
    fingerprints
        ``FINGERPRINT_COLUMNS`` with distinct ``image_id``.
    kind, within
        One of ``HASH_KINDS``, and the most differing bits of two pictures that hold a group together.

    Returns
    -------
    pandas.DataFrame
        As `photos`.
    """
    members = fingerprints.sort_values("image_id", ignore_index=True)
    equal = members.groupby(kind, sort=False).ngroup().to_numpy()
    index = Index.of_keys(members.drop_duplicates(kind)[kind].to_numpy(np.uint64))
    near = index.pairs(within)
    one, other = index.items_at(near.query_index).astype(np.int64), index.items_at(near.key_index).astype(np.int64)
    group = _connected(one, other, len(index))
    return _numbered(group[equal], pd.Index(members["image_id"]))


def _connected(one: NDArray[np.int64], other: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return for each of so many nodes the number of its group, which links hold together."""
    links = coo_array((np.ones(len(one)), (one, other)), shape=(count, count))
    return connected_components(links, directed=False)[1].astype(np.int64)


def _numbered(group: NDArray[np.int64], ids: pd.Index) -> pd.DataFrame:
    grouped = pd.DataFrame({"group": group, "image_id": ids.astype("str")})
    grouped = grouped[grouped.groupby("group")["group"].transform("size") > 1]
    numbered = grouped.assign(group=grouped.groupby("group", sort=False).ngroup().astype(np.int64))
    return numbered.sort_values(["group", "image_id"], ignore_index=True)[list(PHOTO_COLUMNS)]
