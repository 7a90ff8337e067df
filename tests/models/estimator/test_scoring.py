from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from data.errors import ModelError
from features.spec import FeatureSpec
from models.estimator.reasons import MAX_REASONS, MIN_CONTRIBUTION, reasons
from models.estimator.rule import rule_for
from models.estimator.scorer import Bands
from models.estimator.scoring import score

BANDS = Bands(high=0.9, medium=0.5)


@dataclass(frozen=True)
class Linear:
    """A scorer whose exact contributions are known: weight times the distance from the ordinary listing."""

    feature_names: tuple[str, ...]
    weights: np.ndarray
    reference: np.ndarray
    model_id: str = "linear"
    bands: Bands = BANDS
    trained_until: None = None

    def margins(self, x):
        return np.nan_to_num(x) @ self.weights

    def probabilities(self, margins):
        return np.round(expit(margins), 1)


NUMBERS = tuple(
    FeatureSpec(name=name, block=block, unit="count", meaning="", reason=f"{name} is {{value}}.")
    for name, block in (("a", "reuse"), ("b", "seller"), ("c", "seller"))
)
LINEAR = Linear(("a", "b", "c"), np.array([1.0, -2.0, 0.5]), np.array([0.0, 1.0, np.nan]))


def test_contributions_of_a_linear_scorer_are_exact_and_missing_features_contribute_nothing():
    features = pd.DataFrame({"a": [3.0, np.nan], "b": [1.0, 4.0], "c": [np.nan, 2.0]}, index=[10, 20])
    found = score(features, LINEAR, NUMBERS).contributions
    assert found.to_dict("index") == {10: {"a": 3.0, "b": 0.0, "c": 0.0}, 20: {"a": 0.0, "b": -6.0, "c": 1.0}}


def test_contributions_are_the_same_however_many_features_are_asked_about_at_once(monkeypatch):
    features = pd.DataFrame(np.random.default_rng(1).integers(0, 4, (7, 3)).astype(float), columns=["a", "b", "c"])
    at_once = score(features, LINEAR, NUMBERS).contributions
    monkeypatch.setattr("models.estimator.scoring.ROWS_AT_ONCE", 1)
    pd.testing.assert_frame_equal(score(features, LINEAR, NUMBERS).contributions, at_once, check_exact=True)


def test_equal_probabilities_are_ranked_by_margin():
    features = pd.DataFrame({"a": [5.1, 5.3, -1.0, 5.2], "b": 0.0, "c": 0.0})
    table = score(features, LINEAR, NUMBERS).table
    assert table["score"].nunique() == 2
    assert table["rank"].tolist() == [3, 1, 4, 2]
    assert table["band"].tolist() == ["high", "high", "low", "high"]


def test_a_scorer_for_other_features_is_refused():
    features = pd.DataFrame({"a": [1.0], "b": [1.0], "c": [1.0]})
    with pytest.raises(ModelError, match="takes the features a, b, c, found b, a, c"):
        score(features, LINEAR, (NUMBERS[1], NUMBERS[0], NUMBERS[2]))
    with pytest.raises(ModelError, match="lack the column\\(s\\) b, c"):
        score(features[["a"]], LINEAR, NUMBERS)


def test_an_empty_frame_is_scored_as_an_empty_frame(trained, specs):
    empty = pd.DataFrame({spec.name: pd.Series(dtype=float) for spec in specs})
    for scorer in (trained.model(), rule_for(specs)):
        assert len(score(empty, scorer, specs).table) == 0


@pytest.fixture(scope="module")
def told(trained, market, specs):
    scored = score(market, trained.model(), specs)
    return scored, reasons(market, scored.contributions, specs)


def test_every_sentence_is_true_of_its_row(told, market, specs):
    scored, found = told
    by_name = {spec.name: spec for spec in specs}
    assert found.map(len).max() >= 2
    for row, row_reasons in found.items():
        assert len(row_reasons) <= MAX_REASONS
        strengths = [scored.contributions.loc[row, reason["code"]] for reason in row_reasons]
        assert strengths == sorted(strengths, reverse=True)
        assert all(strength >= MIN_CONTRIBUTION for strength in strengths)
        for reason in row_reasons:
            spec = by_name[reason["code"]]
            assert reason["value"] == market.loc[row, spec.name]
            assert reason["text"] == spec.sentence(market.loc[row, spec.name])
            assert spec.block != "reuse" or reason["value"] > 0


def test_the_highest_scores_are_explained_by_copied_photos(told):
    scored, found = told
    top = found[scored.table["rank"] <= 20]
    assert all("surest_same_photo" in [reason["code"] for reason in row] for row in top)


def test_evidence_goes_to_the_reasons_of_its_block():
    features = pd.DataFrame({"listing_key": [7, 8], "a": [2.0, 2.0], "b": [0.0, 0.0], "c": [0.0, 0.0]})
    evidence = pd.DataFrame(
        {"listing_key": [7, 7, 7], "block": ["reuse", "reuse", "reuse"], "evidence_id": ["x", "y", "x"]}
    )
    found = reasons(features, score(features, LINEAR, NUMBERS).contributions, NUMBERS, evidence=evidence)
    assert {reason["code"]: reason["evidence_ids"] for reason in found[0]} == {"a": ["x", "y"], "b": []}
    assert [reason["evidence_ids"] for reason in found[1]] == [[], []]


def test_no_photo_seen_before_is_never_given_as_a_reason():
    features = pd.DataFrame({"listing_key": [1, 2], "a": [0.0, -3.0], "b": [1.0, 1.0], "c": [1.0, 1.0]})
    raised = pd.DataFrame({"a": [2.0, 2.0], "b": [0.0, 0.0], "c": [0.0, 0.05]})
    assert reasons(features, raised, NUMBERS).tolist() == [[], []]


def test_a_picture_many_bits_away_is_never_given_as_a_reason():
    distance = FeatureSpec(name="a", block="reuse", unit="bits", meaning="", reason="{value} bits away.")
    features = pd.DataFrame({"listing_key": [1, 2], "a": [2.0, 24.0], "b": [1.0, 1.0], "c": [1.0, 1.0]})
    raised = pd.DataFrame({"a": [2.0, 2.0], "b": [0.0, 0.0], "c": [0.0, 0.0]})
    found = reasons(features, raised, (distance, *NUMBERS[1:]))
    assert [[reason["text"] for reason in row] for row in found] == [["2 bits away."], []]
