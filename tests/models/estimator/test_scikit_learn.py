"""The estimator is one of scikit-learn's kind: it keeps its rules, can be cloned, searched over and put in a row."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from models.dataset.splits import groups_of
from models.estimator.boosting import SHAPES
from models.estimator.calibrated_classifier import fit_on
from models.estimator.ensemble import (
    BOOSTING_ALONE,
    ENSEMBLE,
    FORMS,
    LINEAR_ALONE,
    SignBoundedEnsemble,
    ensemble_for,
)
from models.estimator.scorer import feature_matrix

SMALL = {"ridges": (10.0,), "shapes": SHAPES[:1], "max_trees": 20, "too_few": "unweighed"}
"""The checks fit on a few dozen rows, where there is little to choose from."""

BY_ROWS = (
    "features are brought to one scale, trees are binned and Platt's targets are smoothed by rows, whatever these "
    "weigh: weights say for how many listings a row stands, not that it was seen so often"
)
EXPECTED_TO_FAIL = {"check_sample_weight_equivalence_on_dense_data": BY_ROWS}


@parametrize_with_checks(
    [SignBoundedEnsemble(**SMALL), SignBoundedEnsemble(**SMALL, form=LINEAR_ALONE)],
    expected_failed_checks=lambda _: EXPECTED_TO_FAIL,
)
def test_scikit_learns_own_checks_hold(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def decided(market):
    return market[market["y"].notna()]


@pytest.fixture(scope="module")
def fitted(decided, specs):
    return fit_on(ensemble_for(specs, seed=3), decided, specs)


def test_a_clone_is_unfitted_and_learns_the_same_again(fitted, decided, specs):
    again = clone(fitted)
    assert not hasattr(again, "linear_")
    x = feature_matrix(decided, specs)
    assert fit_on(again, decided, specs).predict_proba(x).tobytes() == fitted.predict_proba(x).tobytes()


def test_labels_may_have_any_names(fitted, decided, specs):
    x, y = feature_matrix(decided, specs), decided["y"].to_numpy()
    named = clone(fitted).fit(x, np.where(y == 1, "stolen", "honest"), groups=groups_of(decided))
    assert named.classes_.tolist() == ["honest", "stolen"]
    np.testing.assert_array_equal(named.predict(x) == "stolen", fitted.predict_proba(x)[:, 1] > 0.5)


def test_it_can_be_searched_over_within_a_pipeline(decided, specs):
    x, y = feature_matrix(decided, specs), decided["y"].to_numpy()
    small = ensemble_for(specs, seed=0).set_params(shapes=SHAPES[:1], max_trees=20)
    search = GridSearchCV(
        make_pipeline(FunctionTransformer(), small),
        {"signboundedensemble__form": list(FORMS), "signboundedensemble__ridges": [(10.0,), (1_000.0,)]},
        scoring="average_precision",
        cv=StratifiedKFold(2, shuffle=True, random_state=0),
        error_score="raise",
    ).fit(x, y)
    assert search.best_score_ > 2 * y.mean()
    assert set(search.best_params_) == {"signboundedensemble__form", "signboundedensemble__ridges"}


def test_each_form_is_the_same_fit_weighed_otherwise(fitted, decided, specs):
    x = feature_matrix(decided, specs)
    alone = fitted.as_form(BOOSTING_ALONE)
    assert (alone.shares_, fitted.form) == ((0.0, 1.0), ENSEMBLE)
    fresh = fit_on(ensemble_for(specs, seed=3).set_params(form=BOOSTING_ALONE), decided, specs)
    assert alone.predict_proba(x).tobytes() == fresh.predict_proba(x).tobytes()


@pytest.mark.parametrize("wrong", [{"form": "squares"}, {"too_few": "guess"}])
def test_an_unknown_form_is_refused_when_fitting(wrong):
    with pytest.raises(ValueError, match="form must be one of"):
        SignBoundedEnsemble(**wrong).fit([[0.0], [1.0]], [0, 1])
