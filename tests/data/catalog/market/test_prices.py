"""Prices by kind of goods, within a time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.catalog.database.schema import price_days
from data.catalog.market.listings import save_listings
from data.catalog.market.loads import Load
from data.catalog.market.prices import DAYS_AT_ONCE, gather_prices, kinds_of_goods, prices_of
from tests.data.catalog.rows import day, listings, moment

FIRST = Load("first", moment(100), first_bulk=True)


def fill(catalog):
    chair = {"category": "chairs", "currency": "EUR"}
    rows = [
        chair | {"listing_id": "a", "created_at": day(3), "price": 10.0},
        chair | {"listing_id": "b", "created_at": day(4), "price": 5.0},
        chair | {"listing_id": "c", "created_at": day(5), "price": 7.0},
        chair | {"listing_id": "d", "created_at": day(4)},
        {"listing_id": "e", "created_at": day(4), "category": "chairs", "price": 1.0},
        {"listing_id": "f", "created_at": day(4), "price": 2.0},
    ]
    with catalog.write() as connection:
        save_listings(connection, FIRST, listings(*rows))


def test_prices_are_those_of_the_kinds_asked_for_within_the_time(catalog):
    fill(catalog)
    with catalog.read() as connection:
        kinds = kinds_of_goods(connection)
        found = prices_of(connection, kinds, day(3), day(5))
    assert kinds["currency"].tolist() == ["", "EUR"]
    told = sorted(zip(kinds["currency"].loc[found["kind"]], found["observed_at"], found["price"], strict=True))
    assert told == [("", day(4), 1.0), ("EUR", day(3), 10.0), ("EUR", day(4), 5.0)]


def test_empty_days_before_the_first_listing_are_gathered_at_once_and_the_others_a_month_at_a_time(catalog):
    with catalog.write() as connection:
        rows = ({"listing_id": f"l{number}", "created_at": day(200 + number), "price": 1.0} for number in range(50))
        save_listings(connection, FIRST, listings(*rows))
        assert gather_prices(connection, day(0), day(250)) == 200 + DAYS_AT_ONCE
        assert gather_prices(connection, day(0), day(250)) == 50 - DAYS_AT_ONCE
        assert gather_prices(connection, day(0), day(250)) == 0
        assert gather_prices(connection, day(250), day(500)) == 250
        assert gather_prices(connection, day(250), day(500)) == 0


def test_no_kinds_have_no_prices_of_the_same_types(catalog):
    fill(catalog)
    with catalog.read() as connection:
        kinds = kinds_of_goods(connection)
        some = prices_of(connection, kinds.iloc[1:], day(3), day(5))
        none = prices_of(connection, kinds.iloc[:0], day(3), day(5))
    assert some["kind"].tolist() == [1, 1]
    assert none.empty
    pd.testing.assert_series_equal(none.dtypes, some.dtypes)


def gather(connection, since, until):
    while gather_prices(connection, since, until):
        pass


def in_order(found):
    days = found.assign(observed_at=found["observed_at"].dt.floor("D"))
    return days.sort_values(["kind", "observed_at", "price"], ignore_index=True)


def test_gathered_prices_are_those_of_the_listings_whatever_was_gathered_and_came_since(catalog):
    random = np.random.default_rng(5)
    with catalog.write() as connection:
        for number in range(12):
            load = Load(f"load {number}", moment(100 + number), first_bulk=number < 6)
            rows = [
                {
                    "listing_id": f"l{random.integers(30)}", "created_at": day(80 + 19 * random.random()),
                    "price": float(random.integers(1, 5)) if random.random() < 0.9 else None,
                    "category": random.choice(["chairs", "tables", None]), "currency": random.choice(["EUR", None]),
                }
                for _ in range(6)
            ]  # fmt: skip
            save_listings(connection, load, listings(*rows).drop_duplicates("listing_id"))
            kinds = kinds_of_goods(connection)
            before = in_order(prices_of(connection, kinds, day(70), day(120)))
            connection.execute(price_days.delete())
            from_listings = in_order(prices_of(connection, kinds, day(70), day(120)))
            pd.testing.assert_frame_equal(before, from_listings)
            # Not all days, and not the same ones each time.
            gather(connection, day(70 + number), day(90 + 2 * number))
            gather(connection, day(70 + number), day(90 + 2 * number))
            pd.testing.assert_frame_equal(in_order(prices_of(connection, kinds, day(70), day(120))), from_listings)
            narrow = in_order(prices_of(connection, kinds.iloc[1:], day(85), day(95)))
            within = from_listings["observed_at"].between(day(85), day(95), inclusive="left")
            expected = from_listings[within & (from_listings["kind"] > 0)].reset_index(drop=True)
            pd.testing.assert_frame_equal(narrow, expected)


def test_a_day_is_gathered_once_until_something_comes_that_was_observed_on_it(catalog):
    fill(catalog)
    with catalog.write() as connection:
        assert gather_prices(connection, day(3), day(6)) == 3
        assert gather_prices(connection, day(3), day(6)) == 0
        late = {"listing_id": "late", "created_at": day(4), "category": "chairs", "price": 4.0}
        save_listings(connection, FIRST, listings(late))
        assert gather_prices(connection, day(3), day(6)) == 1
        found = prices_of(connection, kinds_of_goods(connection).iloc[:1], day(4), day(5))
    assert sorted(found["price"]) == [1.0, 4.0]
