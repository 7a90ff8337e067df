"""Which pictures of a listing are one photo: a photo is what was taken once, a picture is one file of it.

Sites encode a photo anew on every crawl, and show it in several sizes. What is counted of a listing are its photos.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

IN_ORDER = ["listing_key", "observed_at", "position", "image_id"]


def photo_of(sightings: pd.DataFrame, versions: pd.DataFrame, *, same_photo: float) -> NDArray[Any]:
    """Return for each sighting which photo of its listing the picture shows: the number of the row first known.

    A picture joins the photo of the earliest picture of its listing that it is the same photo as, when it is first
    known there. Later pictures change nothing of that: two that only a later one shows to be one photo stay two, which
    can only be too careful.

    Parameters
    ----------
    sightings
        ``listing_key, image_id, observed_at``, and ``position`` to settle ties; each picture of a listing once.
    versions
        Alike pictures of one listing (``VERSION_COLUMNS`` of `features.facts`).
    same_photo
        From this probability on two pictures are one photo.

    Returns
    -------
    ndarray of int64, shape (sightings,)
        Equal for the pictures of one photo of one listing, and for no others: a position in ``sightings``.
    """
    photo = np.arange(len(sightings))
    pairs = versions[versions["same_photo"] >= same_photo]
    several = np.flatnonzero(sightings["listing_key"].isin(pairs["listing_key"]))
    if several.size:
        photo[several] = several[_earliest(sightings.iloc[several], pairs)]
    return photo


def _earliest(sightings: pd.DataFrame, pairs: pd.DataFrame) -> NDArray[np.int64]:
    """Return for each sighting the position of the first one that shows the same photo."""
    ranked = sightings[IN_ORDER].assign(row=np.arange(len(sightings))).sort_values(IN_ORDER, kind="stable")
    ranked = ranked.assign(rank=np.arange(len(ranked)))
    for side in ("image_id", "other_image_id"):
        named = ranked.rename(columns={"image_id": side, "rank": f"{side}_rank", "observed_at": f"{side}_at"})
        pairs = pairs.merge(named[["listing_key", side, f"{side}_rank", f"{side}_at"]], on=["listing_key", side])
    one, other = pairs["image_id_at"], pairs["other_image_id_at"]
    denied = pairs["denied_at"] <= one.where(one >= other, other)
    ranks = pairs.loc[~denied, ["image_id_rank", "other_image_id_rank"]].to_numpy(np.int64)
    first = np.arange(len(ranked))
    np.minimum.at(first, ranks.max(axis=1), ranks.min(axis=1))
    while not np.array_equal(first, first[first]):
        first = first[first]
    rows = ranked["row"].to_numpy(np.int64)
    positions = np.empty(len(rows), np.int64)
    positions[rows] = rows[first]
    return positions
