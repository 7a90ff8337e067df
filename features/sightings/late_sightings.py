"""Sightings that somebody posted earlier than ours but that were observed later: late crawls and back-fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.sightings.sighting_queries import NEVER
from features.sightings.sparse_table import FirstBelow
from features.timeline import Integers, Timeline

if TYPE_CHECKING:
    import pandas as pd

    from features.sightings.account_groups import AccountGroups
    from features.sightings.sighting_queries import Queries


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFirst:
    """When the own party had first shown and first posted the photo of each query, by what its sighting could know.

    ``shown`` is a rank, `NEVER` if the own sighting is the first; ``posted_us`` is in microseconds.
    """

    shown: Integers
    posted_us: Integers


def late_sightings(queries: Queries, groups: AccountGroups, asked: Integers, own_first: OwnFirst) -> pd.DataFrame:
    """Return, for each own sighting, the first to become known of those that others had posted earlier.

    A sighting is *late* if another party's was posted before the own party had posted the photo, as far as that is
    known when the other sighting is observed, and was observed after the own party's first. Of all pictures that are
    the same photo only the very first late sighting is named: whatever is observed after it changes nothing.

    The cost is that of sorting the sightings, plus one step for each time that the own party is found to have posted
    the picture earlier than was known before.

    Parameters
    ----------
    queries
        Own sightings and pictures like theirs.
    asked
        Positions of the queries to answer: the picture is the same photo, and nobody had shown it earlier.
    own_first
        For all queries.

    Returns
    -------
    pandas.DataFrame
        ``query``, ``row`` of the other sighting in ``queries.sightings`` and its ``rank``.
    """
    records = _records(queries.sightings)
    timeline = Timeline.of(records["picture"].to_numpy(), records["rank"].to_numpy())
    records = records.iloc[timeline.order].reset_index(drop=True)
    posted_us = records["posted_us"].to_numpy()
    picture = queries.picture[asked]
    start = timeline.until(picture, np.minimum(queries.rank, own_first.shown)[asked])
    stop = timeline.until(picture, np.full(len(asked), NEVER))
    below = FirstBelow.of(posted_us, int((stop - start).max(initial=0)))
    at = below.find(start, stop, own_first.posted_us[asked])
    open_ = np.flatnonzero(at < stop)
    while open_.size:
        theirs = records["seller_key"].to_numpy()[at[open_]]
        ours = groups.one_party(queries.seller_key[asked[open_]], theirs, queries.observed_us[asked[open_]])
        open_ = open_[ours]
        at[open_] = below.find(at[open_] + 1, stop[open_], posted_us[at[open_]])
        open_ = open_[at[open_] < stop[open_]]
    found = np.flatnonzero(at < stop)
    named = records.iloc[at[found]].reset_index(drop=True).assign(query=asked[found])
    named = named[named["observed_us"] < queries.denied_us[named["query"]]]
    named = named.assign(own_row=queries.own_row[named["query"]]).sort_values(["rank", "listing_key", "image_id"])
    return named.drop_duplicates("own_row")[["query", "row", "rank"]]


def _records(sightings: pd.DataFrame) -> pd.DataFrame:
    """Return the sightings of a picture that its seller posted earlier than all that were observed before."""
    ordered = sightings.sort_values(["rank", "listing_key"], kind="stable", ignore_index=True)
    by_seller = ordered.groupby(["picture", "seller_key"])["posted_us"]
    earlier = by_seller.cummin().groupby([ordered["picture"], ordered["seller_key"]]).shift()
    return ordered[earlier.isna() | (ordered["posted_us"] < earlier)]
