"""What was asked for models of goods: as much as counts, whatever else there is."""

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.catalog.database.frames import insert
from data.catalog.database.schema import texts
from data.catalog.market.prices import GOODS, all_model_prices, latest_model_prices
from features.facts import PRODUCT_MODEL_COLUMNS
from tests.data.catalog.rows import day

WINDOW = pd.Timedelta(days=10)


def asked(*rows):
    """Prices in the catalog: (goods, listing, day, price)."""
    frame = pd.DataFrame(rows, columns=["goods", "listing_key", "on", "price"])
    frame["observed_at"] = pd.to_datetime([day(on) for on in frame.pop("on")], utc=True)
    return frame.assign(seller_key=1, hashed=1).astype({"goods": "Int64"})


def latest(connection, goods, first, last, most=3):
    found = latest_model_prices(connection, goods, first=day(first), last=day(last), window=WINDOW, most=most)
    return sorted(found[["goods", "listing_key"]].itertuples(index=False, name=None))


def test_the_columns_are_those_that_features_know(catalog):
    assert GOODS == PRODUCT_MODEL_COLUMNS
    with catalog.read() as connection:
        nothing = latest_model_prices(connection, [], first=day(1), last=day(2), window=WINDOW, most=3)
        assert all_model_prices(connection).dtypes.equals(nothing.dtypes)
    assert {name: str(kind) for name, kind in nothing.dtypes.items()} == {
        "goods": "int64", "listing_key": "int64", "observed_at": "datetime64[us, UTC]", "price": "float64",
    }  # fmt: skip


def test_of_a_popular_model_only_the_latest_are_read_and_all_of_the_span(catalog):
    with catalog.write() as connection:
        insert(connection, texts, asked(*[(7, number, number / 4, 5.0) for number in range(80)], (8, 900, 1, 2.0)))
        assert latest(connection, [7], 15, 15) == [(7, 57), (7, 58), (7, 59)]
        assert latest(connection, [7], 15, 16) == [(7, number) for number in range(57, 64)]
        assert latest(connection, [7, 8, 9], 5, 5) == [(7, 17), (7, 18), (7, 19), (8, 900)]


def test_too_old_ones_are_left_out_and_those_of_one_time_stay_together(catalog):
    with catalog.write() as connection:
        insert(connection, texts, asked(*[(7, number, 3, 5.0) for number in range(6)], (7, 50, 4, 5.0)))
        assert latest(connection, [7], 5, 5) == [*[(7, number) for number in range(6)], (7, 50)]
        assert latest(connection, [7], 13.5, 13.5) == [(7, 50)]


def test_whoever_states_no_price_is_not_told(catalog):
    with catalog.write() as connection:
        insert(connection, texts, asked((None, 1, 1, None), (7, 2, 1, 3.0)))
        assert all_model_prices(connection)["listing_key"].tolist() == [2]


rows = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60)), max_size=60)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows, st.integers(0, 60), st.integers(0, 12), st.integers(1, 4))
def test_at_any_time_of_the_span_the_latest_are_among_them(catalog, told, first, length, most):
    frame = asked(*[(goods, number, at / 4, 5.0) for number, (goods, at) in enumerate(told)])
    with catalog.write() as connection:
        connection.execute(texts.delete())
        insert(connection, texts, frame)
        known = set(latest(connection, [1, 2], first / 4, (first + length) / 4, most))
    for at in range(first, first + length + 1):
        by_then = frame[(frame["observed_at"] < day(at / 4)) & (frame["observed_at"] >= day(at / 4) - WINDOW)]
        by_then = by_then.sort_values(["observed_at", "listing_key"])
        for goods in (1, 2):
            newest = by_then[by_then["goods"] == goods]["listing_key"].tolist()[-most:]
            assert known.issuperset({(goods, listing) for listing in newest})
