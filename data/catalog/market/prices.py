"""What was asked for goods of some kinds: price by price from one index, or whole days at once where gathered.

Prices of a day are gathered once and forgotten when a version of a listing comes that was observed on it; so they are
always what the listings say, and a day that was not gathered is read from these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from data.catalog.database.frames import delete_by_keys, insert, read_frame, to_instant, to_microseconds, whole_table
from data.catalog.database.schema import daily_prices, listings, price_days

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, FromClause, Select

KIND = ("marketplace", "category", "currency")
"""Goods whose prices are compared; an unknown currency is the empty text."""
DAY = pd.Timedelta(days=1)
PRICE = np.dtype("<f8")
DAYS_AT_ONCE = 30


def kinds_of_goods(connection: Connection) -> pd.DataFrame:
    """Return every kind of goods (``KIND``) that a listing was ever of, numbered from 0."""
    query = select(*_kind()).where(listings.c.category.is_not(None)).distinct()
    return read_frame(connection, query).sort_values(list(KIND), ignore_index=True)


def prices_of(connection: Connection, kinds: pd.DataFrame, since: datetime, until: datetime) -> pd.DataFrame:
    """Return what was asked for goods of some kinds on some days.

    Prices are many and their words few: kinds are read one after the other, and told by number.

    Parameters
    ----------
    kinds
        ``KIND``, with any index.
    since, until
        Beginnings of days (UTC): of the first, and of the one after the last.

    Returns
    -------
    DataFrame
        ``kind`` (index of ``kinds``), ``observed_at`` (that day, perhaps only its beginning), ``price``: a row for each
        version of a listing that states a price.
    """
    gathered = _gathered(connection, since, until)
    spans = list(_spans(since, until, gathered))
    parts = [
        part
        for kind in kinds[list(KIND)].itertuples(index=True, name=None)
        for part in _of_kind(connection, kind, since, until, spans)
    ]
    none = pd.DataFrame({"observed_at": gathered[:0], "price": np.empty(0)}).assign(kind=np.empty(0, np.int64))
    return pd.concat([none, *parts], ignore_index=True)[["kind", "observed_at", "price"]]


def gather_prices(connection: Connection, since: datetime, until: datetime) -> int:
    """Gather the prices of days (UTC) that were not yet, the oldest first, a month of them at most; say how many days.

    Parameters
    ----------
    since, until
        As for `prices_of`.
    """
    days = _days(since, until)
    missing = days[~days.isin(_gathered(connection, since, until))][:DAYS_AT_ONCE]
    if missing.empty:
        return 0
    asked = read_frame(connection, _asked(missing.iloc[0], missing.iloc[-1] + DAY).add_columns(*_kind()))
    asked = asked[asked["category"].notna()].assign(day_at=lambda rows: rows["observed_at"].dt.floor("D"))
    by_day = asked[asked["day_at"].isin(missing)].groupby([*KIND, "day_at"])["price"]
    rows = by_day.agg(lambda prices: prices.to_numpy(PRICE).tobytes()).rename("prices").reset_index()
    delete_by_keys(connection, daily_prices, daily_prices.c.day_at, to_microseconds(missing))
    insert(connection, daily_prices, rows)
    insert(connection, price_days, pd.DataFrame({"day_at": missing}))
    return len(missing)


def forget_days(connection: Connection, observed_at: pd.Series) -> None:
    """Forget what was gathered of the days of some times: something was observed on them besides."""
    days = observed_at.dt.floor("D").drop_duplicates()
    delete_by_keys(connection, price_days, price_days.c.day_at, to_microseconds(days))


def _of_kind(
    connection: Connection, kind: tuple[Any, ...], since: datetime, until: datetime, spans: list[tuple[Any, Any]]
) -> Iterator[pd.DataFrame]:
    """Yield ``kind, observed_at, price`` of one kind, which begins with its number."""
    number, *names = kind
    whole = (
        whole_table(daily_prices, ("day_at", "prices"))
        .join_from(daily_prices, price_days, daily_prices.c.day_at == price_days.c.day_at)
        .where(*_same(daily_prices, names))
        .where(daily_prices.c.day_at >= to_instant(since), daily_prices.c.day_at < to_instant(until))
    )
    days = read_frame(connection, whole)
    prices = np.frombuffer(b"".join(days["prices"]), PRICE)
    counts = days["prices"].map(len).to_numpy(np.int64) // PRICE.itemsize
    yield pd.DataFrame(
        {"observed_at": days["day_at"].iloc[np.repeat(np.arange(len(days)), counts)].array, "price": prices}
    ).assign(kind=number)
    for begin, end in spans:
        query = _asked(begin, end).where(*(column == name for column, name in zip(_kind(), names, strict=True)))
        yield read_frame(connection, query).assign(kind=number)


def _asked(since: datetime, until: datetime) -> Select[Any]:
    return (
        select(listings.c.observed_at, listings.c.price)
        .where(listings.c.observed_at >= to_instant(since), listings.c.observed_at < to_instant(until))
        .where(listings.c.price.is_not(None))
    )


def _gathered(connection: Connection, since: datetime, until: datetime) -> pd.Series:
    query = select(price_days.c.day_at).where(
        price_days.c.day_at >= to_instant(since), price_days.c.day_at < to_instant(until)
    )
    return read_frame(connection, query)["day_at"]


def _days(since: datetime, until: datetime) -> pd.Series:
    days = pd.date_range(since, until, freq=DAY, inclusive="left", unit="us")
    return pd.Series(days)


def _spans(since: datetime, until: datetime, gathered: pd.Series) -> Iterator[tuple[pd.Timestamp, pd.Timestamp]]:
    """Yield the stretches of days that were not gathered: beginning of the first, and of the one after the last."""
    days = _days(since, until)
    missing = days[~days.isin(gathered)]
    for _, stretch in missing.groupby((missing.diff() != DAY).cumsum()):
        yield stretch.iloc[0], stretch.iloc[-1] + DAY


def _same(table: FromClause, names: list[str]) -> Iterator[ColumnElement[bool]]:
    return (table.c[column] == name for column, name in zip(KIND, names, strict=True))


def _kind() -> tuple[ColumnElement[str], ...]:
    return listings.c.marketplace, listings.c.category, func.coalesce(listings.c.currency, "").label("currency")
