"""Which rows teach, how much each counts, and that the cut in time holds for undecided ones too."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from data.settings import ModelSettings
from models.dataset.splits import groups_of, prequential_folds
from models.dataset.training_rows import LEFT_OUT, WEAK_WEIGHT, WEAKLY_LEGIT, mature_undecided, training_rows
from models.estimator.calibration import calibrate
from models.estimator.cross_fit import cross_fit_parts

MATURE_DAYS = 30.0
SETTINGS = ModelSettings(mature_days=MATURE_DAYS)


@given(st.integers(0, 200))
@settings(max_examples=15, deadline=None)
def test_what_teaches_as_weakly_legit_was_undecided_and_mature_at_the_cut_and_apart_from_the_test(make_market, seed):
    examples = make_market(400, seed)
    for fold in prequential_folds(examples, folds=3, delay=timedelta(days=7)):
        decided = fold.test[examples["y"].notna().to_numpy()[fold.test]]
        found = training_rows(
            examples, fold.train, cut=fold.cut, test=decided, undecided=WEAKLY_LEGIT, settings=SETTINGS
        )
        assert found.index.is_monotonic_increasing
        assert not found.index.has_duplicates
        weak, firm = found[found["weak"]], found[~found["weak"]]
        assert firm.index.tolist() == fold.train.tolist()
        assert (weak["y"] == 0).all()
        assert (weak["weight"] == WEAK_WEIGHT).all()
        assert (weak["as_of"] <= fold.cut - pd.Timedelta(days=MATURE_DAYS)).all()
        assert not (examples.loc[weak.index, "known_at"] <= fold.cut).any()
        for column in ("seller_key", "photo_cluster"):
            assert not set(found[column]) & set(examples[column].iloc[decided])


def test_a_fraud_found_out_later_is_still_silent_at_the_cut():
    as_of = pd.date_range("2026-01-01", periods=2, tz="UTC").as_unit("us")
    known_at = pd.Series([pd.Timestamp("2026-06-01", tz="UTC"), pd.NaT])
    examples = pd.DataFrame(
        {"as_of": as_of, "known_at": known_at, "y": [1.0, np.nan], "seller_key": [1, 2], "photo_cluster": [1, 2]}
    )
    nothing = np.empty(0, dtype=np.int64)
    for month, expected in ((5, [0, 1]), (7, [1])):
        cut = pd.Timestamp(f"2026-0{month}-01", tz="UTC")
        found = mature_undecided(examples, cut=cut, mature=timedelta(days=MATURE_DAYS), test=nothing)
        assert found.tolist() == expected


def test_left_out_means_that_only_decisions_teach(market, until):
    decided = np.flatnonzero(market["y"].notna())
    nothing = np.empty(0, dtype=np.int64)
    found = training_rows(market, decided, cut=pd.Timestamp(until), test=nothing, undecided=LEFT_OUT, settings=SETTINGS)
    assert found.index.tolist() == decided.tolist()
    assert (found["weight"] == 1).all()


def test_weak_rows_are_never_held_out_to_judge_or_to_calibrate_by(market, until):
    decided = np.flatnonzero(market["y"].notna())
    nothing = np.empty(0, dtype=np.int64)
    found = training_rows(
        market, decided, cut=pd.Timestamp(until), test=nothing, undecided=WEAKLY_LEGIT, settings=SETTINGS
    )
    weak = found["weak"].to_numpy()
    assert weak.any()
    parts = cross_fit_parts(found["y"].to_numpy(), groups_of(found), weak)
    assert parts
    assert not any(weak[held].any() for _, held in parts)
    assert any(weak[fit].any() for fit, _ in parts)


@pytest.mark.parametrize("rows", [2_400, 80_000])
def test_weights_bring_probabilities_back_to_those_of_all_listings(rows):
    """What scores high is decided on, one in ten of the rest by lot, and two in ten of its frauds by a tip."""
    generator = np.random.default_rng(rows)
    margins = generator.normal(-3, 2, rows)
    y = (generator.random(rows) < expit(margins)).astype(float)
    top, by_lot = margins > 0, generator.random(rows) < 0.1
    by_tip = (y == 1) & (generator.random(rows) < 0.2)
    decided = top | by_lot | by_tip
    weight = np.where(~top & by_lot, 10.0, 1.0)[decided]
    weighted = calibrate(margins[decided], y[decided], weight)(margins[~top]).mean()
    as_chosen = calibrate(margins[decided], y[decided])(margins[~top]).mean()
    truth = y[~top].mean()
    assert abs(weighted - truth) < 0.3 * truth
    assert as_chosen - truth > 0.7 * truth
