"""What was asked for goods: by kind, and lately for one product model, from one index each and no more than counts.

Prices of a day are gathered once and forgotten when a version of a listing comes that was observed on it; so they are
always what the listings say, and a day that was not gathered is read from these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import BigInteger, bindparam, column, func, select, values

from data.catalog.database.frames import delete_by_keys, insert, read_frame, read_portions, replace_by_keys, to_instants
from data.catalog.database.schema import daily_prices, listings, price_days, texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Connection, FromClause, Select

    from data.catalog.database.frames import Keys

KIND = ("marketplace", "category", "currency")
"""Goods whose prices are compared; an unknown currency is the empty text."""
SPAN = ("since", "until")
"""Parameters of the queries for days: microseconds of their beginnings, of the first and of the one after the last."""
DAY = pd.Timedelta(days=1)
PRICE = np.dtype("<f8")
DAYS_AT_ONCE = 30
GOODS = ("goods", "listing_key", "observed_at", "price")

_OF_MODELS = select(*(texts.c[name] for name in GOODS))
_KIND = (listings.c.marketplace, listings.c.category, func.coalesce(listings.c.currency, "").label("currency"))
_ASKED = select(listings.c.observed_at, listings.c.price).where(
    listings.c.observed_at >= bindparam("since"),
    listings.c.observed_at < bindparam("until"),
    listings.c.price.is_not(None),
)
_GATHERED = select(price_days.c.day_at).where(
    price_days.c.day_at >= bindparam("since"), price_days.c.day_at < bindparam("until")
)


def kinds_of_goods(connection: Connection) -> pd.DataFrame:
    """Return every kind of goods (``KIND``) that a listing was ever of, numbered from 0."""
    query = select(*_KIND).where(listings.c.category.is_not(None)).distinct()
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
    instants = to_instants(since, until)
    gathered = read_frame(connection, _GATHERED, dict(zip(SPAN, instants, strict=True)))["day_at"]
    spans = list(_spans(since, until, gathered))
    parts = [
        part
        for kind in kinds[list(KIND)].itertuples(index=True, name=None)
        for part in _of_kind(connection, kind, instants, spans)
    ]
    none = pd.DataFrame({"observed_at": gathered[:0], "price": np.empty(0)}).assign(kind=np.empty(0, np.int64))
    return pd.concat([none, *parts], ignore_index=True)[["kind", "observed_at", "price"]]


def gather_prices(connection: Connection, since: datetime, until: datetime) -> int:
    """Gather the prices of days (UTC) that were not yet, the oldest first; say how many days.

    At once a month of them at most is gathered, and all those before anything was observed, which have none.

    Parameters
    ----------
    since, until
        As for `prices_of`.
    """
    days = _days(since, until)
    gathered = read_frame(connection, _GATHERED, dict(zip(SPAN, to_instants(since, until), strict=True)))["day_at"]
    missing = days[~days.isin(gathered)]
    if missing.empty:
        return 0
    # Days before anything was observed have no prices: all of them are done at once.
    earliest = select(func.min(listings.c.observed_at)).where(listings.c.observed_at >= missing.iloc[0].value // 1000)
    first = connection.execute(earliest).scalar()
    if first is not None:
        missing = missing[: int((missing + DAY <= pd.Timestamp(first, unit="us", tz="UTC")).sum()) + DAYS_AT_ONCE]
    asked = read_frame(connection, _ASKED.add_columns(*_KIND), _span(missing.iloc[0], missing.iloc[-1] + DAY))
    asked = asked[asked["category"].notna()].assign(day_at=lambda rows: rows["observed_at"].dt.floor("D"))
    by_day = asked[asked["day_at"].isin(missing)].groupby([*KIND, "day_at"])["price"]
    rows = by_day.agg(lambda prices: prices.to_numpy(PRICE).tobytes()).rename("prices").reset_index()
    replace_by_keys(connection, daily_prices, (daily_prices.c.day_at,), missing, rows)
    insert(connection, price_days, pd.DataFrame({"day_at": missing}))
    return len(missing)


def forget_days(connection: Connection, observed_at: pd.Series) -> None:
    """Forget what was gathered of the days of some times: something was observed on them besides."""
    days = observed_at.dt.floor("D").drop_duplicates()
    delete_by_keys(connection, price_days, price_days.c.day_at, days)


def latest_model_prices(
    connection: Connection, goods: Keys, *, first: datetime, last: datetime, window: timedelta, most: int
) -> pd.DataFrame:
    """Return what was asked for some models of goods, enough to tell the latest prices at any time of a span.

    Parameters
    ----------
    goods
        Numbers of models.
    first, last
        The span. Prices count that were observed before ``last``.
    window
        Prices older than this at ``first`` do not count.
    most
        So many before ``first`` are told of each model, and a few more where several were observed at once.

    Returns
    -------
    DataFrame
        ``GOODS``, a row for each version of a listing; in no order.
    """
    oldest, begin, end = to_instants(first - window, first, last)

    def query(some: list[Any]) -> Select[Any]:
        # Model by model from the newest price back: what a popular one has had besides is not looked at.
        asked = values(column("goods", BigInteger), name="asked").data([(each,) for each in some]).cte("asked")
        farthest = (
            select(texts.c.observed_at)
            .where(texts.c.goods == asked.c.goods, texts.c.observed_at >= oldest, texts.c.observed_at < begin)
            .order_by(texts.c.observed_at.desc())
            .limit(1)
            .offset(most - 1)
            .scalar_subquery()
        )
        since = select(asked.c.goods, func.coalesce(farthest, oldest).label("since")).cte("since")
        joined = (texts.c.goods == since.c.goods) & (texts.c.observed_at >= since.c.since)
        return _OF_MODELS.join_from(since, texts, joined).where(texts.c.observed_at < end)

    # Without any number there is no list of values to begin with.
    if not len(goods):
        return read_frame(connection, _OF_MODELS.limit(0))
    return read_portions(connection, query, goods)


def all_model_prices(connection: Connection) -> pd.DataFrame:
    """Return everything that was ever asked for any model of goods (``GOODS``), ordered by model."""
    query = _OF_MODELS.where(texts.c.goods.is_not(None))
    return read_frame(connection, query).sort_values("goods", kind="stable", ignore_index=True)


def _of_kind(
    connection: Connection, kind: tuple[Any, ...], instants: tuple[int, ...], spans: list[dict[str, int]]
) -> Iterator[pd.DataFrame]:
    """Yield ``kind, observed_at, price`` of one kind, which begins with its number."""
    number, *names = kind
    whole = (
        select(daily_prices.c.day_at, daily_prices.c.prices)
        .join_from(daily_prices, price_days, daily_prices.c.day_at == price_days.c.day_at)
        .where(*_same(daily_prices, names))
        .where(daily_prices.c.day_at >= instants[0], daily_prices.c.day_at < instants[1])
    )
    days = read_frame(connection, whole)
    prices = np.frombuffer(b"".join(days["prices"]), PRICE)
    counts = days["prices"].map(len).to_numpy(np.int64) // PRICE.itemsize
    yield pd.DataFrame(
        {"observed_at": days["day_at"].iloc[np.repeat(np.arange(len(days)), counts)].array, "price": prices}
    ).assign(kind=number)
    query = _ASKED.where(*(column == name for column, name in zip(_KIND, names, strict=True)))
    for span in spans:
        yield read_frame(connection, query, span).assign(kind=number)


def _days(since: datetime, until: datetime) -> pd.Series:
    days = pd.date_range(since, until, freq=DAY, inclusive="left", unit="us")
    return pd.Series(days)


def _spans(since: datetime, until: datetime, gathered: pd.Series) -> Iterator[dict[str, int]]:
    """Yield the stretches of days that were not gathered, as values for `SPAN`."""
    days = _days(since, until)
    missing = days[~days.isin(gathered)]
    for _, stretch in missing.groupby((missing.diff() != DAY).cumsum()):
        yield _span(stretch.iloc[0], stretch.iloc[-1] + DAY)


def _span(begin: pd.Timestamp, end: pd.Timestamp) -> dict[str, int]:
    """Return the values for `SPAN`."""
    return dict(zip(SPAN, (begin.value // 1000, end.value // 1000), strict=True))


def _same(table: FromClause, names: list[str]) -> Iterator[ColumnElement[bool]]:
    return (table.c[column] == name for column, name in zip(KIND, names, strict=True))
