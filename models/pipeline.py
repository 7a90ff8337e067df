"""The estimator: a line and gradient boosted trees with known directions, weighed and calibrated on held out rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from models.calibration import Calibration, calibrate
from models.examples import feature_matrix
from models.holding_out import MIN_FIT, held_out, require_both
from models.line import Line, fit_line
from models.trees import MAX_TREES, fit_trees, growing_margins, tree_margins

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from sklearn.ensemble import HistGradientBoostingClassifier

    from features.spec import FeatureSpec

MIN_CALIBRATION = 5
"""Least number of held out rows of each class to weigh and calibrate on."""
MOSTLY_LINE = (0.75, 0.25)
CAUTION = 20.0
"""Nats of likelihood for each squared step away from ``MOSTLY_LINE``: among a few hundred rows chance alone favours one
half by some ten nats, among thousands the better half wins by more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """What was learned, and the features of an ordinary legit listing.

    Parameters
    ----------
    line, trees
        The two halves, each fitted on all decided rows.
    shares
        Weights of the halves' log-odds, none negative, so that known directions hold for the sum.
    calibration
        From the weighted log-odds of held out rows to probabilities.
    reference
        Shape (features,): the median over legit rows, NaN where most of them lack the feature.
    fit_rows
        How many decided rows were learned from.
    """

    line: Line
    trees: HistGradientBoostingClassifier
    shares: tuple[float, float]
    calibration: Calibration
    reference: NDArray[np.float64]
    fit_rows: int

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return raw log-odds, shape (rows,)."""
        if not len(x):
            return np.empty(0)
        of_line, of_trees = self.shares
        return of_line * self.line.margins(x) + of_trees * tree_margins(self.trees, x)

    def probabilities(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated probabilities of fraud, shape (rows,)."""
        return self.calibration(self.margins(x))


def fit(decided: pd.DataFrame, specs: Sequence[FeatureSpec], *, seed: int) -> Fitted:
    """Fit on all rows, after held out ones said how many trees, how much of each half, and what a margin means.

    Few labels make a line and many make trees the better half; the held out rows decide (stacking with weights that
    are not negative: Wolpert 1992, Breiman 1996).

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
        When a class is too rare to fit on, or to hold some of it out.
    """
    x, y = feature_matrix(decided, specs), decided["y"].to_numpy("float64")
    require_both(y, MIN_FIT, "to fit on")
    rows, halves, trees = _held_out_margins(decided, x, specs, seed=seed)
    shares = _shares(halves, y[rows])
    return Fitted(
        line=fit_line(x, y, specs),
        trees=fit_trees(x, y, specs, trees=trees, seed=seed),
        shares=shares,
        calibration=calibrate(halves @ shares, y[rows]),
        reference=ordinary(x[y == 0]),
        fit_rows=len(y),
    )


def _held_out_margins(
    decided: pd.DataFrame, x: NDArray[np.float64], specs: Sequence[FeatureSpec], *, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Return the rows held out, both halves' log-odds of them, shape (rows, 2), and the best number of trees."""
    y = decided["y"].to_numpy("float64")
    parts = list(held_out(decided))
    rows = np.concatenate([held for _, held in parts]) if parts else np.empty(0, dtype=np.int64)
    require_both(y[rows], MIN_CALIBRATION, "to hold out, apart by seller and photo")
    straight = np.concatenate([fit_line(x[known], y[known], specs).margins(x[held]) for known, held in parts])
    growing = np.concatenate([_growing(x, y, known, held, specs, seed) for known, held in parts], axis=1)
    best = int(np.argmin(_log_loss(growing, y[rows])))
    return rows, np.stack([straight, growing[best]], axis=1), best + 1


def _growing(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    known: NDArray[np.int64],
    held: NDArray[np.int64],
    specs: Sequence[FeatureSpec],
    seed: int,
) -> NDArray[np.float64]:
    """Return the held out rows' log-odds after each tree, shape (trees, rows)."""
    estimator = fit_trees(x[known], y[known], specs, trees=MAX_TREES, seed=seed)
    return np.stack(list(growing_margins(estimator, x[held])))


def _log_loss(margins: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean logistic loss over the last axis."""
    return np.asarray(np.logaddexp(0, np.where(y == 1, -margins, margins)).mean(axis=-1))


def _shares(halves: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Weigh the halves by the likelihood of held out rows, starting from mostly the line."""
    side = np.where(y == 1, 1.0, -1.0)
    start = np.array([*MOSTLY_LINE, 0.0])

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        towards = side * (halves @ at[:2] + at[2])
        pull = -side * expit(-towards)
        away = at[:2] - MOSTLY_LINE
        value = np.logaddexp(0, -towards).sum() + CAUTION * away @ away
        return float(value), np.append(halves.T @ pull + 2 * CAUTION * away, pull.sum())

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
