"""Prices by kind of goods, within a time."""

from __future__ import annotations

import pandas as pd

from data.catalog.listings import save_listings
from data.catalog.loads import Load
from data.catalog.prices import kinds_of_goods, prices_of
from tests.data.rows import day, listings, moment

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


def test_no_kinds_have_no_prices_of_the_same_types(catalog):
    fill(catalog)
    with catalog.read() as connection:
        kinds = kinds_of_goods(connection)
        some = prices_of(connection, kinds.iloc[1:], day(3), day(5))
        none = prices_of(connection, kinds.iloc[:0], day(3), day(5))
    assert some["kind"].tolist() == [1, 1]
    assert none.empty
    pd.testing.assert_series_equal(none.dtypes, some.dtypes)
