"""Another classifier of scikit-learn's kind in the place of ours: made by a factory, calibrated as ours is."""

from __future__ import annotations

from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from scipy.special import logit
from sklearn.base import clone, is_classifier
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from data.errors import SettingsError
from models.estimator.boosting import one_thread, without_empty_columns
from models.estimator.calibrated_classifier import CalibratedClassifier, fit_on
from models.estimator.calibration import UNCALIBRATED, calibrate
from models.estimator.cross_fit import held_out_rows, ordinary
from models.estimator.ensemble import FORMS, fit_forms

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator

    from features.spec import FeatureSpec
    from models.estimator.calibration import Calibration

SETTING = "SEENBEFORE_MODEL__ESTIMATOR"
SURE = 1e-4
"""Probabilities nearer to 0 or 1 count as this: a forest whose trees all agree does not know for certain."""


class CalibratedEstimator(CalibratedClassifier):
    """Any classifier, calibrated on held out rows.

    It is fitted on each part of the rows but one to score that one, as our own is, and then on all of them.

    Parameters
    ----------
    estimator
        Unfitted. One that says of itself that it takes no missing values is given medians, and flags of what was
        missing, by a `sklearn.impute.SimpleImputer` in front of it. One that takes no weights is fitted without.
    too_few
        As for `models.estimator.ensemble.SignBoundedEnsemble`.

    Attributes
    ----------
    estimator_ : sklearn.base.BaseEstimator
        Fitted on all rows, with the imputer in front if there is one.
    imputed_ : bool
        Whether there is one.
    calibration_, reference_, fit_rows_, classes_
        As those of `models.estimator.ensemble.SignBoundedEnsemble`.
    """

    def __init__(self, estimator: BaseEstimator, *, too_few: Literal["raise", "unweighed"] = "raise") -> None:
        self.estimator = estimator
        self.too_few = too_few

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the classifier's own log-odds, shape (rows,), for float64 rows."""
        if not len(x):
            return np.empty(0)
        with one_thread():
            return _log_odds(self.estimator_, x)

    def record(self) -> dict[str, Any]:
        """Return what it is made of, as plain values."""
        kind = type(self.estimator)
        return {
            "class": f"{kind.__module__}.{kind.__qualname__}",
            "parameters": {name: repr(value) for name, value in sorted(self.estimator.get_params().items())},
            "imputed": self.imputed_,
            "weighted": bool(_weight_argument(self.estimator, np.empty(0))),
        }

    @classmethod
    def restored(
        cls,
        fitted: BaseEstimator,
        *,
        imputed: bool,
        calibration: Calibration,
        reference: NDArray[np.float64],
        fit_rows: int,
    ) -> CalibratedEstimator:
        """Return one that was kept: ``fitted`` is its ``estimator_``, and the others what their names say."""
        whole = cls(clone(fitted[-1] if imputed else fitted))
        whole.estimator_, whole.imputed_, whole.classes_ = fitted, imputed, fitted.classes_
        whole.calibration_, whole.reference_, whole.fit_rows_ = calibration, reference, fit_rows
        whole.n_features_in_ = len(reference)
        return whole

    def _fit(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        weight: NDArray[np.float64],
        groups: NDArray[np.int64],
        weak: NDArray[np.bool_],
    ) -> None:
        self.imputed_ = not _takes_missing(self.estimator)
        parts = self._parts(y, groups, weak)
        held_out = [_log_odds(self._fitted(x[known], y[known], weight[known]), x[held]) for known, held in parts]
        rows = held_out_rows(parts)
        self.calibration_ = calibrate(np.concatenate(held_out), y[rows], weight[rows]) if parts else UNCALIBRATED
        self.estimator_ = self._fitted(x, y, weight)
        self.reference_ = ordinary(x[y == 0])
        self.fit_rows_ = len(x)

    def _fitted(self, x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]) -> Any:
        estimator = clone(self.estimator)
        if self.imputed_:
            imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
            estimator = make_pipeline(imputer, estimator)
        weights = {} if (weight == weight[0]).all() else _weight_argument(estimator, weight)
        return estimator.fit(without_empty_columns(x), y, **weights)


def custom_estimator(name: str, *, seed: int) -> CalibratedEstimator:
    """Return what a factory makes, unfitted and to be calibrated.

    Parameters
    ----------
    name
        ``module:factory``; called without arguments, the factory returns a classifier. A class is a factory.
    seed
        Given to every ``random_state`` that the factory left open.

    Raises
    ------
    SettingsError
        The factory cannot be imported, fails, or returns something that is no unfitted classifier.
    """
    module, _, attribute = name.partition(":")
    try:
        factory = attrgetter(attribute)(import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        found = f"it cannot be imported ({error}); expected `module:factory`, installed here or on PYTHONPATH"
        raise SettingsError([f"{SETTING}={name}: {found}"]) from error
    try:
        estimator = factory()
    except Exception as error:  # whatever a stranger's code raises is the caller's to mend
        found = f"called without arguments it fails ({type(error).__name__}: {error})"
        raise SettingsError([f"{SETTING}={name}: {found}"]) from error
    if not _is_classifier(estimator):
        found = f"it returns {type(estimator).__name__}, expected an unfitted classifier of scikit-learn's kind"
        raise SettingsError([f"{SETTING}={name}: {found}"])
    parameters = cast("dict[str, Any]", estimator.get_params())
    states = [key for key in parameters if key == "random_state" or key.endswith("__random_state")]
    estimator.set_params(**{key: seed for key in states if parameters[key] is None})
    return CalibratedEstimator(estimator)


def fit_form(rows: pd.DataFrame, specs: Sequence[FeatureSpec], *, form: str, seed: int) -> CalibratedClassifier:
    """Fit on examples what a card names as its form: one of `models.estimator.ensemble.FORMS`, or a factory."""
    if form in FORMS:
        return fit_forms(rows, specs, seed=seed)[form]
    return fit_on(custom_estimator(form, seed=seed), rows, specs)


def _is_classifier(estimator: object) -> bool:
    try:
        return is_classifier(estimator) and callable(getattr(estimator, "fit", None))
    except (AttributeError, TypeError):
        return False


def _takes_missing(estimator: BaseEstimator) -> bool:
    """Tell whether a classifier takes NaN; a pipeline does if each of its steps does, up to an imputer."""
    if not isinstance(estimator, Pipeline):
        return bool(get_tags(estimator).input_tags.allow_nan)
    for _, step in estimator.steps:
        if step is None or step == "passthrough":
            continue
        if not _takes_missing(step):
            return False
        if isinstance(step, SimpleImputer | KNNImputer):
            break
    return True


def _weight_argument(estimator: BaseEstimator, weight: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the argument by which a classifier takes weights, or none where it takes none."""
    prefix = ""
    while isinstance(estimator, Pipeline):
        step, estimator = estimator.steps[-1]
        prefix += f"{step}__"
    return {f"{prefix}sample_weight": weight} if has_fit_parameter(estimator, "sample_weight") else {}


def _log_odds(estimator: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    if not hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.decision_function(x), dtype=np.float64)
    probability = np.asarray(estimator.predict_proba(x), dtype=np.float64)[:, 1]
    return np.asarray(logit(np.clip(probability, SURE, 1 - SURE)), dtype=np.float64)
