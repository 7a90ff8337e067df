from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from features.spec import FeatureSpec
from models.dataset.training_set import Lesson
from models.estimator.boosting import BINS, SHAPES, fit_trees, growing_margins, tree_margins
from models.estimator.cross_fit import MIN_FIT, STRETCHES, held_out
from models.estimator.ensemble import fit
from models.estimator.linear import FAR_BITS, RIDGES, Line
from models.estimator.linear import fit_line as fit_line_to

A, B, FREE = (
    FeatureSpec(name=name, block="reuse", unit="ratio", meaning="", direction=direction)
    for name, direction in (("a", 1), ("b", -1), ("free", 0))
)
THREE = (A, B, FREE)


def lesson(x: np.ndarray, y: np.ndarray, opinion: np.ndarray | None = None, weight: np.ndarray | None = None) -> Lesson:
    """A lesson in which, unless it is given, the rule has no opinion and each row stands for itself."""
    rows = len(y)
    opinion = np.zeros(rows) if opinion is None else opinion
    return Lesson(x=x, opinion=opinion, y=y, weight=np.ones(rows) if weight is None else weight)


def fit_line(x: np.ndarray, y: np.ndarray, specs: tuple[FeatureSpec, ...]) -> Line:
    return fit_line_to(lesson(x, y), specs, ridge=RIDGES[0])


def margins(line: Line, x: np.ndarray) -> np.ndarray:
    return line.margins(x, np.zeros(len(x)))


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
    for known, held in held_out(decided):
        assert held.tolist() == list(range(held[0], held[-1] + 1))
        assert decided["y"].iloc[known].value_counts().min() >= MIN_FIT
        for column in ("seller_key", "photo_cluster"):
            assert not set(decided[column].iloc[known]) & set(decided[column].iloc[held])
        held_before += held.tolist()
    assert len(held_before) == len(set(held_before))


def test_the_stretches_cover_all_rows_and_share_the_frauds_equally():
    decided = examples(500, seed=1)
    frauds = [decided["y"].iloc[held].sum() for _, held in held_out(decided)]
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
    free = tuple(FeatureSpec(name=spec.name, block="reuse", unit="ratio", meaning="") for spec in THREE)
    compressed = np.log1p(x)
    deviations = (compressed - compressed.mean(axis=0)) / compressed.std(axis=0)
    theirs = LogisticRegression(C=1 / RIDGES[0], tol=1e-8).fit(deviations, y)
    np.testing.assert_allclose(margins(fit_line(x, y, free), x), theirs.decision_function(deviations), atol=1e-3)


def test_the_line_keeps_known_directions_even_against_the_labels():
    x, y = drawn(400, seed=5)
    line = fit_line(x[:, [1, 0, 2]], y, THREE)
    assert line.weights[0] == line.weights[1] == 0.0


def test_the_line_does_not_run_on_beyond_what_was_seen():
    x, y = drawn(400, seed=6)
    line = fit_line(x, y, THREE)
    far = np.array([[1e9, 0.5, 1.0]])
    assert margins(line, far)[0] == margins(line, np.minimum(far, x.max(axis=0)))[0]


def test_pictures_far_apart_are_all_equally_far_to_the_line():
    x, y = drawn(400, seed=6)
    bits = (FeatureSpec(name="bits", block="reuse", unit="bits", meaning=""), B, FREE)
    line = fit_line(x * [10.0, 1.0, 1.0], y, bits)
    near, far, further = margins(line, np.array([[2.0, 1.0, 1.0], [FAR_BITS, 1.0, 1.0], [60.0, 1.0, 1.0]]))
    assert near != far
    assert far == further


def test_a_missing_feature_counts_as_the_typical_one():
    x, y = drawn(401, seed=7)
    line = fit_line(x, y, THREE)
    middle = np.median(x[:, 0])
    assert margins(line, np.array([[np.nan, 1.0, 1.0]]))[0] == pytest.approx(
        margins(line, np.array([[middle, 1.0, 1.0]]))[0]
    )


def test_the_last_of_the_growing_margins_is_that_of_all_trees():
    x, y = drawn(300, seed=8)
    told = lesson(x, y)
    estimator = fit_trees(told, THREE, trees=12, shape=SHAPES[0], seed=0)
    grown = list(growing_margins(estimator, told.stacked))
    assert len(grown) == 12
    np.testing.assert_array_equal(grown[-1], tree_margins(estimator, told.stacked))


def test_trees_and_line_take_a_weight_for_as_many_equal_rows():
    x, y = drawn(3 * BINS, seed=9)
    weight = np.where(np.arange(len(y)) % 3 == 0, 4.0, 1.0)
    times = np.repeat(np.arange(len(y)), weight.astype(int))
    line = fit_line_to(lesson(x, y, weight=weight), THREE, ridge=0.0)
    repeated = fit_line_to(lesson(x[times], y[times]), THREE, ridge=0.0)
    np.testing.assert_allclose(margins(line, x), margins(repeated, x), atol=0.02)
    first, again = (
        fit_trees(each, THREE, trees=10, shape=SHAPES[0], seed=0)
        for each in (lesson(x, y, weight=weight), lesson(x[times], y[times]))
    )
    stacked = lesson(x, y).stacked
    assert np.corrcoef(tree_margins(first, stacked), tree_margins(again, stacked))[0, 1] > 0.9


@pytest.mark.parametrize("ridge", RIDGES)
def test_without_anything_to_learn_the_line_is_the_rule(ridge):
    opinion = np.linspace(-4, 3, 300)
    y = (np.random.default_rng(3).random(300) < expit(opinion)).astype(float)
    line = fit_line_to(lesson(np.zeros((300, 3)), y, opinion), THREE, ridge=ridge)
    assert line.trust == pytest.approx(1.0, abs=0.35)
    np.testing.assert_allclose(line.margins(np.zeros((300, 3)), opinion), opinion, atol=1.2)


def test_a_rule_that_the_labels_contradict_loses_its_say_and_never_counts_in_reverse():
    x, y = drawn(3_000, seed=5)
    opinion = np.where(y == 1, -4.0, 2.0)
    line = fit_line_to(lesson(x, y, opinion), THREE, ridge=RIDGES[0])
    assert line.trust == 0.0
    stacked = lesson(x, y, opinion).stacked
    estimator = fit_trees(lesson(x, y, opinion), THREE, trees=20, shape=SHAPES[0], seed=0)
    lower, higher = stacked.copy(), stacked.copy()
    lower[:, -1], higher[:, -1] = -4.0, 2.0
    assert (tree_margins(estimator, higher) >= tree_margins(estimator, lower)).all()


def described(rows: int, honest, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    x = generator.uniform(0, 1, (rows, 3))
    y = (generator.random(rows) < expit(honest(x))).astype(float)
    unique = np.arange(rows)
    as_of = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(unique, unit="h")
    columns = {"as_of": as_of, "seller_key": unique, "photo_cluster": unique, "y": y}
    return pd.DataFrame({**columns, "a": x[:, 0], "b": x[:, 1], "free": x[:, 2]})


def test_labels_decide_whether_the_line_or_the_trees_speak():
    straight = fit(described(400, lambda x: -3 + 5 * x[:, 0], seed=1), THREE, seed=0)
    bent = fit(described(4_000, lambda x: -3 + 6 * (np.abs(x[:, 2] - 0.5) < 0.2), seed=1), THREE, seed=0)
    assert straight.shares[0] > straight.shares[1]
    assert bent.shares[1] > bent.shares[0]


def test_a_listing_scores_the_same_alone_and_among_others(trained, market, specs):
    x = market[[spec.name for spec in specs]].to_numpy()
    together = trained.fitted.margins(x)
    alone = np.concatenate([trained.fitted.margins(x[[row]]) for row in range(40)])
    assert alone.tobytes() == together[:40].tobytes()
