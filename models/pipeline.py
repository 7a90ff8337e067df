"""The estimator: gradient boosted trees with known directions, calibrated on a later stretch of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from data.errors import NotEnoughLabels
from models.calibration import Calibration, calibrate
from models.examples import feature_matrix
from models.split import apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from features.spec import FeatureSpec

THREADS = 1
"""OpenMP threads spin while they wait: beside another busy process two of them are ten times slower than one."""
CALIBRATION_SHARE = 0.3
"""Share of the frauds, the latest ones, whose stretch of time is kept for calibration."""
MIN_FIT = 10
MIN_CALIBRATION = 5
"""Least number of decided rows of each class to fit and to calibrate on."""
MAX_TREES = 300
PATIENCE_TREES = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """An estimator, its calibration and the features of an ordinary legit listing.

    ``reference`` has shape (features,): the median over legit rows, NaN where most of them lack the feature.
    """

    estimator: HistGradientBoostingClassifier
    calibration: Calibration
    reference: NDArray[np.float64]
    fit_rows: int

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return raw log-odds, shape (rows,)."""
        if not len(x):
            return np.empty(0)
        with threadpool_limits(limits=THREADS, user_api="openmp"):
            return np.asarray(self.estimator.decision_function(x), dtype=np.float64)

    def probabilities(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities of fraud, shape (rows,)."""
        return self.calibration(self.margins(x))


def fit(decided: pd.DataFrame, specs: Sequence[FeatureSpec], *, seed: int) -> Fitted:
    """Fit on the earlier rows, stop growing and calibrate on the later ones.

    Neither class is resampled or weighted: both would make every probability a lie that calibration must then undo.
    Rows for the fit that share a seller or photos with the calibration rows are left out, so that calibration meets
    strangers as scoring will.

    Parameters
    ----------
    decided
        Examples with ``y`` of 0 or 1, in order of time.
    specs
        The features and their directions.
    seed
        The same rows and seed give the same predictions to the last bit.

    Raises
    ------
    NotEnoughLabels
        When one side of the division lacks a class.
    """
    earlier, later = _divided(decided)
    x, y = feature_matrix(decided, specs), decided["y"].to_numpy("float64")
    estimator = HistGradientBoostingClassifier(
        learning_rate=0.06,
        max_iter=MAX_TREES,
        max_leaf_nodes=15,
        min_samples_leaf=int(np.clip(len(earlier) // 50, 5, 50)),
        l2_regularization=1.0,
        monotonic_cst=[spec.direction for spec in specs],
        early_stopping=True,
        n_iter_no_change=PATIENCE_TREES,
        random_state=seed,
    )
    with threadpool_limits(limits=THREADS):
        estimator.fit(_binnable(x[earlier]), y[earlier], X_val=x[later], y_val=y[later])
        calibration = calibrate(estimator.decision_function(x[later]), y[later])
    return Fitted(
        estimator=estimator,
        calibration=calibration,
        reference=ordinary(x[y == 0]),
        fit_rows=len(earlier),
    )


def _binnable(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make features that every row lacks constant: scikit-learn 1.9 cannot bin them, and never splits on a constant."""
    return np.where(np.isnan(x).all(axis=0), 0.0, x)


def _divided(decided: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to fit on and the later rows to calibrate on."""
    y = decided["y"]
    frauds_at = decided.loc[y == 1, "as_of"]
    if frauds_at.empty:
        raise _too_few(y, MIN_FIT, "to fit on")
    cut = frauds_at.quantile(1 - CALIBRATION_SHARE, interpolation="lower")
    later = np.flatnonzero(decided["as_of"] > cut)
    earlier = apart(decided, np.flatnonzero(decided["as_of"] <= cut), later)
    for rows, needed, what_for in (
        (earlier, MIN_FIT, "to fit on"),
        (later, MIN_CALIBRATION, "to calibrate on"),
    ):
        if y.iloc[rows].value_counts().reindex([0.0, 1.0], fill_value=0).min() < needed:
            raise _too_few(y.iloc[rows], needed, what_for)
    return earlier, later


def _too_few(y: pd.Series, needed: int, what_for: str) -> NotEnoughLabels:
    return NotEnoughLabels(fraud=int((y == 1).sum()), legit=int((y == 0).sum()), needed=needed, what_for=what_for)


def ordinary(legit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each column, or NaN where more than half of the rows lack it."""
    mostly_missing = np.isnan(legit).mean(axis=0) > 0.5
    filled = np.where(mostly_missing, 0.0, legit)
    return np.where(mostly_missing, np.nan, np.nanmedian(filled, axis=0))


def logistic(seed: int) -> Pipeline:
    """Return the linear baseline: missing values get the median and a flag of their own."""
    return make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=1_000, random_state=seed),
    )
