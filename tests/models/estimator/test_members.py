from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from features.spec import FeatureSpec
from models.dataset.splits import groups_of
from models.estimator.boosting import BINS, SHAPES, boosting_margins, cross_fit_boosting, fit_boosting
from models.estimator.calibrated_classifier import fit_on
from models.estimator.cross_fit import MIN_FIT, STRETCHES, cross_fit_parts
from models.estimator.ensemble import SignBoundedEnsemble, ensemble_for
from models.estimator.linear import RIDGES, LinearMember
from models.estimator.linear import fit_linear as fit_member
from models.estimator.scorer import FAR_BITS

A, B, FREE = (
    FeatureSpec(name=name, block="reuse", unit="ratio", meaning="", direction=direction)
    for name, direction in (("a", 1), ("b", -1), ("free", 0))
)
THREE = (A, B, FREE)


DIRECTIONS = [spec.direction for spec in THREE]
NO_LIMITS = [np.inf] * 3


def stacked(x: np.ndarray, prior: np.ndarray | None = None) -> np.ndarray:
    """Features with the prior's log-odds as the last column; unless they are given, nothing is known."""
    return np.column_stack([x, np.zeros(len(x)) if prior is None else prior])


def fit_linear(x, y, directions=DIRECTIONS, limits=NO_LIMITS, prior=None, weight=None, ridge=RIDGES[0]) -> LinearMember:
    weight = np.ones(len(y)) if weight is None else weight
    return fit_member(stacked(x, prior), y, weight, directions=directions, limits=limits, ridge=ridge)


def grow(x, y, trees, prior=None, weight=None):
    weight = np.ones(len(y)) if weight is None else weight
    return fit_boosting(stacked(x, prior), y, weight, directions=DIRECTIONS, trees=trees, shape=SHAPES[0], seed=0)


def margins(line: LinearMember, x: np.ndarray) -> np.ndarray:
    return line.margins(stacked(x))


def parts_of(decided: pd.DataFrame) -> list:
    return cross_fit_parts(decided["y"].to_numpy(), groups_of(decided), np.zeros(len(decided), dtype=bool))


def fit(rows: pd.DataFrame, *, seed: int) -> SignBoundedEnsemble:
    return fit_on(ensemble_for(THREE, seed=seed), rows, THREE)


def examples(rows: int, seed: int) -> pd.DataFrame:
    """Rows in order of time in which sellers and photos come back now and then."""
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "as_of": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(rows), unit="h"),
            "seller_key": generator.integers(0, 2 * rows, rows),
            "photo_cluster": generator.integers(0, 2 * rows, rows),
            "y": (generator.random(rows) < 0.3).astype(float),
        }
    )


@given(st.integers(60, 300), st.integers(0, 1_000))
def test_rows_are_held_out_once_in_stretches_of_time_apart_by_seller_and_photo(rows, seed):
    decided = examples(rows, seed)
    held_before: list[int] = []
    for known, held in parts_of(decided):
        assert held.tolist() == list(range(held[0], held[-1] + 1))
        assert decided["y"].iloc[known].value_counts().min() >= MIN_FIT
        for column in ("seller_key", "photo_cluster"):
            assert not set(decided[column].iloc[known]) & set(decided[column].iloc[held])
        held_before += held.tolist()
    assert len(held_before) == len(set(held_before))


def test_the_stretches_cover_all_rows_and_share_the_frauds_equally():
    decided = examples(500, seed=1)
    frauds = [decided["y"].iloc[held].sum() for _, held in parts_of(decided)]
    assert len(frauds) == STRETCHES
    assert sum(frauds) == decided["y"].sum()
    assert max(frauds) - min(frauds) <= 1


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.lognormal(0, 1, (rows, 3))
    honest = -2 + 1.5 * np.log1p(x[:, 0]) - 1.0 * np.log1p(x[:, 1])
    return x, (generator.random(rows) < expit(honest)).astype(float)


def test_without_known_directions_the_line_is_scikit_learns_logistic_regression():
    x, y = drawn(400, seed=4)
    compressed = np.log1p(x)
    deviations = (compressed - compressed.mean(axis=0)) / compressed.std(axis=0)
    theirs = LogisticRegression(C=1 / RIDGES[0], tol=1e-8).fit(deviations, y)
    np.testing.assert_allclose(
        margins(fit_linear(x, y, directions=[0, 0, 0]), x), theirs.decision_function(deviations), atol=1e-3
    )


def test_the_line_keeps_known_directions_even_against_the_labels():
    x, y = drawn(400, seed=5)
    line = fit_linear(x[:, [1, 0, 2]], y)
    assert line.weights[0] == line.weights[1] == 0.0


def test_the_line_does_not_run_on_beyond_what_was_seen():
    x, y = drawn(400, seed=6)
    line = fit_linear(x, y)
    far = np.array([[1e9, 0.5, 1.0]])
    assert margins(line, far)[0] == margins(line, np.minimum(far, x.max(axis=0)))[0]


def test_pictures_far_apart_are_all_equally_far_to_the_line():
    x, y = drawn(400, seed=6)
    bits = FeatureSpec(name="bits", block="reuse", unit="bits", meaning="")
    limits = ensemble_for((bits, B, FREE), seed=0).limits
    line = fit_linear(x * [10.0, 1.0, 1.0], y, directions=[0, -1, 0], limits=limits)
    near, far, further = margins(line, np.array([[2.0, 1.0, 1.0], [FAR_BITS, 1.0, 1.0], [60.0, 1.0, 1.0]]))
    assert near != far
    assert far == further


def test_a_missing_feature_counts_as_the_typical_one():
    x, y = drawn(401, seed=7)
    line = fit_linear(x, y)
    middle = np.median(x[:, 0])
    assert margins(line, np.array([[np.nan, 1.0, 1.0]]))[0] == pytest.approx(
        margins(line, np.array([[middle, 1.0, 1.0]]))[0]
    )


def test_the_last_of_the_growing_margins_is_that_of_all_trees():
    x, y = drawn(300, seed=8)
    part = (np.arange(200), np.arange(200, 300))
    grown = cross_fit_boosting(
        stacked(x), y, np.ones(300), [part], directions=DIRECTIONS, trees=12, shapes=SHAPES[:1], seed=0
    )
    assert grown.shape == (1, 12, 100)
    known = grow(x[:200], y[:200], trees=12)
    np.testing.assert_array_equal(grown[0, -1], boosting_margins(known, stacked(x[200:])))


def test_both_members_take_a_weight_for_as_many_equal_rows():
    x, y = drawn(3 * BINS, seed=9)
    weight = np.where(np.arange(len(y)) % 3 == 0, 4.0, 1.0)
    times = np.repeat(np.arange(len(y)), weight.astype(int))
    line = fit_linear(x, y, weight=weight, ridge=0.0)
    repeated = fit_linear(x[times], y[times], ridge=0.0)
    np.testing.assert_allclose(margins(line, x), margins(repeated, x), atol=0.02)
    first, again = grow(x, y, trees=10, weight=weight), grow(x[times], y[times], trees=10)
    assert np.corrcoef(boosting_margins(first, stacked(x)), boosting_margins(again, stacked(x)))[0, 1] > 0.9


@pytest.mark.parametrize("ridge", RIDGES)
def test_without_anything_to_learn_the_line_is_the_rule(ridge):
    prior = np.linspace(-4, 3, 300)
    y = (np.random.default_rng(3).random(300) < expit(prior)).astype(float)
    line = fit_linear(np.zeros((300, 3)), y, prior=prior, ridge=ridge)
    assert line.prior_weight == pytest.approx(1.0, abs=0.35)
    np.testing.assert_allclose(line.margins(stacked(np.zeros((300, 3)), prior)), prior, atol=1.2)


def test_a_rule_that_the_labels_contradict_loses_its_say_and_never_counts_in_reverse():
    x, y = drawn(3_000, seed=5)
    prior = np.where(y == 1, -4.0, 2.0)
    assert fit_linear(x, y, prior=prior).prior_weight == 0.0
    estimator = grow(x, y, trees=20, prior=prior)
    lower, higher = (stacked(x, np.full(len(x), value)) for value in (-4.0, 2.0))
    assert (boosting_margins(estimator, higher) >= boosting_margins(estimator, lower)).all()


def described(rows: int, honest, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    x = generator.uniform(0, 1, (rows, 3))
    y = (generator.random(rows) < expit(honest(x))).astype(float)
    unique = np.arange(rows)
    as_of = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(unique, unit="h")
    columns = {"as_of": as_of, "seller_key": unique, "photo_cluster": unique, "y": y}
    return pd.DataFrame({**columns, "a": x[:, 0], "b": x[:, 1], "free": x[:, 2]})


def test_labels_decide_whether_the_line_or_the_trees_speak():
    straight = fit(described(400, lambda x: -3 + 5 * x[:, 0], seed=1), seed=0)
    bent = fit(described(4_000, lambda x: -3 + 6 * (np.abs(x[:, 2] - 0.5) < 0.2), seed=1), seed=0)
    assert straight.shares_[0] > straight.shares_[1]
    assert bent.shares_[1] > bent.shares_[0]


def test_a_listing_scores_the_same_alone_and_among_others(trained, market, specs):
    x = market[[spec.name for spec in specs]].to_numpy()
    together = trained.estimator.margins(x)
    alone = np.concatenate([trained.estimator.margins(x[[row]]) for row in range(40)])
    assert alone.tobytes() == together[:40].tobytes()
