"""Bands that follow from what a look costs and what a fraud takes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.estimator.bands import bands_for_costs

priced = st.lists(
    st.tuples(st.sampled_from([0.01, 0.1, 0.3, 0.5, 0.9]), st.floats(0, 1_000) | st.just(float("nan"))),
    min_size=1,
    max_size=30,
)


@given(priced, st.floats(0.1, 300))
def test_no_other_band_saves_more(rows, cost):
    scores, prices = (np.array(column) for column in zip(*rows, strict=True))
    found = bands_for_costs(scores, prices, cost_of_a_look=cost)
    known = prices[~np.isnan(prices)]
    at_stake = np.where(np.isnan(prices), np.median(known) if known.size else 0.0, prices)

    def saved(threshold: float) -> float:
        return float((scores * at_stake - cost)[scores >= threshold].sum())

    best = max(saved(threshold) for threshold in [*scores, 2.0])
    assert abs(saved(found.high) - best) <= 1e-9 * max(1.0, np.abs(at_stake).sum())
    assert found.medium <= found.high


def test_a_dearer_look_makes_fewer_alarms_and_one_that_never_pays_makes_none():
    scores, prices = np.linspace(0, 1, 101), np.full(101, 100.0)
    cheap, dear, never = (bands_for_costs(scores, prices, cost_of_a_look=cost) for cost in (4.5, 49.5, 500.0))
    assert (cheap.high, dear.high) == (0.05, 0.5)
    assert (never.names(scores) != "high").all()
