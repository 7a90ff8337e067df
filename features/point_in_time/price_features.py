"""A listing's price, against that of the listing its photos come from and against its category."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.point_in_time.range_median import range_medians
from features.spec import FeatureSpec
from features.timeline import DAY_US, Timeline, microseconds, rows_as_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.facts import Facts

CATEGORY_DAYS = 180
"""How many days before the moment's own (UTC) make up a category's usual price: two seasons."""

PRICE_WINDOW = pd.Timedelta(days=CATEGORY_DAYS)
"""How far before the beginning of a moment's day prices count."""

FEWEST_PRICES = 5
"""Below this many prices a median says little about a category."""

CATEGORY = ["marketplace", "category", "currency"]

PRICE_SPECS = (
    FeatureSpec(
        name="log_price", block="price", unit="log", missing="no price above 0 is stated",
        meaning="Natural logarithm of the price, in the listing's own currency.",
    ),
    FeatureSpec(
        name="price_to_copied", block="price", unit="ratio",
        missing="no photo counts as copied, or the two prices are unknown or in different currencies",
        meaning="Price divided by that of the listing the surest copied photo was first shown in, as of the moment.",
        reason="The price is {value} times that of the listing its photo was first seen in.",
    ),
    FeatureSpec(
        name="price_to_category", block="price", unit="ratio",
        missing=f"price or category is unknown, or fewer than {FEWEST_PRICES} prices are known",
        meaning=f"Price divided by the median of the {CATEGORY_DAYS} days before the moment's (UTC), over the same "
        "marketplace, category and currency.",
        reason="The price is {value} times the usual one of its category.",
    ),
)  # fmt: skip


def price_block(described: pd.DataFrame, copied: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Compute the features of `PRICE_SPECS`.

    Parameters
    ----------
    described
        ``as_of, marketplace, category, price, currency`` of each listing as of its moment; its index numbers them.
    copied
        The matches that count as copying by each moment, best first (`features.sightings.evidence.copies`).
    facts
        ``listings`` and ``prices`` are read.

    Returns
    -------
    pandas.DataFrame
        One row for each moment, in the order of ``described``.
    """
    price = stated(described["price"])
    return pd.DataFrame(
        {
            "log_price": np.log(price),
            "price_to_copied": price / _price_of_copied(described, copied, facts.listings),
            "price_to_category": price / _usual_price(described, facts.prices),
        },
        index=described.index,
    )


def usual_prices(kinds: pd.DataFrame, days: pd.Series[Any], prices: pd.DataFrame) -> pd.DataFrame:
    """Return the usual price of kinds of goods by days: the median of the `PRICE_WINDOW` before each.

    Parameters
    ----------
    kinds
        ``marketplace, category, currency``, each kind once, with a unique index; an unknown currency is the empty text.
    days
        Beginnings of days (UTC), in any order.
    prices
        ``kind`` (index of ``kinds``), ``observed_at, price``, at least from `PRICE_WINDOW` before the earliest day on.

    Returns
    -------
    pandas.DataFrame
        ``marketplace, category, currency, day, usual_price``: a row for each kind and day that at least
        `FEWEST_PRICES` prices are known for.
    """
    values = stated(prices["price"])
    known = ~np.isnan(values)
    times_us = microseconds(prices["observed_at"])[known]
    timeline = Timeline.of(prices["kind"].to_numpy(np.int64)[known], times_us)
    asked = kinds.rename_axis("kind").reset_index().merge(days.drop_duplicates().rename("day"), how="cross")
    kind, day_us = asked["kind"].to_numpy(np.int64), microseconds(asked["day"])
    start, stop = timeline.before(kind, day_us - CATEGORY_DAYS * DAY_US), timeline.before(kind, day_us)
    enough = stop - start >= FEWEST_PRICES
    medians = range_medians(values[known][timeline.order], start[enough], stop[enough])
    return asked.loc[enough, [*CATEGORY, "day"]].assign(usual_price=medians).reset_index(drop=True)


def stated(price: pd.Series[Any]) -> NDArray[np.float64]:
    """Return prices as numbers, NaN where none, nothing or less is asked; shape (rows,)."""
    values = price.to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _price_of_copied(described: pd.DataFrame, copied: pd.DataFrame, listings: pd.DataFrame) -> NDArray[np.float64]:
    surest = copied.drop_duplicates("moment")
    keys = surest["other_listing_key"].to_numpy(np.int64)
    original = rows_as_of(listings, "listing_key", keys, microseconds(surest["as_of"]))
    own_currency = described["currency"].fillna("").loc[surest["moment"]].to_numpy()
    same_currency = original["currency"].fillna("").to_numpy() == own_currency
    prices = pd.Series(np.where(same_currency, stated(original["price"]), np.nan), index=surest["moment"])
    return np.asarray(prices.reindex(described.index), np.float64)


def _usual_price(described: pd.DataFrame, prices: pd.DataFrame) -> NDArray[np.float64]:
    """Return what is usual in each listing's category by the day of its moment."""
    asked = described[CATEGORY].assign(currency=described["currency"].fillna(""), day=described["as_of"].dt.floor("D"))
    return asked.merge(prices, on=[*CATEGORY, "day"], how="left")["usual_price"].to_numpy(np.float64)
