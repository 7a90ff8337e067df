"""Drift is told from chance, also where sellers' listings resemble each other."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency

from models.monitoring.drift import (
    ABSENT,
    FALSE_ALARMS,
    MATERIAL,
    Rate,
    quantile_edges,
    rate_shift,
    rates,
    shifts,
    stability_indexes,
)

counts = st.lists(st.integers(0, 500), min_size=2, max_size=12)


def slow_index(before, now):
    """The index as a loop over bins, those empty on both sides left out."""
    pairs = [(a + ABSENT, b + ABSENT) for a, b in zip(before, now, strict=True) if a + b > 0]
    p_sum, q_sum = sum(a for a, _ in pairs), sum(b for _, b in pairs)
    return sum((a / p_sum - b / q_sum) * math.log((a / p_sum) / (b / q_sum)) for a, b in pairs)


def sellers(generator, units, *, size, shift=0.0, alike=0.9):
    """Rows of some sellers, each of whose listings are alike; returns columns and units."""
    unit = np.repeat(np.arange(units), size)
    own = generator.normal(size=units)[unit] * math.sqrt(alike)
    values = own + generator.normal(size=len(unit)) * math.sqrt(1 - alike) + shift
    missing = generator.random(len(unit)) < 0.1
    columns = {"x": np.where(missing, np.nan, values), "flag": (values > 1.5).astype(float), "same": np.ones(len(unit))}
    return pd.DataFrame(columns), unit


def stability_index(before, now):
    return float(stability_indexes(before[None], now[None], np.array([0]))[0, 0])


def compare(before, now, seed=0):
    return shifts(before[0], now[0], units_before=before[1], units_now=now[1], seed=seed).set_index("feature")


@given(counts, st.data())
def test_the_index_is_that_of_a_loop_over_bins(before, data):
    now = data.draw(st.lists(st.integers(0, 500), min_size=len(before), max_size=len(before)))
    found = stability_index(np.array(before, float), np.array(now, float))
    assert found == pytest.approx(slow_index(before, now), abs=1e-12)
    assert found == pytest.approx(stability_index(np.array(now, float), np.array(before, float)), abs=1e-12)
    assert found >= -1e-12


@given(counts)
def test_the_index_of_equal_shares_is_nothing(before):
    assert stability_index(np.array(before, float), np.array(before, float)) == 0.0


def test_without_a_change_it_is_pearson_s_statistic_over_the_sizes():
    generator = np.random.default_rng(1)
    before, now = (generator.multinomial(n, np.full(10, 0.1)).astype(float) for n in (9_000, 3_000))
    pearson = chi2_contingency([before, now], correction=False).statistic
    assert stability_index(before, now) == pytest.approx(pearson * (1 / 9_000 + 1 / 3_000), rel=0.05)


@given(st.lists(st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.just(math.nan)), max_size=60))
def test_edges_ascend_and_a_value_that_many_share_has_a_bin_of_its_own(values):
    known = np.array([value for value in values if not math.isnan(value)])
    edges = quantile_edges(np.array(values, dtype=float))
    assert (np.diff(edges) > 0).all()
    for value in np.unique(known):
        if (known == value).mean() > 0.21:
            bin_of = np.searchsorted(edges, value)
            others = known[known != value]
            assert (np.searchsorted(edges, others) != bin_of).all() or not others.size


def test_for_independent_rows_the_limit_is_that_of_chi_square():
    generator = np.random.default_rng(2)
    before, now = (pd.DataFrame({"x": generator.normal(size=n)}) for n in (4_000, 1_000))
    found = compare((before, np.arange(4_000)), (now, np.arange(1_000)))
    theory = chi2.ppf(1 - FALSE_ALARMS, 9) * (1 / 4_000 + 1 / 1_000)
    assert found.loc["x", "by_chance"] == pytest.approx(theory, rel=0.25)
    assert not found.loc["x", "moved"]


def test_sellers_whose_listings_are_alike_raise_no_more_alarms_than_chance():
    generator = np.random.default_rng(3)
    chances = [
        compare(sellers(generator, 120, size=8), sellers(generator, 25, size=8), seed=number)["chance"].min()
        for number in range(40)
    ]
    assert np.mean(np.array(chances) <= 0.1) <= 0.2
    naive = []
    for number in range(10):
        (before, _), (now, _) = sellers(generator, 120, size=8), sellers(generator, 25, size=8)
        naive.append(compare((before, np.arange(len(before))), (now, np.arange(len(now))), seed=number)["chance"].min())
    assert np.mean(np.array(naive) <= 0.1) > 0.5, "counting listings as independent would cry wolf"


def test_a_real_shift_is_found_and_named_first_and_what_did_not_move_is_not():
    generator = np.random.default_rng(4)
    before, now = sellers(generator, 400, size=3), sellers(generator, 120, size=3, shift=1.5)
    found = compare(before, now)
    assert found.index[0] in {"x", "flag"}
    assert found.loc["x", "moved"]
    assert found.loc["x", "psi"] > max(MATERIAL, found.loc["x", "by_chance"])
    assert not found.loc["same", "moved"]
    assert found.loc["same", "psi"] == 0
    assert found.loc["x", "median_now"] - found.loc["x", "median_before"] == pytest.approx(1.5, abs=0.4)


def test_where_nothing_ever_varies_nothing_moved():
    same = pd.DataFrame({"x": np.zeros(50), "y": np.full(50, np.nan)}), np.arange(50)
    found = compare(same, same)
    assert found[["psi", "moved"]].to_numpy().tolist() == [[0.0, False]] * 2


def test_values_that_begin_to_be_missing_are_a_shift():
    generator = np.random.default_rng(5)
    before, now = ((pd.DataFrame({"x": generator.normal(size=n)}), np.arange(n)) for n in (2_000, 300))
    now[0].loc[:149, "x"] = np.nan
    found = compare(before, now)
    assert found.loc["x", "moved"]
    assert found.loc["x", "missing_now"] == 0.5


def test_thirty_rows_do_not_alarm_where_three_thousand_do():
    generator = np.random.default_rng(6)
    before = sellers(generator, 900, size=2)
    few, many = (sellers(generator, n, size=2, shift=0.55) for n in (15, 1_500))
    assert not compare(before, few)["moved"].any()
    assert compare(before, many)["moved"].any()


def test_the_order_of_rows_changes_nothing():
    generator = np.random.default_rng(7)
    before, now = sellers(generator, 60, size=4), sellers(generator, 30, size=4)
    order = generator.permutation(len(before[0]))
    turned = before[0].iloc[order].reset_index(drop=True), before[1][order]
    plain, other = compare(before, now), compare(turned, now)
    pd.testing.assert_series_equal(plain["psi"], other["psi"][plain.index])


def test_a_rate_has_wilson_s_interval():
    low, high = Rate(hits=0, cases=30).interval
    assert (low, high) == pytest.approx((0.0, 0.0827), abs=1e-3)
    assert math.isnan(Rate(hits=0, cases=0).share)
    assert str(Rate(hits=0, cases=0)) == "none"


def test_rates_are_read_by_period():
    table = pd.DataFrame({"period": [2, 0], "hits": [1.0, 3.0], "cases": [10, 20]})
    assert rates(table, hits="hits", cases="cases") == {2: Rate(hits=1, cases=10), 0: Rate(hits=3, cases=20)}


def test_a_rate_that_doubles_rises_and_one_that_halves_falls():
    past = [Rate(hits=hits, cases=1_000) for hits in (98, 105, 101, 96, 103, 99, 100, 98)]
    assert rate_shift(Rate(hits=200, cases=1_000), past).rose
    assert rate_shift(Rate(hits=40, cases=1_000), past).fell
    same = rate_shift(Rate(hits=108, cases=1_000), past)
    assert not same.rose
    assert not same.fell


def test_periods_that_differ_anyway_take_more_to_alarm():
    wild = [Rate(hits=hits, cases=1_000) for hits in (40, 180, 60, 150, 90, 30, 200, 50)]
    assert not rate_shift(Rate(hits=200, cases=1_000), wild).rose


def test_small_numbers_and_few_periods_do_not_alarm():
    past = [Rate(hits=2, cases=20)] * 8
    assert not rate_shift(Rate(hits=4, cases=20), past).rose
    assert math.isnan(rate_shift(Rate(hits=20, cases=20), past[:2]).chance)
    assert math.isnan(rate_shift(Rate(hits=0, cases=0), past).chance)


def test_steady_periods_alarm_no_more_often_than_promised():
    generator = np.random.default_rng(8)
    alarms = 0
    for _ in range(2_000):
        hits = generator.binomial(200, 0.1, size=9).tolist()
        shift = rate_shift(Rate(hits=hits[0], cases=200), [Rate(hits=hit, cases=200) for hit in hits[1:]])
        alarms += shift.chance <= FALSE_ALARMS
    assert alarms / 2_000 <= FALSE_ALARMS
