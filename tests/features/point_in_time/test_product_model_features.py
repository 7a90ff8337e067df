"""Of what model goods are, and what was lately asked for such."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.point_in_time.feature_frame import build
from features.point_in_time.price_features import CATEGORY_DAYS, FEWEST_PRICES, LATEST_PRICES, product_models_of
from tests.features.point_in_time.worlds import Market, day, moments
from tests.full_run import often

PHONE = "Orrel R5 phone"


def priced(*told, title=PHONE, **said):
    """A market in which prices were asked on days, each for a listing of its own: ``told`` are (day, price)."""
    market = Market()
    for number, (on, price) in enumerate(told):
        market.listing(100 + number, 9, on, price=price, title=f"{title}, {number}", **said)
    return market


def ratio(market, on, title=PHONE, price=12.0, **said):
    market.listing(20, 2, on, price=price, title=title, **said)
    return build(moments((20, on)), market.facts()).iloc[0]["price_to_goods"]


def numbers(*titles, **said):
    columns = {"marketplace": "m", "category": "phones", "currency": "EUR"} | said
    return product_models_of(pd.DataFrame({"title": pd.Series(titles, dtype="str")}).assign(**columns)).tolist()


def test_the_usual_price_of_a_model_is_the_median_of_such():
    assert ratio(priced(*[(1, price) for price in (1.0, 2.0, 4.0, 8.0, 9.0)]), 4) == 3.0


@pytest.mark.parametrize("said", [{"category": "toys"}, {"currency": "USD"}, {"marketplace": "n"}, {"category": None}])
def test_other_categories_currencies_and_marketplaces_do_not_count(said):
    market = priced(*[(1, float(price)) for price in range(1, 9)])
    assert math.isnan(ratio(market, 4, **said))


@pytest.mark.parametrize("title", ["orrel R5 PHONE - like new", "Orrel (R5) phone"])
def test_what_follows_the_first_words_is_the_piece_and_not_the_model(title):
    assert numbers(title) == numbers(PHONE)


@pytest.mark.parametrize("title", ["Orrel R6 phone", "Phone Orrel R5", "Orrel R5phone black"])
def test_other_first_words_are_another_model(title):
    assert numbers(title) != numbers(PHONE)


@pytest.mark.parametrize("title", [None, "", "Orrel R5", "Orrel, R5!"])
def test_a_title_of_few_words_names_no_model(title):
    assert numbers(title) == [pd.NA]
    assert math.isnan(ratio(priced(*[(1, 5.0)] * 9, title=title or "", category="home"), 4, title=title))


def test_no_word_of_one_column_runs_into_the_next():
    assert numbers(PHONE, category="a", currency="bc") != numbers(PHONE, category="ab", currency="c")


@pytest.mark.parametrize(
    ("on", "known"), [(CATEGORY_DAYS + 1.9, True), (CATEGORY_DAYS + 2.0, False), (1.9, False), (2.0, True)]
)
def test_the_window_begins_and_ends_at_midnight(on, known):
    market = priced(*[(1.0 if on > CATEGORY_DAYS else 1.8, 6.0)] * FEWEST_PRICES)
    assert math.isnan(ratio(market, on)) != known


def test_four_prices_are_too_few_and_free_ones_are_none():
    assert math.isnan(ratio(priced(*[(1, 5.0)] * 4, (1, 0.0), (1, None)), 4))


def test_only_the_latest_prices_count():
    older, latest = [(1, 100.0)] * LATEST_PRICES, [(2, 6.0)] * (LATEST_PRICES // 2 + 1)
    assert ratio(priced(*older, *latest), 4) == 2.0


dated_prices = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 6), st.sampled_from("abc")), max_size=90)


@settings(max_examples=often(in_full=40, otherwise=12), deadline=None)
@given(dated_prices, st.integers(0, 8))
def test_it_is_what_looking_at_every_listing_finds(told, on):
    market = Market()
    for number, (hour, price, model) in enumerate(told):
        market.listing(100 + number, 9, hour / 4 + on / 4, price=float(price), title=f"Orrel {model} phone")
    market.listing(20, 2, 3.5, price=10.0, title="Orrel a phone")
    found = build(moments((20, 3.5)), market.facts()).iloc[0]["price_to_goods"]
    known = [(hour, number, price) for number, (hour, price, model) in enumerate(told) if model == "a"]
    known = [(hour, number, price) for hour, number, price in known if hour / 4 + on / 4 < 3]
    latest = [price for _, _, price in sorted(known)][-LATEST_PRICES:]
    expected = 10.0 / np.median(latest) if len(latest) >= FEWEST_PRICES else np.nan
    assert np.array_equal(found, expected, equal_nan=True)


def test_what_is_asked_later_changes_nothing():
    market = priced(*[(1, float(price)) for price in range(1, 8)])
    before = ratio(market, 4)
    for number in range(200):
        market.listing(500 + number, 9, 4, price=1.0, title=PHONE)
    later = build(moments((20, 4)), market.facts()).iloc[0]["price_to_goods"]
    assert (before, later) == (3.0, 3.0)
    assert day(4) == market.facts().listings["observed_at"].max()
