"""A listing's price against what was lately asked for the same model of goods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.point_in_time.price_features import CATEGORY_DAYS, FEWEST_PRICES, stated
from features.point_in_time.range_median import range_medians
from features.spec import FeatureSpec
from features.timeline import DAY_US, Timeline, microseconds

if TYPE_CHECKING:
    from features.facts import Facts

NAMING_WORDS = 3
"""People begin a title with maker, model and kind ("Apple iPhone 12, black, like new"); what follows tells one piece
from another of the same model."""

LATEST_PRICES = 50
"""So many of the latest prices make up what is usual: enough for a steady median, and however often a model is sold,
no more of them are read."""

GOODS_SPECS = (
    FeatureSpec(
        name="price_to_goods", block="price", unit="ratio",
        missing=f"the price is unknown, the title has fewer than {NAMING_WORDS} words, or fewer than {FEWEST_PRICES} "
        "prices are known",
        meaning=f"Price divided by the median of the latest {LATEST_PRICES} prices of the {CATEGORY_DAYS} days before "
        "the moment's (UTC) that were asked for the same model of goods: same marketplace, category, currency and "
        f"first {NAMING_WORDS} words of the title.",
        reason="The price is {value} times the usual one of such goods.",
    ),
)  # fmt: skip


def goods_of(versions: pd.DataFrame) -> pd.Series[Any]:
    """Name the model of goods of each version of a listing by a number.

    Parameters
    ----------
    versions
        ``marketplace, category, currency, title``, with any index.

    Returns
    -------
    pandas.Series
        ``Int64`` on the same index: equal for versions of the same model, NA where the title has fewer than
        `NAMING_WORDS` words. Letters count without case; a missing category or currency is one of its own.
    """
    titles = versions["title"].fillna("").astype("str").str.casefold().reset_index(drop=True)
    named = titles[titles.str.count(r"\w+") >= NAMING_WORDS]
    text = named.str.findall(r"\w+").str[:NAMING_WORDS].str.join(" ")
    for column in ("marketplace", "category", "currency"):
        # A sign that no cell keeps stands between the parts, so that none runs into the next.
        text = versions[column].iloc[named.index].fillna("").astype("str").set_axis(named.index) + "\x1f" + text
    numbers = pd.util.hash_array(text.to_numpy(object)).view(np.int64)
    found: pd.Series[Any] = pd.Series(numbers, index=named.index, dtype="Int64")
    return found.reindex(titles.index).set_axis(versions.index)


def goods_block(described: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Compute the features of `GOODS_SPECS`.

    Parameters
    ----------
    described
        ``as_of, marketplace, category, title, price, currency`` of each listing as of its moment; its index numbers
        them.
    facts
        ``goods`` is read.
    """
    goods, price = goods_of(described), stated(described["price"])
    asked = goods.notna().to_numpy(bool) & ~np.isnan(price)
    usual = np.full(len(described), np.nan)
    usual[asked] = _usual(goods[asked], described.loc[asked, "as_of"], facts.goods)
    return pd.DataFrame({"price_to_goods": price / usual}, index=described.index)


def _usual(goods: pd.Series[Any], as_of: pd.Series[Any], prices: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the median of the latest prices before each moment's day, NaN where too few are known."""
    # Of prices asked at the same time the one of the greater key counts as later: any order does, but it must be one.
    prices = prices.sort_values("listing_key")
    timeline = Timeline.of(prices["goods"].to_numpy(np.int64), microseconds(prices["observed_at"]))
    keys, day_us = goods.to_numpy(np.int64), microseconds(as_of.dt.floor("D"))
    stop = timeline.before(keys, day_us)
    start = np.maximum(timeline.before(keys, day_us - CATEGORY_DAYS * DAY_US), stop - LATEST_PRICES)
    enough = stop - start >= FEWEST_PRICES
    values = prices["price"].to_numpy(np.float64)[timeline.order]
    return range_medians(values, np.where(enough, start, 0), np.where(enough, stop, 0))
