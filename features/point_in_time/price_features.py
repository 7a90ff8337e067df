"""A listing's price, against that of the listing its photos come from, its category and its product model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.spec import FeatureSpec
from features.timeline import Timeline, range_medians, rows_as_of

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
    timeline = Timeline.of(prices["kind"].to_numpy(np.int64)[known], prices["observed_at"][known])
    kind_days = kinds.rename_axis("kind").reset_index().merge(days.drop_duplicates().rename("day"), how="cross")
    kind, day = kind_days["kind"].to_numpy(np.int64), kind_days["day"]
    _, start, stop = timeline.before(kind, day - PRICE_WINDOW, day)
    enough = stop - start >= FEWEST_PRICES
    medians = range_medians(values[known][timeline.order], start[enough], stop[enough])
    return kind_days.loc[enough, [*CATEGORY, "day"]].assign(usual_price=medians).reset_index(drop=True)


def stated(price: pd.Series[Any]) -> NDArray[np.float64]:
    """Return prices as numbers, NaN where none, nothing or less is asked; shape (rows,)."""
    values = price.to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _price_of_copied(described: pd.DataFrame, copied: pd.DataFrame, listings: pd.DataFrame) -> NDArray[np.float64]:
    surest = copied.drop_duplicates("moment")
    keys = surest["other_listing_key"].to_numpy(np.int64)
    original = rows_as_of(listings, "listing_key", keys, surest["as_of"])
    own_currency = described["currency"].fillna("").loc[surest["moment"]].to_numpy()
    same_currency = original["currency"].fillna("").to_numpy() == own_currency
    prices = pd.Series(np.where(same_currency, stated(original["price"]), np.nan), index=surest["moment"])
    return np.asarray(prices.reindex(described.index), np.float64)


def _usual_price(described: pd.DataFrame, prices: pd.DataFrame) -> NDArray[np.float64]:
    """Return what is usual in each listing's category by the day of its moment."""
    kind_days = described[CATEGORY].assign(
        currency=described["currency"].fillna(""), day=described["as_of"].dt.floor("D")
    )
    return kind_days.merge(prices, on=[*CATEGORY, "day"], how="left")["usual_price"].to_numpy(np.float64)


NAMING_WORDS = 3
"""People begin a title with maker, model and kind ("Apple iPhone 12, black, like new"); what follows tells one piece
from another of the same model."""

LATEST_PRICES = 50
"""So many of the latest prices make up what is usual: enough for a steady median, and however often a model is sold,
no more of them are read."""

PRODUCT_MODEL_SPECS = (
    FeatureSpec(
        name="price_to_goods", block="price", unit="ratio",
        missing=f"the price is unknown, the title has fewer than {NAMING_WORDS} words, or fewer than {FEWEST_PRICES} "
        "prices are known",
        meaning=f"Price divided by the median of the latest {LATEST_PRICES} prices of the {CATEGORY_DAYS} days before "
        "the moment's (UTC) for the same product model: same marketplace, category, currency and "
        f"first {NAMING_WORDS} words of the title.",
        reason="The price is {value} times the usual one of such goods.",
    ),
)  # fmt: skip


def product_models_of(versions: pd.DataFrame) -> pd.Series[Any]:
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


def product_model_block(described: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Compute the features of `PRODUCT_MODEL_SPECS`.

    Parameters
    ----------
    described
        ``as_of, marketplace, category, title, price, currency`` of each listing as of its moment; its index numbers
        them.
    facts
        ``product_models`` is read.
    """
    models, price = product_models_of(described), stated(described["price"])
    comparable = models.notna().to_numpy(bool) & ~np.isnan(price)
    usual = np.full(len(described), np.nan)
    usual[comparable] = _usual(models[comparable], described.loc[comparable, "as_of"], facts.product_models)
    return pd.DataFrame({"price_to_goods": price / usual}, index=described.index)


def _usual(models: pd.Series[Any], as_of: pd.Series[Any], prices: pd.DataFrame) -> NDArray[np.float64]:
    """Return the median of the latest prices before each moment's day, NaN where too few are known."""
    # Of prices asked at the same time the one of the greater key counts as later: any order does, but it must be one.
    prices = prices.sort_values("listing_key")
    timeline = Timeline.of(prices["goods"], prices["observed_at"])
    day = as_of.dt.floor("D")
    _, since, stop = timeline.before(models.to_numpy(np.int64), day - PRICE_WINDOW, day)
    start = np.maximum(since, stop - LATEST_PRICES)
    enough = stop - start >= FEWEST_PRICES
    values = prices["price"].to_numpy(np.float64)[timeline.order]
    return range_medians(values, np.where(enough, start, 0), np.where(enough, stop, 0))
