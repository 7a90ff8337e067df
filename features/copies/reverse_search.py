"""Reverse image search: which reference pictures are like those that somebody asks about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.copies.collection import RADII, Pictures
from features.copies.pairs import by_hashes, candidate_pairs, deduplicate, without_inliers
from features.facts import DISTANCE_COLUMNS
from features.registration.edits import Edit
from features.registration.registration import describe, register
from features.registration.same_photo import operating_point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.copies.collection import Collection, DescriptorReader
    from features.copies.pairs import Pairs

SEARCH_COLUMNS = ("query", "rank", "image_id", *DISTANCE_COLUMNS, "edit", "same_photo", "found_by", "matched_points")


def search(
    queries: pd.DataFrame,
    read: DescriptorReader,
    reference: Collection,
    *,
    min_probability: float | None = None,
    limit: int | None = None,
    different: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Rank the reference pictures that may be the photo of a query, the likeliest first.

    Pictures with too little information match nothing but their own bytes.

    Parameters
    ----------
    queries
        Fingerprints (``FINGERPRINT_COLUMNS``), one row each.
    read
        Reads their sketches.
    reference
        The reference pictures.
    min_probability
        Least probability of a hit; default: the operating point for so many pictures.
    limit
        Most hits of one query; default: all.
    different
        Pairs of pictures that somebody found to be different photos (``image_id, other_image_id``): none is a hit.

    Returns
    -------
    pandas.DataFrame
        ``SEARCH_COLUMNS``: ``query`` is the row number in ``queries``, ``rank`` counts from 1; the same bytes come
        first, and equally good hits are ordered by ``image_id``. ``found_by`` is ``points``, ``hashes`` or ``bytes``,
        ``matched_points`` how many points agree.
    """
    query = Pictures.of(queries)
    least = operating_point(len(reference.pictures.image_id)) if min_probability is None else min_probability
    rows = np.arange(len(query.image_id))
    pairs = deduplicate(candidate_pairs(query, rows, read, reference, same_bytes=True))
    hits = _hits(query, read, reference, pairs)
    hits = hits[(hits["same_photo"] >= least) & ~_denied(hits, different)]
    nearest = hits[list(DISTANCE_COLUMNS)].sum(axis=1)
    return _ranked(hits.assign(first=-hits["same_photo"], then=nearest), limit)


def _denied(hits: pd.DataFrame, different: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Tell which hits are on a picture that is known to be another photo."""
    if different is None:
        return np.zeros(len(hits), bool)
    either_way = [different[["image_id", "other_image_id"]], different[["other_image_id", "image_id"]]]
    denied = pd.MultiIndex.from_arrays(list(np.concatenate([pairs.to_numpy() for pairs in either_way]).T))
    return pd.MultiIndex.from_frame(hits[["query_image_id", "reference_image_id"]]).isin(denied)


def search_by_hash(
    queries: pd.DataFrame,
    read: DescriptorReader,
    reference: Collection,
    *,
    kind: str,
    within: int | None = None,
    min_probability: float = 0.0,
    limit: int | None = None,
) -> pd.DataFrame:
    """Rank the reference pictures by the distance of one hash, as with ImageHash alone.

    Parameters
    ----------
    kind
        One of ``HASH_KINDS``.
    within
        Most differing bits of a hit; default: the radius in `RADII`, or 0 for a kind that has none there.
    queries, read, reference, min_probability, limit
        As for `search`; ``same_photo`` is measured of all hits.

    Returns
    -------
    pandas.DataFrame
        ``SEARCH_COLUMNS``, the nearest first; of equally near ones the likeliest.
    """
    query = Pictures.of(queries)
    radii = {kind: RADII.get(kind, 0) if within is None else within}
    pairs = without_inliers(*by_hashes(query.hashes, reference, radii))
    hits = _hits(query, read, reference, pairs)
    hits = hits[hits["same_photo"] >= min_probability]
    return _ranked(hits.assign(first=hits[f"distance_{kind}"], then=-hits["same_photo"]), limit)


def _hits(query: Pictures, read: DescriptorReader, reference: Collection, pairs: Pairs) -> pd.DataFrame:
    hits = describe(register(pairs, query, read, reference.pictures, reference.read))
    found_by = np.select([hits["edit"] == Edit.NONE, pairs.inliers > 0], ["bytes", "points"], "hashes")
    return hits.assign(
        query=pairs.query,
        image_id=hits["reference_image_id"],
        found_by=pd.array(found_by, dtype="str"),
    )


def _ranked(hits: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    """Order the hits of each query, number them, and keep the best ones."""
    other_bytes = hits["edit"] != Edit.NONE
    order = ["query", "first", "other_bytes", "then", "image_id"]
    ranked = hits.assign(other_bytes=other_bytes).sort_values(order, ignore_index=True)
    ranked["rank"] = ranked.groupby("query").cumcount() + 1
    return ranked.loc[ranked["rank"] <= limit if limit is not None else slice(None), list(SEARCH_COLUMNS)]
