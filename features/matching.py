"""Where a picture was seen before: the earliest sighting of each picture like it under another party."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.as_of import Integers, Timeline, microseconds
from features.evidence import SAME_PHOTO
from features.facts import DISTANCE_COLUMNS, MATCH_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_EDIT = "none"
NEVER = np.iinfo(np.int64).max


def earlier_sightings(
    own: pd.DataFrame,
    alike: pd.DataFrame,
    sightings: pd.DataFrame,
    sellers: pd.DataFrame,
    different: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return, for each own sighting and each picture like it, who had shown that picture first.

    The own side is picture ``image_id`` in a listing of seller S, first known at T. Pictures like it are the picture
    itself (distance 0, edit ``none``, ``same_photo`` 1.0) and every partner in ``alike``. *Another party* is a seller
    other than S who as of T does not share a known ``group_id`` with S. *Earlier* compares ``(observed_at,
    created_at)``; a full tie has no direction and is no match. Of several earliest sightings the one with the smallest
    ``listing_key`` is named.

    Who was copied and posts again has not copied: only others are named who were earlier than S's own first showing of
    the photo (the own picture or a partner with ``same_photo`` from `SAME_PHOTO`), and earlier than that of an account
    of S's group, where this one was the first of all to show such a picture.

    Pairs of listings are never built: the cost is that of sorting the sightings, plus one step for each account of S's
    own group that showed the picture before anybody else did.

    Parameters
    ----------
    own
        Sightings to explain (``SIGHTING_COLUMNS``).
    alike
        Pictures that look alike (``ALIKE_COLUMNS``), each pair once, ``image_id < other_image_id``.
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
        sellers other than S who had shown the other picture earlier, accounts of S's group included; ``sightings``
        counts how often those had.
    """
    queries = _queries(own, _with_denial(alike, different), sightings)
    parties = _Parties.of(sellers)
    openers = _openers(queries.sightings)
    timeline = Timeline.of(openers["picture"].to_numpy(), openers["rank"].to_numpy())
    start = timeline.start(queries.picture)
    stop = timeline.before(queries.picture, queries.rank)
    at = _skip_own_party(queries, parties, openers["seller_key"].to_numpy()[timeline.order], start, stop)
    rank_of = np.append(openers["rank"].to_numpy()[timeline.order], NEVER)
    own_first = np.minimum(_first_showing(queries, openers), np.where(at > start, rank_of[start], NEVER))
    found = np.flatnonzero((at < stop) & (rank_of[at] < _over_photo(queries, own_first)))
    by_self, by_others = _own_and_other_sightings(queries)
    counts = pd.DataFrame({"sellers_sharing": stop - start - (by_self > 0), "sightings": by_others})
    others = sightings.iloc[openers["row"].to_numpy()[timeline.order[at[found]]]]
    matches = pd.concat(
        [
            own.iloc[queries.own_row[found]][["listing_key", "image_id", "seller_key", "observed_at"]]
            .reset_index(drop=True),
            others[["listing_key", "image_id", "seller_key", "observed_at", "created_at"]]
            .add_prefix("other_").reset_index(drop=True),
            _likeness(alike, queries.alike_row[found]),
            counts.iloc[found].reset_index(drop=True),
        ],
        axis=1,
    )  # fmt: skip
    by = ["listing_key", "image_id", "other_image_id"]
    return matches[list(MATCH_COLUMNS)].sort_values(by, kind="stable", ignore_index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queries:
    """One entry for each own sighting and picture like it, with texts and pairs of times replaced by integers.

    ``alike_row`` is -1 where the picture is the own one, ``same`` tells whether it is the same photo. ``rank`` orders
    ``(observed_at, created_at)`` over own and all sightings alike; ``sightings`` carries ``picture, seller_key, rank,
    listing_key, row``.
    """

    own_row: Integers
    alike_row: Integers
    same: NDArray[np.bool_]
    picture: Integers
    seller_key: Integers
    observed_us: Integers
    rank: Integers
    sightings: pd.DataFrame


def _with_denial(alike: pd.DataFrame, different: pd.DataFrame | None) -> pd.DataFrame:
    """Add since when the pictures of a pair are known to be different photos, in microseconds; `NEVER` if not."""
    if different is None or different.empty:
        return alike.assign(denied_us=NEVER)
    known = alike[["image_id", "other_image_id"]].merge(different, how="left")["known_at"]
    denied = np.where(known.isna(), NEVER, microseconds(known.fillna(pd.Timestamp(0, tz="UTC"))))
    return alike.assign(denied_us=denied)


def _queries(own: pd.DataFrame, alike: pd.DataFrame, sightings: pd.DataFrame) -> _Queries:
    own_pictures, pictures, left, right = _joint_codes(
        own["image_id"], sightings["image_id"], alike["image_id"], alike["other_image_id"]
    )
    own_ranks, ranks = _joint_ranks(own, sightings)
    itself = np.unique(own_pictures)
    rows = np.arange(len(alike))
    links = pd.DataFrame(
        {
            "own_picture": np.concatenate([itself, left, right]),
            "picture": np.concatenate([itself, right, left]),
            "alike_row": np.concatenate([np.full(len(itself), -1), rows, rows]),
        }
    )
    asked = pd.DataFrame({"own_picture": own_pictures, "own_row": np.arange(len(own))}).merge(links)
    denied_us = np.append(alike["denied_us"].to_numpy(np.int64), NEVER)[asked["alike_row"]]
    asked = asked[microseconds(own["observed_at"])[asked["own_row"]] < denied_us]
    own_row = asked["own_row"].to_numpy(np.int64)
    alike_row = asked["alike_row"].to_numpy(np.int64)
    return _Queries(
        own_row=own_row,
        alike_row=alike_row,
        same=np.append(alike["same_photo"].to_numpy(np.float64) >= SAME_PHOTO, True)[alike_row],
        picture=asked["picture"].to_numpy(np.int64),
        seller_key=own["seller_key"].to_numpy(np.int64)[own_row],
        observed_us=microseconds(own["observed_at"])[own_row],
        rank=own_ranks[own_row],
        sightings=pd.DataFrame(
            {
                "picture": pictures,
                "seller_key": sightings["seller_key"].to_numpy(np.int64),
                "rank": ranks,
                "listing_key": sightings["listing_key"].to_numpy(np.int64),
                "row": np.arange(len(sightings)),
            }
        ),
    )


def _joint_codes(*texts: pd.Series[Any]) -> list[Integers]:
    """Give equal numbers to equal texts, over several columns."""
    codes, _ = pd.factorize(pd.concat(texts, ignore_index=True))
    return np.split(codes.astype(np.int64), np.cumsum([len(text) for text in texts])[:-1])


def _joint_ranks(own: pd.DataFrame, sightings: pd.DataFrame) -> tuple[Integers, Integers]:
    """Rank ``(observed_at, created_at)`` of both frames together; equal pairs get equal ranks."""
    observed, created = (
        np.concatenate([microseconds(own[column]), microseconds(sightings[column])])
        for column in ("observed_at", "created_at")
    )
    order = np.lexsort((created, observed))
    new = (np.diff(observed[order]) != 0) | (np.diff(created[order]) != 0)
    ranks = np.zeros(len(order), np.int64)
    ranks[order[1:]] = np.cumsum(new)
    return ranks[: len(own)], ranks[len(own) :]


def _openers(sightings: pd.DataFrame) -> pd.DataFrame:
    """Return the first sighting of each picture by each seller, earliest and smallest listing first."""
    ordered = sightings.sort_values(["rank", "listing_key"], kind="stable", ignore_index=True)
    return ordered.drop_duplicates(["picture", "seller_key"], ignore_index=True)


def _skip_own_party(
    queries: _Queries, parties: _Parties, opener_sellers: Integers, start: Integers, stop: Integers
) -> Integers:
    """Return the position of each query's first opener of another party; ``stop`` where there is none."""
    at = start.copy()
    own_group = parties.group(queries.seller_key, queries.observed_us)
    open_ = np.flatnonzero(at < stop)
    while open_.size:
        theirs = opener_sellers[at[open_]]
        same_group = own_group[open_] == parties.group(theirs, queries.observed_us[open_])
        own_party = (theirs == queries.seller_key[open_]) | ((own_group[open_] >= 0) & same_group)
        open_ = open_[own_party]
        at[open_] += 1
        open_ = open_[at[open_] < stop[open_]]
    return at


def _first_showing(queries: _Queries, openers: pd.DataFrame) -> Integers:
    """Return the rank at which each query's own seller first showed the picture; `NEVER` if it did not."""
    asked = pd.DataFrame({"picture": queries.picture, "seller_key": queries.seller_key})
    ranks = asked.merge(openers[["picture", "seller_key", "rank"]], how="left")["rank"]
    return np.where(ranks.isna(), NEVER, ranks.fillna(0).to_numpy(np.int64))


def _over_photo(queries: _Queries, own_first: Integers) -> Integers:
    """Return the smallest ``own_first`` over all pictures that are the same photo as each query's own sighting."""
    earliest = np.full(int(queries.own_row.max(initial=-1)) + 1, NEVER)
    np.minimum.at(earliest, queries.own_row[queries.same], own_first[queries.same])
    return earliest[queries.own_row]


@dataclass(frozen=True, slots=True)
class _Parties:
    """Which business an account belonged to, as far as was known at a moment."""

    versions: Timeline
    groups: Integers

    @classmethod
    def of(cls, sellers: pd.DataFrame) -> _Parties:
        versions = Timeline.of(sellers["seller_key"].to_numpy(), microseconds(sellers["observed_at"]))
        groups, _ = pd.factorize(sellers["group_id"])
        # The last entry answers for accounts without a version: their row is -1.
        return cls(versions, np.append(groups.astype(np.int64), -1))

    def group(self, seller_keys: Integers, times_us: Integers) -> Integers:
        """Return the group's number, -1 for none."""
        return self.groups[self.versions.latest(seller_keys, times_us)]


def _own_and_other_sightings(queries: _Queries) -> tuple[Integers, Integers]:
    """Count the earlier sightings of the other picture by the own seller and by all others."""
    sightings = queries.sightings
    vocabulary = pd.Index(sightings["seller_key"].unique())
    seller = vocabulary.get_indexer(pd.Index(queries.seller_key)).astype(np.int64)
    pair = np.where(seller < 0, -1, queries.picture * len(vocabulary) + seller)
    pairs = sightings["picture"] * len(vocabulary) + vocabulary.get_indexer(pd.Index(sightings["seller_key"]))
    by_self = _count_before(pairs.to_numpy(), sightings["rank"].to_numpy(), pair, queries.rank)
    by_all = _count_before(sightings["picture"].to_numpy(), sightings["rank"].to_numpy(), queries.picture, queries.rank)
    return by_self, by_all - by_self


def _count_before(keys: NDArray[Any], ranks: NDArray[Any], asked: Integers, limits: Integers) -> Integers:
    timeline = Timeline.of(keys, ranks)
    return timeline.before(asked, limits) - timeline.start(asked)


def _likeness(alike: pd.DataFrame, rows: Integers) -> pd.DataFrame:
    """Return distances, edit and ``same_photo`` of the pairs at ``rows``; -1 is a picture and itself."""
    itself = rows < 0
    likeness = alike[[*DISTANCE_COLUMNS, "edit", "same_photo"]].reset_index(drop=True).reindex(rows)
    types = dict.fromkeys((*DISTANCE_COLUMNS, "same_photo"), "float64") | {"edit": "str"}
    likeness = likeness.reset_index(drop=True).astype(types)
    likeness.loc[itself, list(DISTANCE_COLUMNS)] = 0.0
    likeness.loc[itself, "edit"] = NO_EDIT
    likeness.loc[itself, "same_photo"] = 1.0
    return likeness
