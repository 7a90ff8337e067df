"""Reverse image search: which known pictures are like those that somebody asks about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.copies.candidates import MOST_CANDIDATES
from features.copies.collection import Pictures
from features.copies.near_duplicates import RADII
from features.copies.pairs import (
    Pairs,
    by_hashes,
    by_points,
    described,
    joined,
    nearest_few,
    surest,
    without_votes,
)
from features.facts import DISTANCE_COLUMNS
from features.registration.edits import Edit
from features.registration.registration import lay_over
from features.registration.same_photo import operating_point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.copies.collection import Collection, SketchReader

SEARCH_COLUMNS = ("query", "rank", "image_id", *DISTANCE_COLUMNS, "edit", "same_photo", "found_by", "matched_points")


def search(
    queries: pd.DataFrame,
    read: SketchReader,
    known: Collection,
    *,
    min_probability: float | None = None,
    limit: int | None = None,
    different: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Rank the known pictures that may be the photo of a query, the likeliest first.

    Pictures with too little information match nothing but their own bytes.

    Parameters
    ----------
    queries
        Fingerprints (``FINGERPRINT_COLUMNS``), one row each.
    read
        Reads their sketches.
    known
        The known pictures.
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
    asked = Pictures.of(queries)
    least = operating_point(len(known.pictures.image_id)) if min_probability is None else min_probability
    near = _worthwhile(asked, known.pictures, without_votes(*by_hashes(asked.hashes, known, RADII)))
    informative = np.flatnonzero(asked.informative)
    found = _worthwhile(asked, known.pictures, by_points(informative, asked, read, known))
    pairs = surest(joined([found, nearest_few(asked, known.pictures, near, MOST_CANDIDATES)]))
    hits = _hits(asked, read, known, pairs)
    hits = hits[(hits["same_photo"] >= least) & ~_denied(hits, different)]
    nearest = hits[list(DISTANCE_COLUMNS)].sum(axis=1)
    return _ranked(hits.assign(first=-hits["same_photo"], then=nearest), limit)


def _worthwhile(asked: Pictures, known: Pictures, pairs: Pairs) -> Pairs:
    """Leave out pairs with a picture that holds too little to be recognised, but for the same bytes."""
    recognisable = asked.informative[pairs.asked] & known.informative[pairs.known]
    return pairs.take(np.flatnonzero(recognisable | (asked.image_id[pairs.asked] == known.image_id[pairs.known])))


def _denied(hits: pd.DataFrame, different: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Tell which hits are on a picture that is known to be another photo."""
    if different is None:
        return np.zeros(len(hits), bool)
    either_way = [different[["image_id", "other_image_id"]], different[["other_image_id", "image_id"]]]
    denied = pd.MultiIndex.from_arrays(list(np.concatenate([pairs.to_numpy() for pairs in either_way]).T))
    return pd.MultiIndex.from_frame(hits[["asked_image_id", "known_image_id"]]).isin(denied)


def search_by_hash(
    queries: pd.DataFrame,
    read: SketchReader,
    known: Collection,
    *,
    kind: str,
    within: int | None = None,
    min_probability: float = 0.0,
    limit: int | None = None,
) -> pd.DataFrame:
    """Rank the known pictures by the distance of one hash, as with ImageHash alone.

    Parameters
    ----------
    kind
        One of ``HASH_KINDS``.
    within
        Most differing bits of a hit; default: the radius in `RADII`, or 0 for a kind that has none there.
    queries, read, known, min_probability, limit
        As for `search`; ``same_photo`` is measured of all hits.

    Returns
    -------
    pandas.DataFrame
        ``SEARCH_COLUMNS``, the nearest first; of equally near ones the likeliest.
    """
    asked = Pictures.of(queries)
    radii = {kind: RADII.get(kind, 0) if within is None else within}
    pairs = without_votes(*by_hashes(asked.hashes, known, radii))
    hits = _hits(asked, read, known, pairs)
    hits = hits[hits["same_photo"] >= min_probability]
    return _ranked(hits.assign(first=hits[f"distance_{kind}"], then=-hits["same_photo"]), limit)


def _hits(asked: Pictures, read: SketchReader, known: Collection, pairs: Pairs) -> pd.DataFrame:
    laid = lay_over(pairs, asked, read, known.pictures, known.read)
    hits = described(asked, known.pictures, pairs, laid)
    found_by = np.select([hits["edit"] == Edit.NONE, pairs.votes > 0], ["bytes", "points"], "hashes")
    return hits.assign(
        query=pairs.asked,
        image_id=hits["known_image_id"],
        found_by=pd.array(found_by, dtype="str"),
        matched_points=laid.overlays["matches"],
    )


def _ranked(hits: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    """Order the hits of each query, number them, and keep the best ones."""
    other_bytes = hits["edit"] != Edit.NONE
    order = ["query", "first", "other_bytes", "then", "image_id"]
    ranked = hits.assign(other_bytes=other_bytes).sort_values(order, ignore_index=True)
    ranked["rank"] = ranked.groupby("query").cumcount() + 1
    return ranked.loc[ranked["rank"] <= limit if limit is not None else slice(None), list(SEARCH_COLUMNS)]
