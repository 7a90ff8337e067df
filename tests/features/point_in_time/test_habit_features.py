"""Habits by example, and against a slow reading of the same listings."""

import math

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from features.point_in_time.feature_frame import build, moments_of
from features.point_in_time.habit_features import FEWEST_OWN_PRICES, RECENT_DAYS
from tests.features.point_in_time.worlds import Market, markets, moments
from tests.full_run import often

SELLER = 2
HABITS = ["days_silent", "silence_ended_days", "category_habit", "location_habit", "price_to_own"]


def features_of(market, on, listing=20):
    return build(moments((listing, on)), market.facts()).iloc[0]


def test_a_first_listing_breaks_with_no_habit():
    row = features_of(Market().listing(20, SELLER, 4, price=5.0, location="here"), on=4)
    assert row[HABITS].isna().all()


def test_silence_is_counted_to_the_latest_listing_before_this_one():
    market = Market().listing(21, SELLER, 1).listing(22, SELLER, 3).listing(22, SELLER, 9).listing(20, SELLER, 10)
    market.listing(23, SELLER, 10).listing(24, SELLER, 12).listing(30, 3, 9)
    assert features_of(market, on=10)["days_silent"] == 7
    assert features_of(market, on=13)["days_silent"] == 7


def test_every_listing_of_a_burst_after_silence_tells_of_the_silence():
    market = Market().listing(21, SELLER, 0).listing(22, SELLER, 200).listing(20, SELLER, 201)
    row = features_of(market, on=201)
    assert (row["days_silent"], row["silence_ended_days"]) == (1, 200)


@pytest.mark.parametrize(("later", "told"), [(0, 200), (RECENT_DAYS - 0.5, 200), (RECENT_DAYS, None)])
def test_a_silence_is_forgotten_in_time(later, told):
    market = Market().listing(21, SELLER, 0).listing(20, SELLER, 200)
    found = features_of(market, on=200 + later)["silence_ended_days"]
    assert math.isnan(found) if told is None else found == told


def test_a_category_or_place_never_used_before_is_no_habit():
    market = Market()
    for key, category, place in [(21, "toys", "here"), (22, "toys", "here"), (23, None, "there"), (24, "home", None)]:
        market.listing(key, SELLER, 1, category=category, location=place)
    market.listing(20, SELLER, 2, category="cars", location="here").listing(20, SELLER, 3, category="toys")
    first, second = features_of(market, on=2), features_of(market, on=3)
    assert (first["category_habit"], first["location_habit"]) == (0.0, 0.5)
    assert second["category_habit"] == 0.5
    assert math.isnan(second["location_habit"])


def test_the_price_is_held_against_the_sellers_own_median_in_the_same_currency():
    market = Market()
    for key, price in [(21, 10.0), (22, 20.0), (23, 1000.0), (24, 0.0), (25, None)]:
        market.listing(key, SELLER, 1, price=price)
    market.listing(26, SELLER, 1, price=7.0, currency="USD").listing(20, SELLER, 2, price=60.0)
    market.listing(27, SELLER, 2, price=1.0)
    assert features_of(market, on=3)["price_to_own"] == 3.0
    market.listing(20, SELLER, 4, price=60.0, currency="USD")
    assert math.isnan(features_of(market, on=4)["price_to_own"])


def slow_habits(facts, listing, as_of):
    """The definitions, one listing at a time."""
    versions = facts.listings.sort_values("observed_at")
    firsts = versions.drop_duplicates("listing_key")
    own = firsts[firsts["listing_key"] == listing].iloc[0]
    now = versions[(versions["listing_key"] == listing) & (versions["observed_at"] <= as_of)].iloc[-1]
    theirs = firsts[firsts["seller_key"] == own["seller_key"]]
    past = theirs[theirs["observed_at"] < own["observed_at"]]
    known = theirs.loc[theirs["observed_at"] <= as_of, "observed_at"].sort_values()
    gaps = known.diff()[known > as_of - pd.Timedelta(days=RECENT_DAYS)].dropna()
    prices = past.loc[(past["price"] > 0) & (past["currency"] == now["currency"]), "price"]
    priced = pd.notna(now["price"]) and now["price"] > 0 and len(prices) >= FEWEST_OWN_PRICES

    def share(column):
        return (past[column] == now[column]).mean() if len(past) and pd.notna(now[column]) else math.nan

    day = pd.Timedelta(days=1)
    return [
        (own["observed_at"] - past["observed_at"].max()) / day if len(past) else math.nan,
        gaps.max() / day if len(gaps) else math.nan,
        share("category"),
        share("location"),
        now["price"] / prices.median() if priced else math.nan,
    ]


@settings(max_examples=often(in_full=40, otherwise=12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(markets())
def test_habits_are_what_a_slow_reading_finds(market):
    facts = market.facts()
    asked = moments_of(facts.listings, facts.sightings, facts.matches)
    slow = [slow_habits(facts, *row) for row in asked.itertuples(index=False, name=None)]
    expected = pd.DataFrame(slow, columns=HABITS, dtype="float64")
    pd.testing.assert_frame_equal(build(asked, facts)[HABITS], expected)
