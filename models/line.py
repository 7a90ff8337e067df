"""The straight half of the estimator: a logistic regression whose weights keep the known directions.

Trees learn a step only where enough labelled rows stand on both sides of it. Copied photos are rare among few labels,
and a line needs two numbers where trees need a forest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from features.spec import FeatureSpec

RIDGE = 10.0
"""Penalty on half the squared weights, in units of one standard deviation: a prior that a feature moves the log-odds
by a third for each deviation. A few hundred labels override it; without it they would be fitted one by one."""
FAR_BITS = 8
"""Hashes this far apart are of different pictures; how much further says nothing, so that the line ends there."""
MAX_STEPS = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """Log-odds as a weighted sum of compressed features.

    A feature ``v`` is compressed to ``sign(v) · log(1 + |v|)``, so that the tenth copied photo counts for less than
    the second, and kept within what was seen in training: a line must not run on where nobody has looked.

    Parameters
    ----------
    typical
        Compressed value that stands for a missing one (the median), shape (features,).
    low, high
        Least and greatest compressed value seen, shape (features,); distances end at ``FAR_BITS``.
    weights
        Log-odds for each unit of a compressed feature, shape (features,); never against its known direction.
    intercept
        Log-odds where all compressed features are 0.
    """

    typical: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercept: float

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-odds, shape (rows,), for features of shape (rows, features) with NaN for missing."""
        compressed = _compressed(x)
        known = np.where(np.isnan(compressed), self.typical, np.clip(compressed, self.low, self.high))
        # Not a matrix product: its rounding depends on how many rows are scored together.
        return np.asarray((known * self.weights).sum(axis=1) + self.intercept, dtype=np.float64)


def fit_line(x: NDArray[np.float64], y: NDArray[np.float64], specs: Sequence[FeatureSpec]) -> Line:
    """Fit by penalised likelihood within the bounds that known directions set.

    Parameters
    ----------
    x
        Features, shape (rows, features), NaN for missing.
    y
        1 fraud, 0 legit, shape (rows,); both must occur.
    specs
        The features, of which directions and units are taken.
    """
    furthest = np.where([spec.unit == "bits" for spec in specs], FAR_BITS, np.inf)
    seen = _compressed(np.minimum(np.where(np.isnan(x).all(axis=0), 0.0, x), furthest))
    typical = np.nanmedian(seen, axis=0)
    filled = np.where(np.isnan(seen), typical, seen)
    middle, spread = filled.mean(axis=0), filled.std(axis=0)
    varies = spread > 0
    deviations = np.divide(filled - middle, spread, out=np.zeros_like(filled), where=varies)
    weights, intercept = _likeliest(deviations, y, [spec.direction for spec in specs])
    per_unit = np.divide(weights, spread, out=np.zeros_like(weights), where=varies)
    return Line(
        typical=typical,
        low=np.nanmin(seen, axis=0),
        high=np.nanmax(seen, axis=0),
        weights=per_unit,
        intercept=float(intercept - middle @ per_unit),
    )


def _compressed(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(x) * np.log1p(np.abs(x))


def _likeliest(
    deviations: NDArray[np.float64], y: NDArray[np.float64], directions: Sequence[int]
) -> tuple[NDArray[np.float64], float]:
    """Minimise logistic loss plus ridge; the intercept is free of both penalty and bounds."""
    side = np.where(y == 1, 1.0, -1.0)

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, intercept = at[:-1], at[-1]
        towards = side * (deviations @ weights + intercept)
        pull = -side * expit(-towards)
        value = np.logaddexp(0, -towards).sum() + RIDGE / 2 * weights @ weights
        return float(value), np.append(deviations.T @ pull + RIDGE * weights, pull.sum())

    bounds = [(0 if direction > 0 else None, 0 if direction < 0 else None) for direction in directions]
    start = np.zeros(len(directions) + 1)
    options = {"maxiter": MAX_STEPS}
    found = minimize(loss, start, jac=True, bounds=[*bounds, (None, None)], method="L-BFGS-B", options=options)
    return found.x[:-1], float(found.x[-1])
