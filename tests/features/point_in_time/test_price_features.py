"""Price features by example, and how far back prices must be known."""

import math

import numpy as np
import pandas as pd
import pytest

from features.point_in_time.feature_frame import build
from features.point_in_time.price_features import CATEGORY, CATEGORY_DAYS, FEWEST_PRICES, PRICE_WINDOW, usual_prices
from tests.features.point_in_time.worlds import Market, day, moments


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
    kinds = pd.DataFrame([("m", "c", "EUR")], columns=CATEGORY)
    rows = [(0, day(on), price) for price in range(1, 6) for on in (9.9, 10.0, 11.5, 10.0 + CATEGORY_DAYS)]
    prices = pd.DataFrame(rows, columns=["kind", "observed_at", "price"]).astype({"price": "float64"})
    days = pd.Series([day(10 + CATEGORY_DAYS)])
    within = prices["observed_at"].between(days[0] - PRICE_WINDOW, days[0], inclusive="left")
    assert within.sum() == 10
    whole = usual_prices(kinds, days, prices)
    pd.testing.assert_frame_equal(whole, usual_prices(kinds, days, prices[within]))
    assert whole[["category", "usual_price"]].to_numpy().tolist() == [["c", 3.0]]


def test_usual_prices_are_the_medians_of_each_kind_and_day():
    random = np.random.default_rng(3)
    kinds = pd.DataFrame([("m", "c", "EUR"), ("m", "c", ""), ("n", "d", "EUR")], columns=CATEGORY, index=[4, 2, 9])
    on = random.uniform(0, 300, 2_000)
    prices = pd.DataFrame(
        {"kind": random.choice([4, 2], 2_000), "price": random.choice([np.nan, -1, 5, 7, 8.5], 2_000)}
    )
    prices["observed_at"] = [day(number) for number in on]
    days = pd.Series([day(number) for number in (250, 3, 120)])
    found = usual_prices(kinds, days, prices).set_index([*CATEGORY, "day"])["usual_price"]
    for number, kind in kinds.iterrows():
        for today in days:
            since = today - pd.Timedelta(days=CATEGORY_DAYS)
            rows = prices[(prices["kind"] == number) & (prices["price"] > 0)]
            rows = rows[(rows["observed_at"] >= since) & (rows["observed_at"] < today)]
            if len(rows) >= FEWEST_PRICES:
                assert found[(*kind, today)] == np.median(rows["price"])
            else:
                assert (*kind, today) not in found.index
