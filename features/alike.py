"""Which pictures look alike: pairs among new and known ones, a ranked search, groups of one photo."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from features.comparison import Edit, Pictures, candidate_blocks, compare
from features.facts import ALIKE_COLUMNS, DISTANCE_COLUMNS, HASH_KINDS
from features.information import LOW_INFORMATION
from features.same_photo import operating_point

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

__all__ = [
    "DUPLICATE_COLUMNS",
    "RADII",
    "SEARCH_COLUMNS",
    "Edit",
    "alike_blocks",
    "alike_pairs",
    "duplicates",
    "search",
]

RADII: Mapping[str, int] = MappingProxyType({"phash": 10, "dhash": 8})
"""Most differing bits, for each kind of hash, at which a pair is looked at; within one of them is enough.

Measured on 1,737,075 pairs of different real photographs: 45 lie within 10 bits by phash, 85 within 8 by dhash. The
other kinds are too weak alone: 92 pairs within 2 by ahash, 132 within 2 by whash, 15,177 with equal colorhash. The
two radii together miss 1 of 6,880 mild edits (344 photographs, 20 edits of each).
"""

SEARCH_COLUMNS = ("query", "rank", "image_id", *DISTANCE_COLUMNS, "edit", "same_photo")
DUPLICATE_COLUMNS = ("group", "image_id")
NO_ROWS = np.empty(0, np.int64)


def alike_pairs(new: pd.DataFrame, known: pd.DataFrame, *, radii: Mapping[str, int] = RADII) -> pd.DataFrame:
    """Find every pair of pictures that look alike and of which at least one is new.

    Parameters
    ----------
    new, known
        Fingerprints with distinct ``image_id`` (``FINGERPRINT_COLUMNS``); a picture in both counts as new. Pictures
        with less than ``LOW_INFORMATION`` bits make no pairs.
    radii
        Most differing bits, for each kind of hash that may bring a pair in.

    Returns
    -------
    pandas.DataFrame
        ``ALIKE_COLUMNS``: each pair once, ``image_id`` < ``other_image_id``, ordered by both. Distances are ``int64``
        in bits, ``edit`` is one of `Edit` but never ``none``, ``same_photo`` a probability.
    """
    pairs = pd.concat(alike_blocks(new, known, radii=radii), ignore_index=True)
    return pairs.sort_values(["image_id", "other_image_id"], ignore_index=True)


def alike_blocks(new: pd.DataFrame, known: pd.DataFrame, *, radii: Mapping[str, int] = RADII) -> Iterator[pd.DataFrame]:
    """Yield the rows of `alike_pairs` in parts of bounded size, however many pictures look alike.

    Every pair is in one part only. There is at least one part; all but the first hold rows.
    """
    pictures = Pictures.of(_distinct(new, known))
    is_new = pictures.image_id.isin(new["image_id"]).to_numpy(dtype=bool)
    yield _pairs(pictures, NO_ROWS, NO_ROWS)
    for first, second in _pair_blocks(pictures.hashes, is_new, radii):
        if first.size:
            yield _pairs(pictures, first, second)


def search(
    queries: pd.DataFrame,
    known: pd.DataFrame,
    *,
    kind: str | None = None,
    within: int | None = None,
    min_probability: float | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Rank the known pictures that look like each query.

    With a ``kind`` this is plain ranking by the distance of that hash, as with ImageHash alone. Without one,
    candidates by all `RADII` are ranked by their probability of being the same photo, and pictures with too little
    information match nothing but their own bytes.

    Parameters
    ----------
    queries, known
        Fingerprints (``FINGERPRINT_COLUMNS``); ``image_id`` is distinct in ``known``.
    kind
        One of ``HASH_KINDS``.
    within
        Most differing bits of a hit; default: the radius in `RADII`, or 0 for a kind that has none there.
    min_probability
        Least probability of a hit; default: the operating point, or 0 where a ``kind`` is given.
    limit
        Most hits of one query; default: all.

    Returns
    -------
    pandas.DataFrame
        ``SEARCH_COLUMNS``: ``query`` is the row number in ``queries``, ``rank`` counts from 1; equally good hits are
        ordered by ``image_id``.
    """
    asked, pictures = Pictures.of(queries), Pictures.of(known)
    if min_probability is None:
        min_probability = operating_point() if kind is None else 0.0
    found = [_hits(asked, pictures, NO_ROWS, NO_ROWS)]
    for query, key in candidate_blocks(asked.hashes, pictures.hashes, _search_radii(kind, within)):
        hits = _hits(asked, pictures, query, key)
        if kind is None:
            recognisable = asked.informative[query] & pictures.informative[key]
            hits = hits[recognisable | (hits["edit"] == Edit.NONE)]
        found.append(_ranked(hits[hits["same_photo"] >= min_probability], kind, limit))
    return pd.concat(found, ignore_index=True)


def duplicates(
    fingerprints: pd.DataFrame,
    *,
    kind: str | None = None,
    within: int = 0,
    min_probability: float | None = None,
) -> pd.DataFrame:
    """Group the pictures that are one photo.

    Whatever is the same as something in a group belongs to the group, so that a chain of near-equal pictures is one.
    Equal hashes always are.

    Parameters
    ----------
    fingerprints
        ``FINGERPRINT_COLUMNS`` with distinct ``image_id``.
    kind
        Group by the distance of this hash alone, as with ImageHash alone, pictures with little information included.
    within
        Most differing bits inside a group, where a ``kind`` is given.
    min_probability
        Least probability of being the same photo; default: the operating point, or 0 where a ``kind`` is given.

    Returns
    -------
    pandas.DataFrame
        ``DUPLICATE_COLUMNS``: pictures of groups of two and more, ordered. Groups are numbered from 0 in the order
        of their first ``image_id``.
    """
    if min_probability is None:
        min_probability = operating_point() if kind is None else 0.0
    informative = fingerprints["information"] >= LOW_INFORMATION
    members = (fingerprints if kind else fingerprints[informative]).sort_values("image_id", ignore_index=True)
    hash_columns = [kind] if kind else list(HASH_KINDS)
    alike = members.groupby(hash_columns, sort=False).ngroup().to_numpy()
    distinct = Pictures.of(members.drop_duplicates(hash_columns))
    radii = {kind: within} if kind else RADII
    group = _connected(distinct, radii, min_probability)[alike]
    grouped = pd.DataFrame({"group": group, "image_id": members["image_id"]})
    grouped = grouped[grouped.groupby("group")["group"].transform("size") > 1]
    numbered = grouped.assign(group=grouped.groupby("group", sort=False).ngroup().astype(np.int64))
    return numbered.sort_values(["group", "image_id"], ignore_index=True)


def _distinct(new: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Put the informative pictures together, each once, ordered by ``image_id``."""
    together = pd.concat([new, known]).drop_duplicates("image_id")
    return together[together["information"] >= LOW_INFORMATION].sort_values("image_id")


def _pair_blocks(
    hashes: NDArray[np.uint64], is_new: NDArray[np.bool_], radii: Mapping[str, int]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield row numbers of pairs, the lower first, of which at least one is new, each pair once."""
    asked = np.flatnonzero(is_new)
    for query, key in candidate_blocks(hashes[asked], hashes, radii):
        row = asked[query]
        # A pair of two new pictures is met from both sides, a new picture also meets itself.
        once = ~is_new[key] | (row < key)
        yield np.minimum(row, key)[once], np.maximum(row, key)[once]


def _pairs(pictures: Pictures, first: NDArray[np.int64], second: NDArray[np.int64]) -> pd.DataFrame:
    pairs = compare(pictures, first, pictures, second)
    pairs["image_id"] = pictures.image_id.take(first).array
    pairs["other_image_id"] = pictures.image_id.take(second).array
    return pairs[list(ALIKE_COLUMNS)]


def _search_radii(kind: str | None, within: int | None) -> Mapping[str, int]:
    kinds = RADII if kind is None else {kind: RADII.get(kind, 0)}
    return kinds if within is None else dict.fromkeys(kinds, within)


def _hits(asked: Pictures, pictures: Pictures, query: NDArray[np.int64], key: NDArray[np.int64]) -> pd.DataFrame:
    hits = compare(asked, query, pictures, key)
    hits = hits.assign(query=query, rank=np.int64(0), image_id=pictures.image_id.take(key).array)
    return hits[list(SEARCH_COLUMNS)]


def _ranked(hits: pd.DataFrame, kind: str | None, limit: int | None) -> pd.DataFrame:
    """Order the hits of each query, best first, number them, and keep the best ones."""
    nearest = hits[f"distance_{kind}"] if kind else hits[list(DISTANCE_COLUMNS)].sum(axis=1)
    order = ["query", "nearest", "doubt"] if kind else ["query", "doubt", "nearest"]
    ranked = hits.assign(nearest=nearest, doubt=-hits["same_photo"]).sort_values([*order, "image_id"])
    ranked["rank"] = ranked.groupby("query").cumcount() + 1
    return ranked.loc[ranked["rank"] <= limit if limit is not None else slice(None), list(SEARCH_COLUMNS)]


def _connected(pictures: Pictures, radii: Mapping[str, int], min_probability: float) -> NDArray[np.int64]:
    """Return for each picture the number of its group, which chains of probable enough pairs hold together."""
    count = len(pictures.hashes)
    group = np.arange(count)
    for first, second in _pair_blocks(pictures.hashes, np.ones(count, dtype=bool), radii):
        sure = (compare(pictures, first, pictures, second)["same_photo"] >= min_probability).to_numpy()
        links = coo_array((np.ones(sure.sum()), (group[first[sure]], group[second[sure]])), shape=(count, count))
        group = connected_components(links, directed=False)[1][group]
    return group.astype(np.int64)
