"""What was asked for goods of some kinds, read from the index of prices alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from data.catalog.frames import read_frame, to_instant
from data.catalog.tables import listings

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

KIND = ("marketplace", "category", "currency")
"""Goods whose prices are compared; an unknown currency is the empty text."""


def kinds_of_goods(connection: Connection) -> pd.DataFrame:
    """Return every kind of goods (``KIND``) that a listing was ever of, numbered from 0."""
    query = select(*_kind()).where(listings.c.category.is_not(None)).distinct()
    return read_frame(connection, query).sort_values(list(KIND), ignore_index=True)


def prices_of(connection: Connection, kinds: pd.DataFrame, since: datetime, until: datetime) -> pd.DataFrame:
    """Return what was asked for goods of some kinds, from a time on and before another.

    Prices are many and their words few: kinds are read one after the other, and told by number.

    Parameters
    ----------
    kinds
        ``KIND``, with any index.

    Returns
    -------
    DataFrame
        ``kind`` (index of ``kinds``), ``observed_at, price``: a row for each version of a listing that states a price.
    """
    query = (
        select(listings.c.observed_at, listings.c.price)
        .where(listings.c.observed_at >= to_instant(since), listings.c.observed_at < to_instant(until))
        .where(listings.c.price.is_not(None))
    )
    asked = kinds[list(KIND)].itertuples(index=False, name=None)
    parts = [read_frame(connection, query.where(*map(_equals, _kind(), kind))) for kind in asked]
    found = pd.concat([read_frame(connection, query.limit(0)), *parts], ignore_index=True)
    sizes = np.array([len(part) for part in parts], np.int64)
    found.insert(0, "kind", np.repeat(kinds.index.to_numpy(np.int64), sizes))
    return found


def _kind() -> tuple[ColumnElement[str], ...]:
    return listings.c.marketplace, listings.c.category, func.coalesce(listings.c.currency, "").label("currency")


def _equals(column: ColumnElement[str], value: str) -> ColumnElement[bool]:
    return column == value
