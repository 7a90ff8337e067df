"""Money found, groups, and shares with intervals."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.evaluation import evaluate
from models.evaluation.metrics import RANDOM_ORDER, daily_queue, interval, precision_in, shares
from models.evaluation.slices import account_groups, edit_groups, price_bands
from models.evaluation.value_at_stake import BY_PRICE, commonest_currency, value_curve

MIDNIGHT = pd.Timestamp("2026-03-01", tz="UTC")
ROWS = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.booleans(), st.integers(0, 5)), min_size=1, max_size=25)


def priced_rows(rows: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    y = np.where(generator.random(rows) < 0.7, (generator.random(rows) < 0.3).astype(float), math.nan)
    return pd.DataFrame(
        {
            "y": y,
            "as_of": pd.Series(MIDNIGHT + pd.to_timedelta(np.arange(rows) % 6, unit="D")),
            "seller_key": generator.integers(0, rows // 3, rows),
            "score": generator.random(rows),
            "price": np.where(generator.random(rows) < 0.8, generator.integers(1, 900, rows), math.nan),
        }
    )


@given(ROWS)
def test_shares_in_one_go_are_those_computed_one_by_one(rows):
    y, queue, sellers = (np.array(column) for column in zip(*rows, strict=True))
    found = shares((y * queue)[:, None], queue[:, None].astype(float), sellers, seed=3)[0]
    statistic = precision_in(queue, y)
    expected = (statistic(np.ones(len(y))), *interval(statistic, sellers, seed=3))
    np.testing.assert_allclose(found, expected)


def test_a_share_of_nothing_is_no_number():
    found = shares(np.zeros((3, 1)), np.zeros((3, 1)), np.arange(3), seed=0)
    assert np.isnan(found).all()
    assert shares(np.zeros((0, 2)), np.zeros((0, 2)), np.arange(0), seed=0).shape == (2, 3)


def test_money_is_the_price_of_the_known_frauds_in_the_queue():
    scored = priced_rows(300, seed=2)
    curve = value_curve(scored, {"m": "score"}, evaluated="m", capacity=4, seed=0).set_index(["scorer", "capacity"])
    total = scored.loc[scored["y"] == 1, "price"].sum()
    orders = {"m": scored["score"], BY_PRICE: scored["score"] * scored["price"].fillna(0)}
    for name, score in orders.items():
        for capacity in (1, 4, 16):
            queue = daily_queue(score.to_numpy(), scored["as_of"], capacity)
            found = zip(scored["price"][queue], scored["y"][queue], strict=True)
            slow = sum(price for price, y in found if y == 1 and price > 0)
            row = curve.loc[(name, capacity)]
            assert row["money"] == pytest.approx(slow)
            assert row["share"] == pytest.approx(slow / total)
            assert row["low"] <= row["share"] <= row["high"]
            assert row["looks"] == queue.sum()
    by_lot = curve.loc[(RANDOM_ORDER, 4)]
    assert by_lot["share"] == pytest.approx(24 / 300)


def test_ordering_by_price_finds_more_money_than_ordering_by_score_alone():
    scored = priced_rows(2_000, seed=4)
    curve = value_curve(scored, {"m": "score"}, evaluated="m", capacity=5, seed=0)
    share = curve[curve["capacity"] == 5].set_index("scorer")["share"]
    assert share[BY_PRICE] > share["m"]


def test_without_a_price_there_is_no_money():
    scored = priced_rows(50, seed=1).assign(price=math.nan)
    assert value_curve(scored, {"m": "score"}, evaluated="m", capacity=5, seed=0).empty
    assert evaluate(scored.drop(columns="price"), capacity=5, scorer="m").money.empty


def test_amounts_of_other_currencies_are_left_out():
    price = pd.Series([5.0, 6.0, 7.0, math.nan])
    kept, name = commonest_currency(price, pd.Series(["EUR", "CHF", "EUR", "CHF"], dtype="str"))
    assert name == "EUR"
    pd.testing.assert_series_equal(kept, pd.Series([5.0, math.nan, 7.0, math.nan]))
    assert commonest_currency(pd.Series([math.nan]), pd.Series([None], dtype="str"))[1] == ""


def test_accounts_are_told_apart_by_age_and_sudden_change():
    features = pd.DataFrame(
        {
            "account_age_days": [math.nan, 10, 400, 400, 400, 400],
            "burst": [9, 9, 3, math.nan, 1, 1],
            "silence_ended_days": [math.nan, 90, 1, 61, 1, 1],
            "category_habit": [0, 0, 1, 1, 0, 0.5],
            "location_habit": [0, 0, 1, 1, 0, 0],
        }
    )
    changed = "older, habits suddenly changed"
    expected = ["age not known", "up to 90 days old", changed, changed, changed, "older, as ever"]
    assert account_groups(features).tolist() == expected


def test_prices_fall_into_quarters_of_their_own_kind():
    kind = pd.DataFrame({"category": ["cars"] * 4 + ["shoes"] * 4 + [None], "currency": "EUR"})
    price = pd.Series([8_000.0, 2_000, 4_000, 6_000, 80, 20, math.nan, 60, 5])
    bands = price_bands(price, kind)
    order = ["dearest quarter", "cheapest quarter", "second quarter", "third quarter"]
    assert bands[:4].tolist() == order
    assert bands[6] == "no price"
    assert bands[4] == "dearest quarter"


def test_edits_are_named_one_by_one_or_as_several():
    edits = pd.Series(["none", "mirror", "crop+mirror", None], dtype="str")
    assert edit_groups(edits).tolist() == ["same file", "mirror", "several edits", "no copied photo"]


def test_a_group_tells_frauds_found_and_honest_people_accused():
    scored = priced_rows(400, seed=5).assign(kind=lambda frame: np.where(frame.index % 2, "odd", "even"))
    found = evaluate(scored, capacity=10, scorer="m", slices=("kind",), high=0.9).slices.set_index("group")
    queue = daily_queue(scored["score"].to_numpy(), scored["as_of"], 10)
    for group, rows in scored.groupby("kind"):
        fraud, honest = rows[rows["y"] == 1], rows[rows["y"] == 0]
        assert found.loc[group, "found"] == pytest.approx(queue[fraud.index].mean())
        assert found.loc[group, "alarmed"] == pytest.approx((honest["score"] >= 0.9).mean())
        assert found.loc[group, "found_low"] <= found.loc[group, "found"] <= found.loc[group, "found_high"]
