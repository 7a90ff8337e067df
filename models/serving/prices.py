"""What is usually asked for goods, by the days that moments are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.catalog.prices import KIND, kinds_of_goods, prices_of
from features.prices import PRICE_WINDOW, usual_prices

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection


def usual_prices_of(connection: Connection, versions: pd.DataFrame, moments: pd.DataFrame) -> pd.DataFrame:
    """Return the usual prices (`features.facts.PRICE_COLUMNS`) that describing some listings may look at.

    Parameters
    ----------
    versions
        ``marketplace, category, currency`` of the versions of the listings.
    moments
        ``as_of``; not empty.
    """
    kinds = versions[list(KIND)].dropna(subset="category").fillna({"currency": ""})
    return _by_days(connection, kinds.drop_duplicates(ignore_index=True), moments)


def all_usual_prices(connection: Connection, moments: pd.DataFrame) -> pd.DataFrame:
    """Return the usual prices of all kinds of goods by the days of some moments (``as_of``), which may be none."""
    return _by_days(connection, kinds_of_goods(connection), moments)


def _by_days(connection: Connection, kinds: pd.DataFrame, moments: pd.DataFrame) -> pd.DataFrame:
    days = moments["as_of"].dt.floor("D").drop_duplicates()
    prices = prices_of(connection, kinds, days.min() - PRICE_WINDOW, days.max())
    return usual_prices(kinds, days, prices)
