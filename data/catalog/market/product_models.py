"""What was lately asked for models of goods, read from one index, and no more of it than counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, column, func, select, values

from data.catalog.database.frames import read_frame, read_portions, to_instant, whole_table
from data.catalog.database.schema import texts

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    import pandas as pd
    from sqlalchemy import Connection, Select

    from data.catalog.database.frames import Keys

GOODS = ("goods", "listing_key", "observed_at", "price")


def latest_asked(
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
    oldest, begin, end = to_instant(first - window), to_instant(first), to_instant(last)

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
        return whole_table(texts, GOODS).join_from(since, texts, joined).where(texts.c.observed_at < end)

    # Without any number there is no list of values to begin with.
    if not len(goods):
        return read_frame(connection, whole_table(texts, GOODS).limit(0))
    return read_portions(connection, query, goods)


def all_asked(connection: Connection) -> pd.DataFrame:
    """Return everything that was ever asked for any model of goods (``GOODS``), ordered by model."""
    query = whole_table(texts, GOODS).where(texts.c.goods.is_not(None))
    return read_frame(connection, query).sort_values("goods", kind="stable", ignore_index=True)
