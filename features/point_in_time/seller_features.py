"""A seller's past as of a moment: the account, its pace, its copied photos and what was decided about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.spec import FeatureSpec
from features.timeline import DAY_US, Integers, Timeline, days_between, distinct_counts, rows_as_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.facts import Facts
    from features.sightings.evidence import Judgements

WEEK_US = 7 * DAY_US

SELLER_SPECS = (
    FeatureSpec(
        name="account_age_days", block="seller", unit="days", missing="the joining date is unknown",
        meaning="Days from joining the marketplace to the moment.",
        reason="The account is {value} days old.",
    ),
    FeatureSpec(
        name="feedback_count", block="seller", unit="count", missing="the marketplace does not say",
        meaning="Ratings that the account had received.",
        reason="Feedback received by the account: {value}.",
    ),
    FeatureSpec(
        name="rating", block="seller", unit="points", missing="the marketplace does not say",
        meaning="Rating of the account, on the marketplace's own scale.",
        reason="The account's rating is {value}.",
    ),
    FeatureSpec(
        name="seller_listings", block="seller", unit="count",
        meaning="Other listings of the seller known by the moment.",
        reason="Other listings of the seller: {value}.",
    ),
    FeatureSpec(
        name="seller_listings_7d", block="seller", unit="count",
        meaning="Other listings of the seller first observed in the 7 days up to the moment.",
        reason="Other listings of the seller within a week: {value}.",
    ),
    FeatureSpec(
        name="burst", block="seller", unit="ratio", missing="the seller's first listing is less than 7 days old",
        meaning="Listings of the last 7 days, this one included, divided by the seller's weekly mean before; a past "
        "shorter than a week counts as one.",
        reason="The seller lists {value} times as much as in an average week before.",
    ),
    FeatureSpec(
        name="seller_categories", block="seller", unit="count",
        meaning="Distinct categories of the seller's listings, including this one.",
        reason="Categories the seller lists in: {value}.",
    ),
    FeatureSpec(
        name="seller_locations", block="seller", unit="count",
        meaning="Distinct locations of the seller's listings, including this one.",
        reason="Locations the seller lists from: {value}.",
    ),
    FeatureSpec(
        name="seller_copied_listings", block="seller", unit="count", direction=1,
        meaning="Other listings of the seller with copied photos.",
        reason="Other listings of the seller with photos first seen under somebody else: {value}.",
    ),
    FeatureSpec(
        name="seller_copied_share", block="seller", unit="share", direction=1, missing="there are no other listings",
        meaning="Share of the seller's other listings that have copied photos.",
        reason="{value} of the seller's other listings have photos first seen under somebody else.",
    ),
    FeatureSpec(
        name="seller_victims", block="seller", unit="count", direction=1,
        meaning="Distinct sellers whose photos the seller has copied, in this listing or others.",
        reason="Sellers whose photos appear in this seller's listings: {value}.",
    ),
    FeatureSpec(
        name="seller_confirmed_fraud", block="seller", unit="count", direction=1,
        meaning="Other listings of the seller that were labelled fraud at the moment.",
        reason="Other listings of the seller confirmed as fraud: {value}.",
    ),
    FeatureSpec(
        name="seller_confirmed_legit", block="seller", unit="count", direction=-1,
        meaning="Other listings of the seller that were labelled legit at the moment.",
    ),
)  # fmt: skip


def seller_block(described: pd.DataFrame, judgements: Judgements, facts: Facts) -> pd.DataFrame:
    """Compute the features of `SELLER_SPECS`.

    Parameters
    ----------
    described
        ``listing_key, seller_key, as_of, as_of_us, first_observed_us``; its index numbers the moments.
    judgements
        Matches of all listings of the sellers concerned.
    facts
        ``sellers``, ``listings`` and ``labels`` are read.

    Returns
    -------
    pandas.DataFrame
        One row for each moment, in the order of ``described``.
    """
    moments = _Moments.of(described)
    listings = _listings_known(moments, facts.listings)
    categories, locations = _distinct(moments, facts.listings, "category", "location")
    copied = judgements.matches[judgements.matches["copied"]]
    # A match counts from when it was known, which for a late one is after its photo was.
    copied = copied.assign(observed_at=copied["known_at"])
    with_copies, victims = _distinct(moments, copied, "listing_key", "other_seller_key")
    itself = Timeline.of(copied["listing_key"], copied["observed_at"]).count(moments.listing, moments.as_of_us) > 0
    copied_listings = with_copies - itself
    return pd.DataFrame(
        {
            **_account(described, moments, facts.sellers),
            **listings,
            "seller_categories": categories,
            "seller_locations": locations,
            "seller_copied_listings": copied_listings,
            "seller_copied_share": _ratio(copied_listings, listings["seller_listings"]),
            "seller_victims": victims,
            **_decisions(moments, facts.labels),
        },
        index=described.index,
    )


@dataclass(frozen=True, slots=True)
class _Moments:
    """The moments as integers: which listing of which seller, when it first came, and as of when."""

    listing: Integers
    seller: Integers
    first_us: Integers
    as_of_us: Integers

    @classmethod
    def of(cls, described: pd.DataFrame) -> _Moments:
        return cls(
            described["listing_key"].to_numpy(np.int64),
            described["seller_key"].to_numpy(np.int64),
            described["first_observed_us"].to_numpy(np.int64),
            described["as_of_us"].to_numpy(np.int64),
        )


def _account(described: pd.DataFrame, moments: _Moments, sellers: pd.DataFrame) -> dict[str, NDArray[Any]]:
    account = rows_as_of(sellers, "seller_key", moments.seller, moments.as_of_us).set_axis(described.index)
    return {
        "account_age_days": days_between(account["joined_at"], described["as_of"]).to_numpy(),
        "feedback_count": account["feedback_count"].to_numpy(np.float64, na_value=np.nan),
        "rating": account["rating"].to_numpy(np.float64, na_value=np.nan),
    }


def _listings_known(moments: _Moments, listings: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Count the seller's other listings, and compare the last week with the weeks before."""
    known = listings[["seller_key", "listing_key", "observed_at"]]
    firsts = known.sort_values("observed_at", kind="stable").drop_duplicates("listing_key")
    timeline = Timeline.of(firsts["seller_key"], firsts["observed_at"])
    week_ago_us = moments.as_of_us - WEEK_US
    start, a_week_ago, now = timeline.until(moments.seller, week_ago_us, moments.as_of_us)
    before, this_week = a_week_ago - start, now - a_week_ago
    weeks_before = np.maximum((week_ago_us - timeline.times[start]) / WEEK_US, 1.0)
    return {
        "seller_listings": now - start - 1,
        "seller_listings_7d": this_week - (moments.first_us > week_ago_us),
        "burst": _ratio(this_week * weeks_before, before),
    }


def _distinct(moments: _Moments, rows: pd.DataFrame, *items: str) -> tuple[Integers, ...]:
    return distinct_counts(rows, "seller_key", items, moments.seller, moments.as_of_us)


def _decisions(moments: _Moments, labels: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Count the seller's other listings by their latest label as of each moment."""
    ordered = labels.sort_values(["listing_key", "known_at", "label"], kind="stable", ignore_index=True)
    by_seller = Timeline.of(ordered["seller_key"], ordered["known_at"])
    by_listing = Timeline.of(ordered["listing_key"], ordered["known_at"])
    start, stop = by_seller.until(moments.seller, moments.as_of_us)
    own_row = by_listing.latest(moments.listing, moments.as_of_us)
    counts = {}
    for label in ("fraud", "legit"):
        now = (ordered["label"] == label).astype("int64")
        # A listing counts from the label that says so until the one that takes it back.
        change = now - now.groupby(ordered["listing_key"]).shift(fill_value=0)
        running = np.concatenate([[0], np.cumsum(change.to_numpy()[by_seller.order])])
        own = np.append(now.to_numpy(), 0)[own_row]
        counts[f"seller_confirmed_{label}"] = running[stop] - running[start] - own
    return counts


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Divide, with NaN where the whole is nothing."""
    ratio = np.full(len(whole), np.nan)
    np.divide(part, whole, out=ratio, where=whole != 0)
    return ratio
