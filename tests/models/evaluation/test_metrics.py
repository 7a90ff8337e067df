from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from models.evaluation.metrics import (
    average_precision,
    brier,
    calibration_error,
    daily_queue,
    interval,
    measures,
    precision_in,
    recall_in,
)

ROWS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, math.nan]), st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.integers(0, 3)),
    min_size=1,
    max_size=30,
)
MIDNIGHT = pd.Timestamp("2026-03-01", tz="UTC")


@given(ROWS)
def test_weighted_average_precision_is_scikit_learns(rows):
    y, score, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    counted = ~np.isnan(y) & (weight > 0)
    found = average_precision(y, score)(weight)
    if len(set(y[counted])) < 2:
        assert math.isnan(found)
    else:
        expected = average_precision_score(y[counted], score[counted], sample_weight=weight[counted])
        assert found == pytest.approx(expected)


@given(ROWS, st.integers(1, 4))
def test_the_daily_queue_holds_the_highest_of_each_day(rows, capacity):
    score = np.array([row[1] for row in rows])
    day = np.array([row[2] for row in rows])
    as_of = pd.Series(MIDNIGHT + pd.to_timedelta(day, unit="D"))
    queue = daily_queue(score, as_of, capacity)
    for one in set(day.tolist()):
        inside, outside = score[queue & (day == one)], score[~queue & (day == one)]
        assert len(inside) == min(capacity, int((day == one).sum()))
        assert not outside.size or outside.max() <= inside.min()


def test_undecided_rows_take_places_in_the_queue_but_are_not_counted():
    y = np.array([np.nan, 1.0, 0.0, 1.0])
    queue = daily_queue(np.array([0.9, 0.8, 0.7, 0.1]), pd.Series([MIDNIGHT] * 4), 3)
    assert queue.tolist() == [True, True, True, False]
    assert precision_in(queue, y)(np.ones(4)) == 0.5
    assert recall_in(queue, y)(np.ones(4)) == 0.5


def test_a_calibrated_score_has_less_error_than_a_stretched_one():
    generator = np.random.default_rng(5)
    truth = generator.beta(1, 6, 20_000)
    y = (generator.random(20_000) < truth).astype(float)
    everyone = np.ones(20_000)
    assert calibration_error(y, truth)(everyone) < 0.01
    assert calibration_error(y, np.sqrt(truth))(everyone) > 0.1
    assert brier(y, truth)(everyone) < brier(y, np.sqrt(truth))(everyone)


@pytest.mark.parametrize(
    ("y", "reason"),
    [([0.0, 0.0], "no fraud"), ([1.0, 1.0], "only frauds"), ([math.nan, math.nan], "no decided listing")],
)
def test_one_class_gives_nan_and_says_why(y, reason):
    scored = pd.DataFrame({"y": y, "p": [0.2, 0.4], "as_of": [MIDNIGHT] * 2, "seller_key": [1, 2]})
    figures = {figure.name: figure for figure in measures(scored, score="p", capacity=1, seed=0)}
    found = figures["average_precision"]
    assert math.isnan(found.value)
    assert math.isnan(found.low)
    assert found.reason.startswith(reason)


def test_intervals_know_that_a_sellers_listings_stand_and_fall_together():
    generator = np.random.default_rng(1)
    seller_is_fraud = generator.random(40) < 0.5
    y = np.repeat(seller_is_fraud, 25).astype(float)
    queue = np.ones(len(y), dtype=bool)
    alone = interval(precision_in(queue, y), np.arange(len(y)), seed=0)
    by_seller = interval(precision_in(queue, y), np.repeat(np.arange(40), 25), seed=0)
    assert by_seller[1] - by_seller[0] > 3 * (alone[1] - alone[0])
    assert interval(precision_in(queue, y), np.repeat(np.arange(40), 25), seed=0) == by_seller
