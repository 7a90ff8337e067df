"""Seller features by example: the account, its pace, its copying and what was decided about it."""

import math

from features.point_in_time.feature_frame import build
from tests.features.point_in_time.worlds import Market, moments

SELLER = 2


def features_of(market, on, listing=20):
    return build(moments((listing, on)), market.facts()).iloc[0]


def test_the_account_is_described_as_it_was_known():
    market = Market().listing(20, SELLER, 4)
    market.seller(SELLER, 0, joined=-6, feedback=3, rating=4.5).seller(SELLER, 5, joined=-6, feedback=9)
    then, now = features_of(market, on=4), features_of(market, on=5)
    assert (then["account_age_days"], then["feedback_count"], then["rating"]) == (10.0, 3, 4.5)
    assert (now["account_age_days"], now["feedback_count"]) == (11.0, 9)
    assert math.isnan(now["rating"])


def test_an_unknown_account_has_no_age():
    row = features_of(Market().listing(20, SELLER, 4), on=4)
    assert row[["account_age_days", "feedback_count", "rating"]].isna().all()


def test_listings_count_once_and_never_the_one_described():
    market = Market().listing(20, SELLER, 20).listing(20, SELLER, 21)
    for key, on in [(21, 1), (22, 13), (23, 13.5), (24, 20), (25, 30)]:
        market.listing(key, SELLER, on).listing(key, SELLER, on + 0.25)
    market.listing(30, 3, 19)
    row = features_of(market, on=20.5)
    assert (row["seller_listings"], row["seller_listings_7d"]) == (4, 1 + 0)


def test_a_week_ago_to_the_hour_is_no_longer_this_week():
    market = Market().listing(20, SELLER, 10).listing(21, SELLER, 3).listing(22, SELLER, 3.5)
    assert features_of(market, on=10)["seller_listings_7d"] == 1


def test_a_burst_compares_this_week_with_the_weeks_before():
    market = Market().listing(20, SELLER, 21)
    for key, on in [(21, 0), (22, 3), (23, 20), (24, 20), (25, 20.5)]:
        market.listing(key, SELLER, on)
    # Two listings in the two weeks before, four in this one.
    assert features_of(market, on=21)["burst"] == 4.0


def test_a_seller_of_this_week_has_no_burst():
    market = Market().listing(20, SELLER, 5).listing(21, SELLER, 1)
    assert math.isnan(features_of(market, on=5)["burst"])


def test_categories_and_locations_are_counted_distinct_as_of_the_moment():
    market = Market().listing(20, SELLER, 4, location="here")
    market.listing(21, SELLER, 1, category="toys").listing(22, SELLER, 2, category="toys", location="there")
    market.listing(23, SELLER, 9, category="cars")
    row = features_of(market, on=4)
    assert (row["seller_categories"], row["seller_locations"]) == (2, 2)


def test_copied_listings_and_victims_are_those_known_by_then():
    market = Market().listing(10, 1, 0, "ab").listing(11, 3, 0, "c")
    market.listing(21, SELLER, 1, "a").listing(22, SELLER, 2, "x").listing(20, SELLER, 3, "b").listing(
        23, SELLER, 4, "c"
    )
    then, later = features_of(market, on=3), features_of(market, on=4)
    assert (then["seller_copied_listings"], then["seller_copied_share"], then["seller_victims"]) == (1, 0.5, 1)
    assert (later["seller_copied_listings"], later["seller_copied_share"], later["seller_victims"]) == (2, 2 / 3, 2)


def test_a_victim_has_copied_nobody():
    market = Market().listing(20, SELLER, 0, "a").listing(21, SELLER, 0, "b").listing(10, 1, 1, "ab")
    row = features_of(market, on=2)
    assert (row["seller_copied_listings"], row["seller_copied_share"], row["seller_victims"]) == (0, 0, 0)


def decided(market, on):
    row = features_of(market, on)
    return row["seller_confirmed_fraud"], row["seller_confirmed_legit"]


def test_decisions_count_from_the_moment_they_are_known():
    market = Market().listing(20, SELLER, 1).listing(21, SELLER, 1).listing(22, SELLER, 1)
    market.label(21, "fraud", 3).label(22, "legit", 4)
    assert [decided(market, on) for on in (2, 3, 4)] == [(0, 0), (1, 0), (1, 1)]


def test_a_decision_taken_back_no_longer_counts():
    market = Market().listing(20, SELLER, 1).listing(21, SELLER, 1)
    market.label(21, "fraud", 2).label(21, "fraud", 3).label(21, "legit", 4)
    assert [decided(market, on) for on in (2, 3, 4)] == [(1, 0), (1, 0), (0, 1)]


def test_the_decision_on_the_listing_itself_never_describes_it():
    market = Market().listing(20, SELLER, 1).listing(21, SELLER, 1)
    market.label(20, "legit", 2).label(20, "fraud", 3)
    assert decided(market, on=4) == (0, 0)
