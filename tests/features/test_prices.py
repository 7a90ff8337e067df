"""Price features by example, and how far back prices must be known."""

import dataclasses
import math

import numpy as np
import pytest

from features.frame import build
from features.prices import CATEGORY_DAYS, PRICE_WINDOW
from tests.features.worlds import Market, day, moments


def features_of(market, on=5, listing=20):
    return build(moments((listing, on)), market.facts()).iloc[0]


@pytest.mark.parametrize("price", [None, 0.0, -1.0, float("inf")])
def test_only_a_price_above_nothing_is_a_price(price):
    assert math.isnan(features_of(Market().listing(20, 2, 4, price=price))["log_price"])


def test_the_price_is_that_of_the_version_known_then():
    market = Market().listing(20, 2, 4, price=100.0).listing(20, 2, 6, price=50.0)
    assert features_of(market, on=5)["log_price"] == np.log(100.0)
    assert features_of(market, on=6)["log_price"] == np.log(50.0)


def test_a_lure_is_cheaper_than_the_listing_it_copies():
    market = Market().listing(10, 1, 1, "a", price=100.0).listing(20, 2, 4, "a", price=25.0)
    assert features_of(market)["price_to_copied"] == 0.25


def test_the_copied_listings_price_is_that_of_the_moment():
    market = Market().listing(10, 1, 1, "a", price=100.0).listing(20, 2, 4, "a", price=25.0)
    market.listing(10, 1, 5, price=50.0)
    assert features_of(market, on=4)["price_to_copied"] == 0.25
    assert features_of(market, on=5)["price_to_copied"] == 0.5


def test_prices_in_different_currencies_are_not_compared():
    market = Market().listing(10, 1, 1, "a", price=100.0, currency="USD").listing(20, 2, 4, "a", price=25.0)
    assert math.isnan(features_of(market)["price_to_copied"])


def market_with_prices(prices, on=1.0, **said):
    market = Market()
    for number, price in enumerate(prices):
        market.listing(100 + number, 9, on, price=float(price), **said)
    return market


@pytest.mark.parametrize(("prices", "ratio"), [([1, 2, 4, 8, 9], 3.0), ([1, 2, 4, 8, 9, 9], 2.0)])
def test_the_usual_price_of_a_category_is_the_median(prices, ratio):
    market = market_with_prices(prices).listing(20, 2, 4, price=12.0)
    assert features_of(market, on=4)["price_to_category"] == ratio


def test_four_prices_are_too_few():
    market = market_with_prices([1, 2, 3, 4]).listing(20, 2, 4.5, price=12.0)
    assert math.isnan(features_of(market, on=4.5)["price_to_category"])


@pytest.mark.parametrize("said", [{"category": "toys"}, {"currency": "USD"}, {"marketplace": "n"}, {"category": None}])
def test_other_categories_currencies_and_marketplaces_do_not_count(said):
    market = market_with_prices([1, 2, 3, 4, 5], **said).listing(20, 2, 4.5, price=12.0)
    assert math.isnan(features_of(market, on=4.5)["price_to_category"])


@pytest.mark.parametrize(
    ("on", "known"), [(CATEGORY_DAYS + 1.9, True), (CATEGORY_DAYS + 2.0, False), (1.9, False), (2.0, True)]
)
def test_the_window_begins_and_ends_at_midnight(on, known):
    market = market_with_prices([1, 2, 3, 4, 5], on=1.0 if on > CATEGORY_DAYS else 1.8)
    market.listing(20, 2, 0.5, price=12.0, category="other").listing(20, 2, on, price=12.0)
    assert math.isnan(features_of(market, on=on)["price_to_category"]) != known


def test_prices_within_the_window_are_all_that_is_needed():
    market = market_with_prices([1, 2, 3, 4, 5], on=0.0).listing(20, 2, CATEGORY_DAYS + 0.99, price=12.0)
    facts = market.facts()
    asked = moments((20, CATEGORY_DAYS + 0.99))
    since = day(CATEGORY_DAYS + 0.99) - PRICE_WINDOW
    fewer = dataclasses.replace(facts, prices=facts.prices[facts.prices["observed_at"] >= since])
    assert build(asked, fewer)["price_to_category"].tolist() == [4.0]
