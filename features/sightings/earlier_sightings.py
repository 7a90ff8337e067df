"""Where a picture was seen before: the earliest sighting of each picture like it under another party."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.facts import DISTANCE_COLUMNS, MATCH_COLUMNS
from features.sightings.parties import AccountGroups
from features.sightings.sighting_queries import NEVER, queries_about
from features.timeline import FirstBelow, Integers, Timeline

if TYPE_CHECKING:
    from features.sightings.sighting_queries import Queries

NO_EDIT = "none"


def earlier_sightings(
    own: pd.DataFrame,
    near_duplicates: pd.DataFrame,
    sightings: pd.DataFrame,
    sellers: pd.DataFrame,
    different: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return, for each own sighting and each picture like it, who had shown that picture first.

    The own side is picture ``image_id`` in a listing of seller S, first known at T. Pictures like it are the picture
    itself (distance 0, edit ``none``, ``same_photo`` 1.0) and every partner in ``near_duplicates``. *Another party* is
    a seller other than S who as of T does not share a known ``group_id`` with S. *Earlier* compares ``(observed_at,
    created_at)``; a full tie has no direction and is no match. Of several earliest sightings the one with the smallest
    ``listing_key`` is named.

    Who was copied and posts again has not copied: only others are named who were earlier than S's own first showing of
    the photo (the own picture or a partner with ``same_photo`` from `SAME_PHOTO`), and earlier than that of an account
    of S's group, where this one was the first of all to show such a picture.

    Where nobody was earlier, a *late* match may name another party that posted the photo before S or an account of its
    group had posted it, though it was observed only after S's first showing: a late crawl, or a back-fill. It is known
    from the later of ``observed_at`` and ``other_observed_at`` on. Of all pictures that are the same photo as the own
    one, only the late sighting that became known first is named, so that what is observed later changes no match.

    Pairs of listings are never built: the cost is that of sorting the sightings, plus one step for each account of S's
    own group that showed the picture before anybody else did.

    Parameters
    ----------
    own
        Sightings to explain (``SIGHTING_COLUMNS``).
    near_duplicates
        Pictures that look alike (``NEAR_DUPLICATE_COLUMNS``), each pair once, ``image_id < other_image_id``.
    sightings
        All sightings of the pictures concerned, the own ones included (``SIGHTING_COLUMNS``).
    sellers
        Versions of the seller accounts concerned (``SELLER_COLUMNS``); an account without a row has no group.
    different
        Pairs of pictures that somebody found to be different photos, and since when that is known (``image_id,
        other_image_id, known_at``): they are not alike to sightings observed from then on.

    Returns
    -------
    pandas.DataFrame
        ``MATCH_COLUMNS``, ordered by listing, picture and other picture. ``sellers_sharing`` counts the distinct
        sellers other than S who had shown the other picture earlier (by when it was known, for a late match), accounts
        of S's group included; ``sightings`` counts how often those had.
    """
    queries = queries_about(own, near_duplicates, sightings, different)
    named = _named(queries, AccountGroups.of(sellers))
    query = named["query"].to_numpy()
    others = sightings.iloc[named["row"].to_numpy()]
    matches: pd.DataFrame = pd.concat(
        [
            own.iloc[queries.own_row[query]][["listing_key", "image_id", "seller_key", "observed_at"]]
            .reset_index(drop=True),
            others[["listing_key", "image_id", "seller_key", "observed_at", "created_at"]]
            .add_prefix("other_").reset_index(drop=True),
            _likeness(near_duplicates, queries.pair_row[query]),
            named[["sellers_sharing", "sightings"]],
        ],
        axis=1,
    )  # fmt: skip
    by = ["listing_key", "image_id", "other_image_id"]
    return matches[list(MATCH_COLUMNS)].sort_values(by, kind="stable", ignore_index=True)


def _named(queries: Queries, groups: AccountGroups) -> pd.DataFrame:
    """Find the sighting to name for each query that has one: ``query, row, sellers_sharing, sightings``."""
    openers = _openers(queries.sightings)
    timeline = Timeline.of(openers["picture"], openers["rank"])
    openers = openers.iloc[timeline.order].reset_index(drop=True)
    start, stop = timeline.before(queries.picture, queries.rank)
    at = _skip_own_party(queries, groups, openers["seller_key"].to_numpy(), start, stop)
    own_first = _own_first(queries, openers, start, at)
    early = (at < stop) & (np.append(openers["rank"].to_numpy(), NEVER)[at] < own_first.shown)
    late = late_sightings(queries, groups, np.flatnonzero(queries.same & ~early), own_first)
    earlier = np.flatnonzero(early)
    query = np.concatenate([earlier, late["query"].to_numpy()])
    row = np.concatenate([openers["row"].to_numpy()[at[earlier]], late["row"].to_numpy()])
    # How common the photo is counts as of when the match is known: a late sighting is one of those who show it.
    limit = np.maximum(queries.rank[query], np.concatenate([queries.rank[earlier], late["rank"].to_numpy() + 1]))
    return pd.DataFrame({"query": query, "row": row}).join(_commonness(queries, timeline, query, limit))


def _own_first(queries: Queries, openers: pd.DataFrame, start: Integers, at: Integers) -> OwnFirst:
    """Find when the own party had first shown and posted each query's photo, by what was known at the own sighting.

    Of the accounts of the own group count those that come before everybody else, ``openers[start:at]``.
    """
    by_group = at > start
    shown = np.where(by_group, np.append(openers["rank"].to_numpy(), NEVER)[start], NEVER)
    earliest_posted = np.append(openers.groupby("picture")["posted_us"].cummin().to_numpy(), NEVER)
    posted = np.where(by_group, earliest_posted[at - 1], queries.posted_us)
    return OwnFirst(
        shown=queries.over_photo(np.minimum(_first_showing(queries, openers), shown)),
        posted_us=queries.over_photo(np.minimum(_first_posting(queries), posted)),
    )


def _openers(sightings: pd.DataFrame) -> pd.DataFrame:
    """Return the first sighting of each picture by each seller, earliest and smallest listing first."""
    ordered = sightings.sort_values(["rank", "listing_key"], kind="stable", ignore_index=True)
    return ordered.drop_duplicates(["picture", "seller_key"], ignore_index=True)


def _skip_own_party(
    queries: Queries, groups: AccountGroups, opener_sellers: Integers, start: Integers, stop: Integers
) -> Integers:
    """Return the position of each query's first opener of another party; ``stop`` where there is none."""
    at = start.copy()
    open_ = np.flatnonzero(at < stop)
    while open_.size:
        theirs = opener_sellers[at[open_]]
        open_ = open_[groups.same_party(queries.seller_key[open_], theirs, queries.observed_us[open_])]
        at[open_] += 1
        open_ = open_[at[open_] < stop[open_]]
    return at


def _first_showing(queries: Queries, openers: pd.DataFrame) -> Integers:
    """Return the rank at which each query's own seller first showed the picture; `NEVER` if it did not."""
    own = pd.DataFrame({"picture": queries.picture, "seller_key": queries.seller_key})
    ranks = own.merge(openers[["picture", "seller_key", "rank"]], how="left")["rank"]
    return np.where(ranks.isna(), NEVER, ranks.fillna(0).to_numpy(np.int64))


def _first_posting(queries: Queries) -> Integers:
    """Return when each query's own seller posted the picture first, by what was known at the own sighting."""
    known = queries.sightings.sort_values("rank", kind="stable", ignore_index=True)
    pair = known.groupby(["picture", "seller_key"])
    posted_us = np.append(pair["posted_us"].cummin().to_numpy(), NEVER)
    own = pd.DataFrame({"picture": queries.picture, "seller_key": queries.seller_key})
    numbers = known[["picture", "seller_key"]].assign(pair=pair.ngroup()).drop_duplicates()
    own_pair = own.merge(numbers, how="left")["pair"].fillna(-1).to_numpy(np.int64)
    return posted_us[Timeline.of(pair.ngroup(), known["rank"]).latest(own_pair, queries.rank)]


def _commonness(queries: Queries, timeline: Timeline, query: Integers, limit: Integers) -> pd.DataFrame:
    """Count who other than the own seller had shown the other picture before a rank, and how often.

    ``timeline`` holds each seller's first sighting of each picture.
    """
    sightings, picture = queries.sightings, queries.picture[query]
    vocabulary = pd.Index(sightings["seller_key"].unique())
    seller = vocabulary.get_indexer(pd.Index(queries.seller_key[query])).astype(np.int64)
    pair = np.where(seller < 0, -1, picture * len(vocabulary) + seller)
    pairs = sightings["picture"] * len(vocabulary) + vocabulary.get_indexer(pd.Index(sightings["seller_key"]))
    by_self = _count_before(pairs, sightings["rank"], pair, limit)
    by_all = _count_before(sightings["picture"], sightings["rank"], picture, limit)
    first, stop = timeline.before(picture, limit)
    sellers = stop - first
    return pd.DataFrame({"sellers_sharing": sellers - (by_self > 0), "sightings": by_all - by_self})


def _count_before(keys: pd.Series[Any], ranks: pd.Series[Any], wanted: Integers, limits: Integers) -> Integers:
    start, stop = Timeline.of(keys, ranks).before(wanted, limits)
    return stop - start


def _likeness(near_duplicates: pd.DataFrame, rows: Integers) -> pd.DataFrame:
    """Return distances, edit and ``same_photo`` of the pairs at ``rows``; -1 is a picture and itself."""
    itself = rows < 0
    likeness = near_duplicates[[*DISTANCE_COLUMNS, "edit", "same_photo"]].reset_index(drop=True).reindex(rows)
    types = dict.fromkeys((*DISTANCE_COLUMNS, "same_photo"), "float64") | {"edit": "str"}
    likeness = likeness.reset_index(drop=True).astype(types)
    likeness.loc[itself, list(DISTANCE_COLUMNS)] = 0.0
    likeness.loc[itself, "edit"] = NO_EDIT
    likeness.loc[itself, "same_photo"] = 1.0
    return likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFirst:
    """When the own party had first shown and first posted the photo of each query, by what its sighting could know.

    ``shown`` is a rank, `NEVER` if the own sighting is the first; ``posted_us`` is in microseconds.
    """

    shown: Integers
    posted_us: Integers


def late_sightings(queries: Queries, groups: AccountGroups, unanswered: Integers, own_first: OwnFirst) -> pd.DataFrame:
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
    unanswered
        Positions of the queries to answer: the picture is the same photo, and nobody had shown it earlier.
    own_first
        For all queries.

    Returns
    -------
    pandas.DataFrame
        ``query``, ``row`` of the other sighting in ``queries.sightings`` and its ``rank``.
    """
    records = _records(queries.sightings)
    timeline = Timeline.of(records["picture"], records["rank"])
    records = records.iloc[timeline.order].reset_index(drop=True)
    posted_us = records["posted_us"].to_numpy()
    picture = queries.picture[unanswered]
    after = np.minimum(queries.rank, own_first.shown)[unanswered]
    _, start, stop = timeline.until(picture, after, np.full(len(unanswered), NEVER))
    below = FirstBelow.of(posted_us, int((stop - start).max(initial=0)))
    at = below.find(start, stop, own_first.posted_us[unanswered])
    open_ = np.flatnonzero(at < stop)
    while open_.size:
        theirs = records["seller_key"].to_numpy()[at[open_]]
        ours = groups.same_party(queries.seller_key[unanswered[open_]], theirs, queries.observed_us[unanswered[open_]])
        open_ = open_[ours]
        at[open_] = below.find(at[open_] + 1, stop[open_], posted_us[at[open_]])
        open_ = open_[at[open_] < stop[open_]]
    found = np.flatnonzero(at < stop)
    named = records.iloc[at[found]].reset_index(drop=True).assign(query=unanswered[found])
    named = named[named["observed_us"] < queries.denied_us[named["query"]]]
    named = named.assign(own_row=queries.own_row[named["query"]]).sort_values(["rank", "listing_key", "image_id"])
    return named.drop_duplicates("own_row")[["query", "row", "rank"]]


def _records(sightings: pd.DataFrame) -> pd.DataFrame:
    """Return the sightings of a picture that its seller posted earlier than all that were observed before."""
    ordered = sightings.sort_values(["rank", "listing_key"], kind="stable", ignore_index=True)
    by_seller = ordered.groupby(["picture", "seller_key"])["posted_us"]
    earlier = by_seller.cummin().groupby([ordered["picture"], ordered["seller_key"]]).shift()
    return ordered[earlier.isna() | (ordered["posted_us"] < earlier)]
