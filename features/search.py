"""Reverse image search: which known pictures are like those that somebody asks about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.alike import RADII
from features.collection import Pictures
from features.comparison import Pairs, by_hashes, by_points, described, joined, lay_over, surest, upright_pairs
from features.edits import Edit
from features.facts import DISTANCE_COLUMNS
from features.same_photo import operating_point

if TYPE_CHECKING:
    from features.collection import Collection, SketchReader

SEARCH_COLUMNS = ("query", "rank", "image_id", *DISTANCE_COLUMNS, "edit", "same_photo", "found_by", "matched_points")


def search(
    queries: pd.DataFrame,
    read: SketchReader,
    known: Collection,
    *,
    min_probability: float | None = None,
    limit: int | None = None,
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

    Returns
    -------
    pandas.DataFrame
        ``SEARCH_COLUMNS``: ``query`` is the row number in ``queries``, ``rank`` counts from 1; equally good hits are
        ordered by ``image_id``. ``found_by`` is ``points``, ``hashes`` or ``bytes``, ``matched_points`` how many points
        agree.
    """
    asked = Pictures.of(queries)
    least = operating_point(len(known.pictures.image_id)) if min_probability is None else min_probability
    rows = np.arange(len(queries))
    near = upright_pairs(*by_hashes(asked.hashes, known, RADII))
    pairs = surest(joined([by_points(rows, asked, read, known), near]))
    hits = _hits(asked, read, known, pairs)
    recognisable = asked.informative[pairs.asked] & known.pictures.informative[pairs.known]
    hits = hits[(recognisable | (hits["edit"] == Edit.NONE)) & (hits["same_photo"] >= least)]
    nearest = hits[list(DISTANCE_COLUMNS)].sum(axis=1)
    return _ranked(hits.assign(first=-hits["same_photo"], then=nearest), limit)


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
        ``SEARCH_COLUMNS``, the nearest first.
    """
    asked = Pictures.of(queries)
    radii = {kind: RADII.get(kind, 0) if within is None else within}
    pairs = upright_pairs(*by_hashes(asked.hashes, known, radii))
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
    ranked = hits.sort_values(["query", "first", "then", "image_id"], ignore_index=True)
    ranked["rank"] = ranked.groupby("query").cumcount() + 1
    return ranked.loc[ranked["rank"] <= limit if limit is not None else slice(None), list(SEARCH_COLUMNS)]
