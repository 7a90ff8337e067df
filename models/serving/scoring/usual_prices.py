"""What is usually asked for goods, by the days that moments are of: for kinds of goods and for models of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.catalog.market.prices import KIND, gather_prices, kinds_of_goods, prices_of
from data.catalog.market.product_models import all_asked, latest_asked
from features.point_in_time.price_features import PRICE_WINDOW, usual_prices
from features.point_in_time.product_model_features import LATEST_PRICES, goods_of

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection

    from models.serving.context import Context


@dataclass(frozen=True, slots=True)
class Prices:
    """The frames ``prices`` and ``goods`` of `features.facts.Facts`, for some moments or for all."""

    usual: pd.DataFrame
    goods: pd.DataFrame

    def for_versions(self, versions: pd.DataFrame) -> Prices:
        """Return those that describing some versions of listings may look at, of prices of the whole market.

        Parameters
        ----------
        versions
            ``marketplace, category, currency, title``.
        """
        wanted = np.unique(goods_of(versions).dropna().to_numpy(np.int64))
        known = self.goods["goods"].to_numpy(np.int64)
        start, stop = np.searchsorted(known, wanted, "left"), np.searchsorted(known, wanted, "right")
        rows = np.repeat(start - np.concatenate([[0], np.cumsum(stop - start)[:-1]]), stop - start)
        return Prices(self.usual, self.goods.iloc[rows + np.arange(len(rows))])


def gather_prices_for(context: Context, moments: pd.DataFrame) -> None:
    """Gather the prices of the days that describing some moments (``as_of``) looks at: many are described faster."""
    if moments.empty:
        return
    days, gathered = moments["as_of"].dt.floor("D"), 1
    while gathered:
        with context.catalog.write() as connection:
            gathered = gather_prices(connection, days.min() - PRICE_WINDOW, days.max())


def prices_for(connection: Connection, versions: pd.DataFrame, moments: pd.DataFrame) -> Prices:
    """Return the prices that describing some listings may look at.

    Parameters
    ----------
    versions
        ``marketplace, category, currency, title`` of the versions of the listings.
    moments
        ``as_of``; not empty.
    """
    kinds = versions[list(KIND)].dropna(subset="category").fillna({"currency": ""})
    days = moments["as_of"].dt.floor("D")
    goods = latest_asked(
        connection,
        goods_of(versions).dropna(),
        first=days.min(),
        last=days.max(),
        window=PRICE_WINDOW,
        most=LATEST_PRICES,
    )
    return Prices(_by_days(connection, kinds.drop_duplicates(ignore_index=True), days), goods)


def all_prices(connection: Connection, moments: pd.DataFrame) -> Prices:
    """Return the prices that describing moments (``as_of``) of any listings may look at; there may be none."""
    days = moments["as_of"].dt.floor("D")
    return Prices(_by_days(connection, kinds_of_goods(connection), days), all_asked(connection))


def _by_days(connection: Connection, kinds: pd.DataFrame, days: pd.Series) -> pd.DataFrame:
    prices = prices_of(connection, kinds, days.min() - PRICE_WINDOW, days.max())
    return usual_prices(kinds, days.drop_duplicates(), prices)
