"""Any classifier of scikit-learn's kind is fitted, calibrated, judged and kept as ours is, or it says why not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from data.errors import CallerError, ModelError, SettingsError
from models.dataset.splits import prequential_folds
from models.estimator.calibrated_classifier import fit_on
from models.estimator.custom import CalibratedEstimator, custom_estimator
from models.estimator.ensemble import FORMS
from models.estimator.rule import RULE_ID
from models.estimator.scorer import feature_matrix
from models.estimator.scoring import score
from models.registry.card import card_markdown
from models.registry.registry import Registry, unsafe_types
from models.training.out_of_fold import divisions_of, out_of_fold
from models.training.train import CANDIDATE, LOGISTIC

FOREST, SCALED, TREES = (f"tests.models.estimator.factories:{name}" for name in ("forest", "scaled", "trees"))
NEIGHBOURS = "sklearn.neighbors:KNeighborsClassifier"


@parametrize_with_checks([CalibratedEstimator(LogisticRegression(), too_few="unweighed")])
def test_scikit_learns_own_checks_hold(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def candidates(another_trained, market, specs):
    """The candidate that was trained, and others that differ from it in the fitted estimator alone."""
    decided = market[market["y"].notna()]
    fitted = {name: fit_on(custom_estimator(name, seed=3), decided, specs) for name in (SCALED, FOREST)}
    others = {name: replace(another_trained, estimator=estimator) for name, estimator in fitted.items()}
    return {TREES: another_trained, **others}


def test_it_is_judged_beside_the_rule_and_our_own(candidates):
    candidate = candidates[TREES]
    shown = set(candidate.evaluation.overall["scorer"])
    assert {CANDIDATE, *FORMS, LOGISTIC, RULE_ID} <= shown
    assert candidate.card["choice"]["form"] == TREES
    assert candidate.card["choice"]["form_why"].startswith(f"{TREES} was asked for; average precision of {TREES}")
    np.testing.assert_array_equal(candidate.scored["score"], candidate.scored[TREES])
    assert candidate.evaluation.value("calibration_error", CANDIDATE) < 0.12
    assert candidate.evaluation.value("average_precision", CANDIDATE) > 0.5


def test_the_card_says_what_it_is_and_whether_missing_values_were_filled(candidates):
    card = json.loads(json.dumps(candidates[TREES].card, allow_nan=False))
    assert card["settings"]["estimator"] == TREES
    assert f"HistGradientBoostingClassifier, made by {TREES}, which takes missing values" in card_markdown(card, "m")
    filled = {**card, "estimator": card["estimator"] | candidates[SCALED].estimator.record()}
    assert "with medians and flags for what is missing" in card_markdown(filled, "m")


@pytest.mark.parametrize("name", [TREES, SCALED])
def test_one_of_safe_types_is_kept_and_scores_as_it_did(tmp_path, candidates, market, specs, name):
    candidate, registry = candidates[name], Registry(tmp_path / "models")
    model_id = registry.keep(candidate)
    assert (registry.list(), model_id.split("-")[0]) == ([model_id], "custom")
    before, after = (
        score(market, model, specs) for model in (candidate.model(model_id), registry.load(model_id, specs))
    )
    assert after.table.equals(before.table)
    assert after.contributions.equals(before.contributions)


def test_one_of_other_types_is_never_kept(tmp_path, candidates):
    candidate, registry = candidates[FOREST], Registry(tmp_path / "models")
    assert unsafe_types(candidate) == "sklearn.tree._tree.Tree"
    with pytest.raises(ModelError, match=r"would ask for types that are not allowed: sklearn\.tree\._tree\.Tree"):
        registry.keep(candidate)
    assert registry.list() == []


def test_weights_reach_the_last_step_of_a_pipeline_and_nothing_that_takes_none(market, specs):
    decided = market[market["y"].notna()]
    x, y = feature_matrix(decided, specs), decided["y"].to_numpy()
    weight = np.where(decided["images"] > 4, 9.0, 1.0)
    for name, takes in ((SCALED, True), (NEIGHBOURS, False)):
        plain, weighted = (custom_estimator(name, seed=0).fit(x, y, each) for each in (None, weight))
        same = np.array_equal(plain.estimator_.predict_proba(x), weighted.estimator_.predict_proba(x))
        assert same is not takes
        assert plain.record()["weighted"] is takes


@pytest.mark.parametrize(
    ("estimator", "takes"),
    [
        (HistGradientBoostingClassifier(), True),
        (LogisticRegression(max_iter=2_000), False),
        (make_pipeline(StandardScaler(), LogisticRegression()), False),
        (make_pipeline(StandardScaler(), "passthrough", HistGradientBoostingClassifier()), True),
        (make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), True),
    ],
)
def test_medians_are_filled_in_only_where_missing_values_would_reach_what_takes_none(market, specs, estimator, takes):
    decided = market[market["y"].notna()]
    fitted = fit_on(CalibratedEstimator(estimator), decided, specs)
    assert fitted.imputed_ is not takes
    assert np.isfinite(fitted.predict_proba(feature_matrix(decided, specs))).all()


def test_what_a_factory_left_to_chance_follows_from_the_seed():
    assert custom_estimator(FOREST, seed=7).estimator.random_state == 7


def test_its_recipe_can_be_tried_on_other_divisions(market, specs):
    divisions = divisions_of(prequential_folds(market, folds=2, delay=timedelta(days=7)))
    found = out_of_fold(market, divisions, specs, seed=3, form=TREES)
    assert found["score"].between(0, 1).all()
    assert len(found) > 100


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere_at_all:Forest", "cannot be imported"),
        ("sklearn.ensemble:Forest", "cannot be imported"),
        ("sklearn.ensemble", "cannot be imported"),
        ("sklearn.ensemble:", "cannot be imported"),
        (":Forest", "cannot be imported"),
        ("sklearn.linear_model:LinearRegression", "returns LinearRegression, expected an unfitted classifier"),
        ("builtins:dict", "returns dict, expected an unfitted classifier"),
        ("tests.models.estimator.factories:fails", "called without arguments it fails (RuntimeError: no licence)"),
        ("sklearn.base:is_classifier", "called without arguments it fails"),
    ],
)
def test_a_factory_of_no_use_is_a_callers_error_that_names_the_setting(name, said):
    with pytest.raises(SettingsError) as caught:
        custom_estimator(name, seed=0)
    assert isinstance(caught.value, CallerError)
    assert f"SEENBEFORE_MODEL__ESTIMATOR={name}: " in str(caught.value)
    assert said in str(caught.value)
