"""What texts share with others: kept for every version of a listing, and looked up without comparing texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import func, select

from data.catalog.database.frames import KEYS, insert, read_by_keys, read_each, read_frame, upsert
from data.catalog.database.schema import TEXT_BANDS, listings, texts

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from data.catalog.database.frames import Keys

VERSION = ("listing_key", "observed_at", "seller_key")
READ = (*VERSION, "marketplace", "category", "currency", "title", "description", "price")
TEXT = (*VERSION, "band", "other_seller_key", "other_observed_at")
EARLIEST_SELLERS = 12
"""Sellers read for each thing that texts share, the earliest: whoever comes after so many shows a common text."""


def await_reading(connection: Connection, versions: pd.DataFrame) -> None:
    """Note that the texts of new versions of listings (``listing_key, observed_at, seller_key``) are to be read."""
    insert(connection, texts, versions[list(VERSION)].assign(hashed=0))


def unread_texts(connection: Connection, rows: int) -> pd.DataFrame:
    """Return ``READ`` of at most so many versions whose text was not read yet."""
    same = (texts.c.listing_key == listings.c.listing_key) & (texts.c.observed_at == listings.c.observed_at)
    query = select(*(listings.c[name] for name in READ)).join_from(texts, listings, same)
    return read_frame(connection, query.where(texts.c.hashed == 0).limit(rows))


def save_texts(connection: Connection, versions: pd.DataFrame) -> None:
    """Keep what texts share with others: ``VERSION``, ``TEXT_BANDS``, ``goods`` and ``price``."""
    upsert(connection, texts, versions.assign(hashed=1), update=("hashed", *TEXT_BANDS, "goods", "price"))


def texts_like(connection: Connection, listing_keys: Keys) -> pd.DataFrame:
    """Return who showed texts like those of some listings, and since when.

    Returns
    -------
    DataFrame
        ``TEXT``: a row for each version of the listings, each band of its text that anybody else shows too, and each of
        the first `EARLIEST_SELLERS` sellers to show it, the own one included; in no order.
    """
    bands = (texts.c[name] for name in TEXT_BANDS)
    query = select(*(texts.c[name] for name in VERSION), *bands)
    own = read_by_keys(connection, query, texts.c.listing_key, listing_keys)
    shown = [
        own[[*VERSION, name]].dropna().rename(columns={name: "band"}).astype({"band": "int64"}) for name in TEXT_BANDS
    ]
    lookups = ((_first_sellers(name), part["band"]) for name, part in zip(TEXT_BANDS, shown, strict=True))
    first = read_each(connection, *lookups)
    parts = [part.merge(sellers, on="band")[list(TEXT)] for part, sellers in zip(shown, first, strict=True)]
    return pd.concat(parts, ignore_index=True)


def _first_sellers(name: str) -> Select[Any]:
    """Return the query for the first sellers to show each of some bands, where there are several."""
    band, since = texts.c[name], func.min(texts.c.observed_at)
    by_seller = (
        select(
            band.label("band"),
            texts.c.seller_key.label("other_seller_key"),
            since.label("other_observed_at"),
            func.row_number().over(partition_by=band, order_by=(since, texts.c.seller_key)).label("place"),
            func.count().over(partition_by=band).label("sellers"),
        )
        .where(band.in_(KEYS))
        .group_by(band, texts.c.seller_key)
        .subquery()
    )
    chosen = (by_seller.c.band, by_seller.c.other_seller_key, by_seller.c.other_observed_at)
    return select(*chosen).where(by_seller.c.sellers > 1, by_seller.c.place <= EARLIEST_SELLERS)
