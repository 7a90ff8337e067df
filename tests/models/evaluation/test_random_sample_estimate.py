"""What listings drawn at random say of those that nobody looked at."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.random_sample_estimate import random_sample_estimate, weighted_share


def reviewed(seed: int, *, rows: int = 4_000) -> tuple[pd.DataFrame, np.ndarray, float, float]:
    """A market of which the top is decided, and of the rest what was drawn; with the true recall and fraud below."""
    generator = np.random.default_rng(seed)
    score = generator.random(rows)
    fraud = (generator.random(rows) < 0.4 * score**4).astype(float)
    top = score > 0.9
    # The lower half is drawn at a third of the chance: estimates must not mistake it for rarer than it is.
    propensity = np.where(score > 0.5, 0.3, 0.1)
    drawn = generator.random(rows) < propensity
    chosen_by_hand = generator.random(rows) < 0.5 * fraud
    decided = top | drawn | chosen_by_hand
    frame = pd.DataFrame({"y": np.where(decided, fraud, np.nan), "propensity": np.where(drawn, propensity, np.nan)})
    return frame, top, fraud[top].sum() / fraud.sum(), fraud[~top].mean()


def test_estimates_hit_the_truth_on_average_and_their_intervals_hold_it_about_as_often_as_they_say():
    errors, held = [], []
    for seed in range(60):
        frame, top, recall, below = reviewed(seed)
        found = random_sample_estimate(frame, top)
        errors.append((found.recall.value - recall, found.fraud_in_rest.value - below))
        held.append(
            (found.recall.low <= recall <= found.recall.high,
             found.fraud_in_rest.low <= below <= found.fraud_in_rest.high)
        )  # fmt: skip
    assert np.abs(np.mean(errors, axis=0)).max() < 0.02
    assert np.mean(held, axis=0).min() > 0.8


def test_what_was_chosen_by_hand_moves_nothing():
    frame, top, _, _ = reviewed(1)
    by_hand = frame["propensity"].isna() & ~top
    without = frame.assign(y=frame["y"].mask(by_hand))
    assert random_sample_estimate(without, top) == random_sample_estimate(frame, top)
    assert by_hand[frame["y"] == 1].any()


def test_an_audit_without_any_fraud_does_not_claim_that_there_is_none():
    found = weighted_share(np.zeros(30), np.full(30, 20.0))
    assert found.value == found.low == 0.0
    assert found.high == pytest.approx(0.083, abs=0.001)


def test_nothing_drawn_leaves_the_rest_unknown_and_nothing_left_makes_recall_whole():
    frame = pd.DataFrame({"y": [1.0, 0.0, np.nan], "propensity": np.nan})
    unknown = random_sample_estimate(frame, np.array([True, True, False]))
    assert unknown.precision.value == 0.5
    assert math.isnan(unknown.fraud_in_rest.value)
    assert math.isnan(unknown.recall.value)
    assert random_sample_estimate(frame, np.array([True, True, True])).recall.value == 1.0


@given(st.lists(st.tuples(st.booleans(), st.floats(1, 1e6)), min_size=1, max_size=40))
def test_a_share_lies_within_its_interval_and_both_between_0_and_1(rows):
    y, weight = np.array([float(fraud) for fraud, _ in rows]), np.array([each for _, each in rows])
    found = weighted_share(y, weight)
    assert 0 <= found.low <= found.value <= found.high <= 1 + 1e-12
