"""What the desk shows of listings: their newest version, their pictures, and whom these were seen with before."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import func, select

from data.catalog.database.frames import read_by_keys, read_frame, whole_table
from data.catalog.database.records import read_records, read_records_by_keys
from data.catalog.database.schema import alike, images, listings, matches, scores, sellers, sightings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection, Table

TITLED = ("listing_key", "observed_at", "marketplace", "listing_id", "seller_key", "seller_id", "title")
MOST_OWNERS = 100
STATED = ("listing_id", "seller_id", "marketplace", "title", "price", "currency")
SHOWN = ("listing_key", "image_id", "position", "observed_at")


def titles_of(connection: Connection, listing_keys: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return what some listings are called now, `TITLED`, by key."""
    return _newest(
        read_records_by_keys(connection, whole_table(listings, TITLED), listings.c.listing_key, listing_keys)
    )


def versions_of(connection: Connection, listing_key: int) -> list[dict[str, Any]]:
    """Return all versions of a listing, all columns, the newest first; empty if there is no such listing."""
    query = whole_table(listings, _names(listings)).where(listings.c.listing_key == listing_key)
    return read_records(connection, query.order_by(listings.c.observed_at.desc()))


def pictures_of(connection: Connection, listing_keys: Collection[int]) -> list[dict[str, Any]]:
    """Return the readable pictures of some listings.

    Returns
    -------
    list of dict
        `SHOWN`, ``width``, ``height``, ``information``, ordered by listing and position.
    """
    seen = read_records_by_keys(connection, whole_table(sightings, SHOWN), sightings.c.listing_key, listing_keys)
    sizes = whole_table(images, ("image_id", "width", "height", "information")).where(images.c.status == "hashed")
    ids = [row["image_id"] for row in seen]
    known = {row["image_id"]: row for row in read_records_by_keys(connection, sizes, images.c.image_id, ids)}
    shown = [row | known[row["image_id"]] for row in seen if row["image_id"] in known]
    return sorted(shown, key=itemgetter("listing_key", "position", "image_id"))


def first_pictures_of(connection: Connection, listing_keys: Collection[int]) -> dict[int, str]:
    """Return the first readable picture of each listing that has one, by listing."""
    return {row["listing_key"]: row["image_id"] for row in reversed(pictures_of(connection, listing_keys))}


def matches_of(connection: Connection, listing_key: int) -> list[dict[str, Any]]:
    """Return whom a listing's pictures were seen with, all columns of ``matches``, the surest and earliest first.

    With ``other_listing_id, other_seller_id, other_marketplace, other_title, other_price`` and ``other_currency`` of
    the other listing as it is now.
    """
    query = whole_table(matches, _names(matches)).where(matches.c.listing_key == listing_key)
    found = read_records(connection, query.order_by(matches.c.same_photo.desc(), matches.c.other_observed_at))
    stated = whole_table(listings, ("listing_key", "observed_at", *STATED))
    keys = [row["other_listing_key"] for row in found]
    others = _newest(read_records_by_keys(connection, stated, listings.c.listing_key, keys))
    nothing = dict.fromkeys(STATED)
    return [
        row | {f"other_{name}": others.get(row["other_listing_key"], nothing)[name] for name in STATED} for row in found
    ]


def timeline_of(connection: Connection, image_ids: Collection[str], most: int) -> list[dict[str, Any]]:
    """Return in which listings some pictures were seen, each listing once, the earliest first.

    Returns
    -------
    list of dict
        ``listing_key, observed_at`` (that of the earliest of these pictures in it), ``listing_id, seller_id``.
    """
    if not image_ids:
        return []
    query = select(sightings.c.listing_key, sightings.c.observed_at).where(sightings.c.image_id.in_(image_ids))
    order = (sightings.c.observed_at, sightings.c.created_at, sightings.c.listing_key)
    # A listing stands there once for each of the pictures at most.
    seen = read_records(connection, query.order_by(*order).limit(most * len(image_ids)))
    earliest: dict[int, dict[str, Any]] = {}
    for row in seen:
        earliest.setdefault(row["listing_key"], row)
    first = list(earliest.values())[:most]
    called = titles_of(connection, [row["listing_key"] for row in first])
    nothing = dict.fromkeys(("listing_id", "seller_id"))
    return [
        row | {name: called.get(row["listing_key"], nothing)[name] for name in ("listing_id", "seller_id")}
        for row in first
    ]


def alignment_of(connection: Connection, image_id: str, other_image_id: str) -> dict[str, Any] | None:
    """Return what is kept of two pictures that look alike, in whichever order they are; ``None`` if they do not.

    Returns
    -------
    dict
        All columns of ``alike``; ``lead`` leads from the picture whose id is smaller to the other.
    """
    first, second = sorted((image_id, other_image_id))
    pair = (alike.c.image_id == first) & (alike.c.other_image_id == second)
    return next(iter(read_records(connection, whole_table(alike, _names(alike)).where(pair))), None)


def is_known_picture(connection: Connection, image_id: str) -> bool:
    """Tell whether a readable picture of this id stood in some listing."""
    seen = select(sightings.c.image_id).where(sightings.c.image_id == image_id).limit(1)
    return connection.execute(seen).first() is not None


def is_known_listing(connection: Connection, listing_key: int) -> bool:
    """Tell whether there is a listing of this key."""
    known = select(listings.c.listing_key).where(listings.c.listing_key == listing_key).limit(1)
    return connection.execute(known).first() is not None


def scores_of(connection: Connection, listing_key: int) -> list[dict[str, Any]]:
    """Return all scores of a listing, all columns, those of the newest moment first."""
    query = whole_table(scores, _names(scores)).where(scores.c.listing_key == listing_key)
    return read_records(connection, query.order_by(scores.c.as_of.desc(), scores.c.model_id))


def listings_of_seller(connection: Connection, seller_key: int, most: int, *, skip: int = 0) -> pd.DataFrame:
    """Return the first version of a seller's listings, the latest posted first.

    Parameters
    ----------
    most, skip
        So many of them, after so many.
    """
    names = (*TITLED, "created_at", "category", "price", "currency", "location")
    earlier = listings.alias()
    is_first = (
        ~select(earlier.c.listing_key)
        .where(earlier.c.listing_key == listings.c.listing_key, earlier.c.observed_at < listings.c.observed_at)
        .exists()
    )
    query = whole_table(listings, names).where(listings.c.seller_key == seller_key, is_first)
    ordered = query.order_by(listings.c.created_at.desc(), listings.c.listing_key)
    return read_frame(connection, ordered.limit(most).offset(skip))


def names_of_sellers(connection: Connection, seller_keys: Collection[int]) -> dict[int, str]:
    """Return the ids under which marketplaces know some sellers, by key; those without any listing are missing."""
    query = whole_table(listings, ("seller_key", "seller_id")).distinct()
    found = read_by_keys(connection, query, listings.c.seller_key, list(seller_keys))
    return dict(zip(found["seller_key"].tolist(), found["seller_id"].tolist(), strict=True))


def takings_of(connection: Connection, seller_key: int, same_photo: float) -> pd.DataFrame:
    """Return from whom a seller's photos are, the most photos first.

    Returns
    -------
    pandas.DataFrame
        ``other_seller_key``, ``photos`` and ``listings`` (how many of the seller's own), ``surest`` (probability).
    """
    query = (
        select(
            matches.c.other_seller_key,
            func.count(matches.c.image_id.distinct()).label("photos"),
            func.count(matches.c.listing_key.distinct()).label("listings"),
            func.max(matches.c.same_photo).label("surest"),
        )
        .where(matches.c.seller_key == seller_key, matches.c.same_photo >= same_photo)
        .group_by(matches.c.other_seller_key)
    )
    return read_frame(connection, query.order_by(func.count(matches.c.image_id.distinct()).desc()).limit(MOST_OWNERS))


def count_of_copying(connection: Connection, seller_key: int, same_photo: float) -> int:
    """Return in how many listings a seller shows a photo that another seller had shown before."""
    distinct = func.count(matches.c.listing_key.distinct())
    copied = select(distinct).where(matches.c.seller_key == seller_key, matches.c.same_photo >= same_photo)
    return connection.execute(copied).scalar_one()


def count_of_seller(connection: Connection, seller_key: int) -> int:
    """Return how many listings a seller has."""
    distinct = func.count(listings.c.listing_key.distinct())
    return connection.execute(select(distinct).where(listings.c.seller_key == seller_key)).scalar_one()


def accounts_of(connection: Connection, seller_key: int) -> list[dict[str, Any]]:
    """Return all versions of a seller's account, all columns, the newest first."""
    query = whole_table(sellers, _names(sellers)).where(sellers.c.seller_key == seller_key)
    return read_records(connection, query.order_by(sellers.c.observed_at.desc()))


def find_listings(connection: Connection, text: str, most: int) -> pd.DataFrame:
    """Return listings whose id, seller or title is, or begins with, a text; `TITLED`, the newest version of each."""
    until = text + "\U0010ffff"
    conditions = (
        listings.c.listing_id == text,
        listings.c.seller_id == text,
        (listings.c.title >= text) & (listings.c.title < until),
    )
    parts = [read_frame(connection, whole_table(listings, TITLED).where(each).limit(most)) for each in conditions]
    found = pd.concat([part for part in parts if len(part)] or parts[:1]).sort_values("observed_at", kind="stable")
    return found.drop_duplicates("listing_key", keep="last").reset_index(drop=True)[:most]


def _newest(versions: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return the newest version of each listing, by key."""
    return {row["listing_key"]: row for row in sorted(versions, key=itemgetter("observed_at"))}


def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)
