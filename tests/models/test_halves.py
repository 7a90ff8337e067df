from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from features.spec import FeatureSpec
from models.holding_out import MIN_FIT, STRETCHES, held_out
from models.line import FAR_BITS, RIDGE, fit_line
from models.pipeline import fit
from models.trees import fit_trees, growing_margins, tree_margins

A, B, FREE = (
    FeatureSpec(name=name, block="reuse", unit="ratio", meaning="", direction=direction)
    for name, direction in (("a", 1), ("b", -1), ("free", 0))
)
THREE = (A, B, FREE)


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
    theirs = LogisticRegression(C=1 / RIDGE, tol=1e-8).fit(deviations, y)
    np.testing.assert_allclose(fit_line(x, y, free).margins(x), theirs.decision_function(deviations), atol=1e-3)


def test_the_line_keeps_known_directions_even_against_the_labels():
    x, y = drawn(400, seed=5)
    line = fit_line(x[:, [1, 0, 2]], y, THREE)
    assert line.weights[0] == line.weights[1] == 0.0


def test_the_line_does_not_run_on_beyond_what_was_seen():
    x, y = drawn(400, seed=6)
    line = fit_line(x, y, THREE)
    far = np.array([[1e9, 0.5, 1.0]])
    assert line.margins(far)[0] == line.margins(np.minimum(far, x.max(axis=0)))[0]


def test_pictures_far_apart_are_all_equally_far_to_the_line():
    x, y = drawn(400, seed=6)
    bits = (FeatureSpec(name="bits", block="reuse", unit="bits", meaning=""), B, FREE)
    line = fit_line(x * [10.0, 1.0, 1.0], y, bits)
    near, far, further = line.margins(np.array([[2.0, 1.0, 1.0], [FAR_BITS, 1.0, 1.0], [60.0, 1.0, 1.0]]))
    assert near != far
    assert far == further


def test_a_missing_feature_counts_as_the_typical_one():
    x, y = drawn(401, seed=7)
    line = fit_line(x, y, THREE)
    middle = np.median(x[:, 0])
    assert line.margins(np.array([[np.nan, 1.0, 1.0]]))[0] == pytest.approx(
        line.margins(np.array([[middle, 1.0, 1.0]]))[0]
    )


def test_the_last_of_the_growing_margins_is_that_of_all_trees():
    x, y = drawn(300, seed=8)
    estimator = fit_trees(x, y, THREE, trees=12, seed=0)
    grown = list(growing_margins(estimator, x))
    assert len(grown) == 12
    np.testing.assert_array_equal(grown[-1], tree_margins(estimator, x))


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
