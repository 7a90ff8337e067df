"""The estimator: a line and gradient boosted trees with known directions, weighed and calibrated on held out rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from models.dataset.training_set import Lesson, lesson_of, stacked
from models.estimator.boosting import MAX_TREES, SHAPES, Shape, fit_trees, growing_margins, tree_margins
from models.estimator.calibration import Calibration, calibrate
from models.estimator.cross_fit import MIN_FIT, held_out, require_both
from models.estimator.linear import RIDGES, Line, fit_line
from models.estimator.rule import Rule, rule_for
from models.estimator.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.ensemble import HistGradientBoostingClassifier

    from features.spec import FeatureSpec

    Margins = NDArray[np.float64]
    Part = tuple[NDArray[np.int64], NDArray[np.int64]]

MIN_CALIBRATION = 5
"""Least number of held out rows of each class to weigh and calibrate on."""
MOSTLY_LINE = (0.75, 0.25)
CAUTION = 20.0
"""Nats of likelihood for each squared step away from ``MOSTLY_LINE``: among a few hundred rows chance alone favours one
half by some ten nats, among thousands the better half wins by more."""
PAIR, LINE_ALONE, TREES_ALONE = "line and trees", "line alone", "trees alone"
"""The forms that an estimator may take."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """What was learned, and the features of an ordinary legit listing.

    Parameters
    ----------
    rule
        The documented rule, whose log-odds both halves take as one more feature.
    line, trees
        The two halves, each fitted on all rows.
    shares
        Weights of the halves' log-odds, none negative, so that known directions hold for the sum.
    calibration
        From the weighted log-odds of held out rows to probabilities.
    reference
        Shape (features,): the median over legit rows, NaN where most of them lack the feature.
    fit_rows
        How many rows were learned from.
    ridge, shape
        The settings of the halves that held out rows chose.
    """

    rule: Rule
    line: Line
    trees: HistGradientBoostingClassifier
    shares: tuple[float, float]
    calibration: Calibration
    reference: NDArray[np.float64]
    fit_rows: int
    ridge: float
    shape: Shape

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return raw log-odds, shape (rows,)."""
        if not len(x):
            return np.empty(0)
        opinion = self.rule.margins(x)
        of_line, of_trees = self.shares
        return of_line * self.line.margins(x, opinion) + of_trees * tree_margins(self.trees, stacked(x, opinion))

    def probabilities(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities of fraud, shape (rows,)."""
        return self.calibration(self.margins(x))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _HeldOut:
    """Decided rows scored by halves that knew nothing of them.

    ``halves`` are log-odds of shape (rows, 2), made with the best ``ridge``, ``shape`` and number of ``trees``.
    """

    halves: NDArray[np.float64]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    ridge: float
    shape: Shape
    trees: int


def fit(taught: pd.DataFrame, specs: Sequence[FeatureSpec], *, seed: int) -> Fitted:
    """Fit the pair of line and trees; see `fit_forms`."""
    return fit_forms(taught, specs, seed=seed)[PAIR]


def fit_forms(taught: pd.DataFrame, specs: Sequence[FeatureSpec], *, seed: int) -> dict[str, Fitted]:
    """Fit on all rows, after held out ones said how strict the line, how large the trees, and what a margin means.

    Few labels make a line and many make trees the better half; the held out rows decide (stacking with weights that
    are not negative: Wolpert 1992, Breiman 1996). Calibrated is on decided rows alone, each with its weight.

    Parameters
    ----------
    taught
        Rows with ``y`` of 0 or 1, in order of time; see `models.dataset.training_rows.taught_rows` for ``weight`` and
        ``weak``.
    specs
        The features and their directions.
    seed
        The same rows and seed give the same predictions to the last bit.

    Returns
    -------
    dict
        The pair, and each half alone.

    Raises
    ------
    NotEnoughLabels
        When a class is too rare to fit on, or to hold some of it out.
    """
    with one_thread():
        pair, known = _fit_pair(taught, specs, seed=seed)
    alone = {LINE_ALONE: (1.0, 0.0), TREES_ALONE: (0.0, 1.0)}
    return {PAIR: pair} | {
        form: replace(pair, shares=each, calibration=_calibrated(known, each)) for form, each in alone.items()
    }


def _fit_pair(taught: pd.DataFrame, specs: Sequence[FeatureSpec], *, seed: int) -> tuple[Fitted, _HeldOut]:
    lesson = lesson_of(taught, specs)
    require_both(lesson.y, MIN_FIT, "to fit on")
    known = _held_out(taught, lesson, specs, seed=seed)
    shares = _shares(known)
    pair = Fitted(
        rule=rule_for(specs),
        line=fit_line(lesson, specs, ridge=known.ridge),
        trees=fit_trees(lesson, specs, trees=known.trees, shape=known.shape, seed=seed),
        shares=shares,
        calibration=_calibrated(known, shares),
        reference=ordinary(lesson.x[lesson.y == 0]),
        fit_rows=len(taught),
        ridge=known.ridge,
        shape=known.shape,
    )
    return pair, known


def _calibrated(known: _HeldOut, shares: tuple[float, float]) -> Calibration:
    return calibrate(known.halves @ shares, known.y, known.weight)


def _held_out(taught: pd.DataFrame, lesson: Lesson, specs: Sequence[FeatureSpec], *, seed: int) -> _HeldOut:
    """Hold out stretches of time, and choose the settings under which the others foretell them best."""
    parts = list(held_out(taught))
    rows = np.concatenate([held for _, held in parts]) if parts else np.empty(0, dtype=np.int64)
    told = lesson.take(rows)
    require_both(told.y, MIN_CALIBRATION, "to hold out, apart by seller and photo")
    lines = np.stack([_line_margins(lesson, parts, specs, ridge) for ridge in RIDGES])
    grown = np.stack([_growing_margins(lesson, parts, specs, shape, seed) for shape in SHAPES])
    best_line = int(np.argmin(_log_loss(lines, told)))
    best_shape, best_trees = np.unravel_index(int(np.argmin(_log_loss(grown, told))), grown.shape[:2])
    return _HeldOut(
        halves=np.stack([lines[best_line], grown[best_shape, best_trees]], axis=1),
        y=told.y,
        weight=told.weight,
        ridge=RIDGES[best_line],
        shape=SHAPES[best_shape],
        trees=int(best_trees) + 1,
    )


def _line_margins(lesson: Lesson, parts: Sequence[Part], specs: Sequence[FeatureSpec], ridge: float) -> Margins:
    """Return the held out rows' log-odds, shape (rows,)."""
    fitted = ((fit_line(lesson.take(known), specs, ridge=ridge), lesson.take(held)) for known, held in parts)
    return np.concatenate([line.margins(held.x, held.opinion) for line, held in fitted])


def _growing_margins(
    lesson: Lesson, parts: Sequence[Part], specs: Sequence[FeatureSpec], shape: Shape, seed: int
) -> Margins:
    """Return the held out rows' log-odds after each tree, shape (trees, rows)."""
    grown = []
    for known, held in parts:
        estimator = fit_trees(lesson.take(known), specs, trees=MAX_TREES, shape=shape, seed=seed)
        grown.append(np.stack(list(growing_margins(estimator, lesson.take(held).stacked))))
    return np.concatenate(grown, axis=1)


def _log_loss(margins: Margins, told: Lesson) -> Margins:
    """Return the weighted mean logistic loss over the last axis."""
    losses = np.logaddexp(0, np.where(told.y == 1, -margins, margins))
    return np.asarray(losses @ told.weight / told.weight.sum())


def _shares(known: _HeldOut) -> tuple[float, float]:
    """Weigh the halves by the likelihood of held out rows, starting from mostly the line."""
    side = np.where(known.y == 1, 1.0, -1.0)
    start = np.array([*MOSTLY_LINE, 0.0])

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        towards = side * (known.halves @ at[:2] + at[2])
        pull = -side * known.weight * expit(-towards)
        away = at[:2] - MOSTLY_LINE
        value = known.weight @ np.logaddexp(0, -towards) + CAUTION * away @ away
        return float(value), np.append(known.halves.T @ pull + 2 * CAUTION * away, pull.sum())

    found = minimize(loss, start, jac=True, bounds=[(0, None), (0, None), (None, None)], method="L-BFGS-B")
    return float(found.x[0]), float(found.x[1])


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
