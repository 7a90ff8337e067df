"""Pairs of pictures, alike or denied to be one photo, and the match facts that sightings and time make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import func, select

from data.catalog.database.frames import (
    KEYS,
    read_by_keys,
    read_each,
    read_frame,
    replace_by_keys,
    to_instant,
    update_by_keys,
    upsert,
    whole_table,
)
from data.catalog.database.schema import alike, different_photos, images, matches, sellers, sightings
from data.catalog.market.photo_ties import note_taken
from data.catalog.market.scoring_moments import note_news

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from data.catalog.market.photo_ties import TieLimits

HASHED = "hashed"
FINGERPRINT = (
    "image_id", "width", "height", "format", "ahash", "phash", "dhash", "whash", "colorhash", "information",
)  # fmt: skip
ALIKE = (
    "image_id", "other_image_id", "distance_ahash", "distance_phash", "distance_dhash", "distance_whash",
    "distance_colorhash", "edit", "same_photo",
)  # fmt: skip
DISTANCES = ("distance_ahash", "distance_phash", "distance_dhash", "distance_whash", "distance_colorhash")
PAIR = ["image_id", "other_image_id"]
MATCHED = ("listing_key", *PAIR)
TAKING = ("seller_key", "other_image_id")
SIGHTING = ("image_id", "listing_key", "seller_key", "position", "observed_at", "created_at")
SELLER = ("seller_key", "observed_at", "joined_at", "feedback_count", "rating", "country", "group_id")

_FINGERPRINTS = whole_table(images, FINGERPRINT)
_SIGHTINGS = whole_table(sightings, SIGHTING)
_ACCOUNTS = whole_table(sellers, SELLER)
_GROUPS = whole_table(sellers, ("seller_key", "group_id"))
_NAMED = whole_table(matches, (*MATCHED, "other_observed_at"))
_TAKINGS = whole_table(matches, TAKING)


@dataclass(frozen=True, slots=True)
class MatchingFacts:
    """What deciding about some sightings takes.

    The sightings themselves, alike pairs, all sightings concerned, seller versions, and the pairs of different photos.
    """

    own: pd.DataFrame
    alike: pd.DataFrame
    sightings: pd.DataFrame
    sellers: pd.DataFrame
    different: pd.DataFrame


def fingerprints(
    connection: Connection, recipe: str, *, compared: bool, after: str = "", limit: int | None = None
) -> pd.DataFrame:
    """Return the fingerprints of one recipe that were, or were not yet, compared; sorted by picture.

    Parameters
    ----------
    after, limit
        Only of pictures whose id is greater, and of so many of them.
    """
    query = _FINGERPRINTS.where(*_readable(recipe, compared=compared), images.c.image_id > after)
    return read_frame(connection, query.order_by(images.c.image_id).limit(limit))


def compared_pictures(connection: Connection, recipe: str) -> int:
    """Return how many pictures of one recipe were compared."""
    query = select(func.count()).select_from(images).where(*_readable(recipe, compared=True))
    return connection.execute(query).scalar_one()


def readable_pictures(connection: Connection, recipe: str, image_ids: Sequence[str]) -> int:
    """Return how many of some pictures have a fingerprint of one recipe."""
    query = select(images.c.image_id).where(images.c.status == HASHED, images.c.recipe == recipe)
    return len(read_by_keys(connection, query, images.c.image_id, image_ids))


def settled_pictures(connection: Connection, recipe: str, image_ids: Sequence[str]) -> set[str]:
    """Return those of some pictures of which all is known: they were compared, or cannot be read by this recipe."""
    done = (images.c.compared == 1) | (images.c.status != HASHED)
    query = select(images.c.image_id).where(images.c.recipe == recipe, done)
    return set(read_by_keys(connection, query, images.c.image_id, image_ids)["image_id"])


def save_alike(connection: Connection, compared: Sequence[str], pairs: pd.DataFrame) -> None:
    """Keep the alike pairs of newly compared pictures, in place of any they had, and note that they were compared."""
    replace_by_keys(connection, alike, (alike.c.image_id, alike.c.other_image_id), compared, pairs)
    update_by_keys(connection, images, images.c.image_id, compared, compared=1)
    _reopen(connection, compared)


def reopen_later(connection: Connection) -> int:
    """Let sightings be matched again that an unmatched one of a picture like theirs may change; say how many.

    That are those observed after the new sighting, or named with a late one that is observed after it; and those posted
    after the new sighting, unless somebody is named already who was observed before it.
    """
    new = read_frame(connection, _SIGHTINGS.where(sightings.c.matched == 0))
    if new.empty:
        return 0
    near = _near(connection, new)
    known, named = read_each(
        connection,
        (_SIGHTINGS.where(sightings.c.matched == 1, sightings.c.image_id.in_(KEYS)), near["image_id"]),
        (_NAMED.where(matches.c.other_image_id.in_(KEYS)), new["image_id"]),
    )
    known = known.merge(near, on="image_id").merge(named, how="left")
    before = (known["since"] <= known["observed_at"]) | (known["since"] <= known["other_observed_at"])
    posted_before = known["other_observed_at"].isna() & (known["posted"] < known["created_at"])
    changed = known[before | posted_before].drop_duplicates(["listing_key", "image_id"])
    update_by_keys(connection, sightings, sightings.c.listing_key, changed["listing_key"], matched=0)
    return len(changed)


def reopen_accounts(connection: Connection, versions: pd.DataFrame) -> None:
    """Let sightings be matched again that newly known versions of accounts may tie to a business, or part from one.

    Concerned are the accounts themselves and all that ever shared a group with one of them, from the time on that the
    versions count from.

    Parameters
    ----------
    versions
        ``seller_key, observed_at`` of the new versions, which are kept already.
    """
    if connection.execute(select(sightings.c.listing_key).where(sightings.c.matched == 1).limit(1)).first() is None:
        return
    groups = read_by_keys(connection, _GROUPS, sellers.c.seller_key, versions["seller_key"])["group_id"].dropna()
    if groups.empty:
        return
    members = read_by_keys(connection, _GROUPS, sellers.c.group_id, groups)["seller_key"]
    concerned = pd.concat([versions["seller_key"], members])
    query = _SIGHTINGS.where(
        sightings.c.matched == 1, sightings.c.observed_at >= to_instant(versions["observed_at"].min())
    )
    later = read_by_keys(connection, query, sightings.c.seller_key, concerned)
    update_by_keys(connection, sightings, sightings.c.listing_key, later["listing_key"], matched=0)


def unmatched_listings(connection: Connection) -> list[int]:
    """Return the keys of the listings with sightings that were not matched yet, sorted."""
    query = select(sightings.c.listing_key).where(sightings.c.matched == 0).distinct()
    return sorted(connection.execute(query).scalars())


def matching_facts(connection: Connection, listing_keys: Sequence[int]) -> MatchingFacts:
    """Read what it takes to match all pictures of some listings."""
    own = read_by_keys(connection, _SIGHTINGS, sightings.c.listing_key, listing_keys)
    pairs = alike_of(connection, own["image_id"])
    concerned = pd.concat([own["image_id"], pairs["image_id"], pairs["other_image_id"]])
    seen = read_by_keys(connection, _SIGHTINGS, sightings.c.image_id, concerned)
    accounts = read_by_keys(connection, _ACCOUNTS, sellers.c.seller_key, seen["seller_key"])
    return MatchingFacts(own, pairs, seen, accounts, denied_pairs(connection, own["image_id"]))


def save_matches(connection: Connection, listing_keys: Sequence[int], facts: pd.DataFrame, limits: TieLimits) -> None:
    """Keep the match facts of some listings, in place of any they had."""
    before = read_by_keys(connection, _TAKINGS, matches.c.listing_key, listing_keys)
    replace_by_keys(connection, matches, (matches.c.listing_key,), listing_keys, facts)
    note_taken(connection, pd.concat([before, facts[list(TAKING)]]), limits)
    note_news(connection, facts.loc[facts["other_observed_at"] > facts["observed_at"], "listing_key"])
    update_by_keys(connection, sightings, sightings.c.listing_key, listing_keys, matched=1)


def alike_of(connection: Connection, image_ids: pd.Series, columns: Sequence[str] = ALIKE) -> pd.DataFrame:
    """Return the alike pairs that some pictures are in, each once."""
    query = select(*(alike.c[name] for name in columns))
    sides = (query.where(alike.c[side].in_(KEYS)) for side in PAIR)
    pairs = read_each(connection, *((side, image_ids) for side in sides))
    return measured(pd.concat(pairs).drop_duplicates(["image_id", "other_image_id"], ignore_index=True))


def measured(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of pictures with their distances as ``float64``, NaN where one is not known."""
    return pairs.astype(dict.fromkeys(DISTANCES, "float64"))


def deny_pairs(connection: Connection, pairs: pd.DataFrame) -> None:
    """Keep that the pictures of some pairs are different photos; of what is known already, the earliest time counts.

    What was seen of these pictures since is to be matched again.

    Parameters
    ----------
    pairs
        ``image_id, other_image_id`` in any order, and ``known_at``.
    """
    ids = pairs[PAIR]
    denied = pd.DataFrame(
        {"image_id": ids.min(axis=1), "other_image_id": ids.max(axis=1), "known_at": pairs["known_at"]}
    )
    both = pd.concat([denied_pairs(connection, denied["image_id"]).assign(is_new=False), denied.assign(is_new=True)])
    # The sort is stable: what is told again comes behind what was known.
    earliest = both.sort_values("known_at", kind="stable").drop_duplicates(PAIR)
    new = earliest.loc[earliest["is_new"], [*PAIR, "known_at"]]
    if not new.empty:
        upsert(connection, different_photos, new)
        _reopen_different(connection, new)


def denied_pairs(connection: Connection, image_ids: pd.Series[str]) -> pd.DataFrame:
    """Return the pairs of different photos that some pictures are in, each once: all columns of the table."""
    sides = (select(different_photos).where(different_photos.c[side].in_(KEYS)) for side in PAIR)
    pairs = read_each(connection, *((side, image_ids) for side in sides))
    return pd.concat(pairs).drop_duplicates(PAIR, ignore_index=True)


def _readable(recipe: str, *, compared: bool) -> tuple[ColumnElement[bool], ...]:
    return images.c.compared == int(compared), images.c.status == HASHED, images.c.recipe == recipe


def _reopen(connection: Connection, image_ids: Sequence[str]) -> None:
    update_by_keys(connection, sightings, sightings.c.image_id, image_ids, matched=0)


def _near(connection: Connection, new: pd.DataFrame) -> pd.DataFrame:
    """Return the pictures like those of new sightings (``other_image_id``), the same included.

    ``since`` and ``posted`` are when the picture was first observed and first posted, among the new sightings.
    """
    first = new.groupby("image_id").agg(since=("observed_at", "min"), posted=("created_at", "min"))
    pairs = alike_of(connection, new["image_id"])[PAIR]
    itself = pd.DataFrame(dict.fromkeys(PAIR, first.index))
    turned = pairs.set_axis(PAIR[::-1], axis=1)
    return pd.concat([itself, pairs, turned])[PAIR].join(first, on="other_image_id", how="inner")


def _reopen_different(connection: Connection, pairs: pd.DataFrame) -> None:
    """Let sightings of either picture be matched again, from the time on that a pair is known to be different."""
    since = pd.concat([pairs.set_index(side)["known_at"] for side in PAIR]).groupby(level=0).min()
    query = select(sightings.c.image_id, sightings.c.listing_key, sightings.c.observed_at).where(
        sightings.c.matched == 1
    )
    seen = read_by_keys(connection, query, sightings.c.image_id, since.index.to_series())
    later = seen[seen["observed_at"] >= seen["image_id"].map(since)]
    update_by_keys(connection, sightings, sightings.c.listing_key, later["listing_key"], matched=0)
