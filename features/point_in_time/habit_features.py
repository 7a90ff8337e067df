"""Whether a listing is like what its seller did before: a good old account, once taken over, must vouch for nothing.

Habits are those of the seller's earlier listings, each in its first version, first observed strictly before this one
was; so a listing never is its own habit, and what came together with it is none either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.spec import FeatureSpec
from features.timeline import DAY_S, DAY_US, Integers, Timeline, kth_smallest, range_medians

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECENT_DAYS = 30
"""How long ago a silence may have ended to be told: whoever takes an account over uses it before it is missed."""

FEWEST_OWN_PRICES = 3
"""Below this many own prices a median says little about a seller."""

PAST = ("seller_key", "listing_key", "observed_at", "category", "location", "price", "currency")

NO_PAST = "the seller had no earlier listing"

HABIT_SPECS = (
    FeatureSpec(
        name="days_silent", block="seller", unit="days", missing=NO_PAST,
        meaning="Days between the first observations of this listing and of the seller's previous one.",
        reason="The seller had listed nothing for {value} days before.",
    ),
    FeatureSpec(
        name="silence_ended_days", block="seller", unit="days",
        missing=f"no listing of the last {RECENT_DAYS} days had an earlier one",
        meaning=f"Longest time between two of the seller's listings in a row, the later of them of the last "
        f"{RECENT_DAYS} days: that of a burst after silence for every listing of the burst.",
        reason="The seller lists again after {value} days of silence.",
    ),
    FeatureSpec(
        name="category_habit", block="seller", unit="share", missing=f"{NO_PAST}, or the category is unknown",
        meaning="Share of the seller's earlier listings in this listing's category.",
        reason="{value} of the seller's earlier listings were of this category.",
    ),
    FeatureSpec(
        name="location_habit", block="seller", unit="share", missing=f"{NO_PAST}, or the location is unknown",
        meaning="Share of the seller's earlier listings from this listing's location.",
        reason="{value} of the seller's earlier listings were from this location.",
    ),
    FeatureSpec(
        name="price_to_own", block="seller", unit="ratio",
        missing=f"no price above 0 is stated, or the seller had fewer than {FEWEST_OWN_PRICES} in this currency",
        meaning="Price divided by the median price of the seller's earlier listings in the same currency.",
        reason="The price is {value} times what the seller usually asked before.",
    ),
)  # fmt: skip


def habit_block(described: pd.DataFrame, listings: pd.DataFrame) -> pd.DataFrame:
    """Compute the features of `HABIT_SPECS`.

    Parameters
    ----------
    described
        ``seller_key, as_of_us, first_observed_us, category, location, price, currency`` of each listing as of its
        moment; its index numbers them.
    listings
        All versions of all listings of the sellers concerned (`features.facts.LISTING_COLUMNS`).

    Returns
    -------
    pandas.DataFrame
        One row for each moment, in the order of ``described``.
    """
    firsts = listings[list(PAST)].sort_values("observed_at", kind="stable").drop_duplicates("listing_key")
    past = _Past.of(firsts)
    seller = described["seller_key"].to_numpy(np.int64)
    first_us, as_of_us = (described[name].to_numpy(np.int64) for name in ("first_observed_us", "as_of_us"))
    start, stop = past.timeline.before(seller, first_us)
    n_before = stop - start
    return pd.DataFrame(
        {
            "days_silent": past.silence(start, stop, first_us),
            "silence_ended_days": past.longest_gap(seller, as_of_us - RECENT_DAYS * DAY_US, as_of_us),
            "category_habit": _share(described, firsts, "category", n_before),
            "location_habit": _share(described, firsts, "location", n_before),
            "price_to_own": _price_to_own(described, firsts),
        },
        index=described.index,
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """When sellers listed: microseconds by seller and time, and the gap before each, NaN before a seller's first."""

    timeline: Timeline
    gaps_days: NDArray[np.float64]

    @classmethod
    def of(cls, firsts: pd.DataFrame) -> _Past:
        timeline = Timeline.of(firsts["seller_key"], firsts["observed_at"])
        in_order, sellers = timeline.times, firsts["seller_key"].to_numpy(np.int64)[timeline.order]
        gaps = np.diff(in_order, prepend=in_order[:1]) / (DAY_S * 1e6)
        opens = np.diff(sellers, prepend=sellers[:1]) != 0
        opens[:1] = True
        return cls(timeline, np.where(opens, np.nan, gaps))

    def silence(self, start: Integers, stop: Integers, times_us: Integers) -> NDArray[np.float64]:
        """Return the days from each seller's last listing in ``start:stop`` to a time, NaN where there is none."""
        known = stop > start
        days = np.full(len(start), np.nan)
        days[known] = (times_us[known] - self.timeline.times[stop[known] - 1]) / (DAY_S * 1e6)
        return days

    def longest_gap(self, sellers: Integers, after_us: Integers, until_us: Integers) -> NDArray[np.float64]:
        """Return the longest gap that ended after one time and up to another, NaN where there is none."""
        first, after, stop = self.timeline.until(sellers, after_us, until_us)
        # A seller's first listing has no gap before it.
        start = np.maximum(after, first + 1)
        some = stop > start
        longest = np.full(len(sellers), np.nan)
        longest[some] = kth_smallest(self.gaps_days, start[some], stop[some], (stop - start - 1)[some])
        return longest


def _share(described: pd.DataFrame, firsts: pd.DataFrame, column: str, n_before: Integers) -> NDArray[np.float64]:
    """Return how many of each seller's earlier listings say the same, as a share of all of them."""
    same = _before(described, firsts, ["seller_key", column])
    share = np.full(len(described), np.nan)
    np.divide(same.stop - same.start, n_before, out=share, where=n_before > 0)
    return np.where(described[column].notna(), share, np.nan)


def _price_to_own(described: pd.DataFrame, firsts: pd.DataFrame) -> NDArray[np.float64]:
    stated = firsts[_stated(firsts["price"])]
    earlier = _before(described, stated, ["seller_key", "currency"])
    enough = earlier.stop - earlier.start >= FEWEST_OWN_PRICES
    prices = stated["price"].to_numpy(np.float64)[earlier.order]
    usual = range_medians(prices, earlier.start, np.where(enough, earlier.stop, earlier.start))
    return described["price"].where(_stated(described["price"])).to_numpy(np.float64, na_value=np.nan) / usual


def _stated(price: pd.Series[Any]) -> pd.Series[Any]:
    return (price > 0) & (price < np.inf)


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Rows of each seller's earlier listings: ``order[start:stop]`` are positions in the frame they come from."""

    order: NDArray[np.intp]
    start: Integers
    stop: Integers


def _before(described: pd.DataFrame, firsts: pd.DataFrame, by: list[str]) -> _Stretches:
    """Find the listings with the same values in ``by`` that were known before each described one first was."""
    number = np.zeros(len(described) + len(firsts), np.int64)
    for name in by:
        together = pd.concat([described[name], firsts[name]])
        code, distinct = pd.factorize(together if name == "seller_key" else together.fillna(""))
        number = number * len(distinct) + code
    timeline = Timeline.of(number[len(described) :], firsts["observed_at"])
    start, stop = timeline.before(number[: len(described)], described["first_observed_us"])
    return _Stretches(timeline.order, start, stop)
