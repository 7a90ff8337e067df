"""Listings tied by their photos: what must not stand on both sides of a split."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.copies.photo_groups import component_numbers
from features.sightings.evidence import SAME_PHOTO

MAX_SELLERS_TIED = 20
"""A picture that more sellers show (a placeholder, a maker's photo) would chain half a market together."""


def photo_clusters(sightings: pd.DataFrame, alike: pd.DataFrame, *, max_sellers: int = MAX_SELLERS_TIED) -> pd.Series:
    """Group listings connected through the same or alike photos.

    Pictures shown by more than ``max_sellers`` sellers tie nobody, neither directly nor through an alike picture:
    remembering a placeholder is not remembering a theft.

    Parameters
    ----------
    sightings
        ``image_id, listing_key, seller_key``.
    alike
        ``image_id, other_image_id, same_photo`` (probability).
    max_sellers
        Most sellers a tying picture may have.

    Returns
    -------
    Series
        int64 cluster by ``listing_key``: the smallest key of its connected component, so that a number
        depends on the listings and never on the order of the rows.
    """
    listings, listing_at = np.unique(sightings["listing_key"].to_numpy("int64"), return_inverse=True)
    images = pd.Index(sightings["image_id"].unique())
    sellers = sightings.groupby("image_id")["seller_key"].nunique().reindex(images).to_numpy()
    tying = sellers <= max_sellers

    shown = images.get_indexer(sightings["image_id"])
    own = tying[shown]
    pairs = alike[alike["same_photo"] >= SAME_PHOTO]
    left, right = images.get_indexer(pairs["image_id"]), images.get_indexer(pairs["other_image_id"])
    both = (left >= 0) & (right >= 0)
    both[both] = tying[left[both]] & tying[right[both]]

    sources = np.concatenate([listing_at[own], len(listings) + left[both]])
    targets = np.concatenate([len(listings) + shown[own], len(listings) + right[both]])
    component = component_numbers(sources, targets, len(listings) + len(images))[: len(listings)]
    smallest = pd.Series(listings).groupby(component).transform("min").to_numpy("int64")
    return pd.Series(smallest, index=pd.Index(listings, name="listing_key"), name="photo_cluster")
