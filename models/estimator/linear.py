"""The linear member of the ensemble: a logistic regression whose weights keep the known directions.

Trees learn a step only where enough labelled rows stand on both sides of it. Copied photos are rare among few labels,
and a line needs two numbers where trees need a forest. It starts from a prior, the documented rule, which needs none.
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

    from models.estimator.cross_fit import Part

RIDGES = (10.0, 30.0, 100.0)
"""Penalties on half the squared weights, in units of one standard deviation: priors that a feature moves the log-odds
by a third, a fifth or a tenth for each deviation. Held out rows choose: few labels want the strictest."""
PRIOR_DIRECTION = 1
"""The prior's log-odds may be given a weight but never a negative one."""
MAX_STEPS = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearMember:
    """Log-odds as the prior's log-odds and a weighted sum of compressed features.

    A feature ``v`` is compressed to ``sign(v) · log(1 + |v|)``, so that the tenth copied photo counts for less than
    the second, and kept within what was seen in training: a line must not run on where nobody has looked.

    Parameters
    ----------
    typical
        Compressed value that stands for a missing one (the median), shape (features,).
    low, high
        Least and greatest compressed value seen, shape (features,), none above the feature's limit.
    weights
        Log-odds for each unit of a compressed feature, shape (features,); never against its known direction.
    prior_weight
        How much the prior's log-odds count, not negative; 1 where the labels say nothing about it.
    intercept
        Log-odds where all compressed features and the prior's are 0.
    """

    typical: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    weights: NDArray[np.float64]
    prior_weight: float
    intercept: float

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-odds, shape (rows,), for features and, as the last column, the prior's log-odds."""
        compressed = _compressed(x[:, :-1])
        known = np.where(np.isnan(compressed), self.typical, np.clip(compressed, self.low, self.high))
        # Not a matrix product: its rounding depends on how many rows are scored together.
        learned = (known * self.weights).sum(axis=1)
        return np.asarray(learned + self.prior_weight * x[:, -1] + self.intercept, dtype=np.float64)


def fit_linear(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    directions: Sequence[int],
    limits: Sequence[float],
    ridge: float,
) -> LinearMember:
    """Fit by penalised likelihood within the bounds that known directions set.

    The penalty pulls the weights of the features to 0 and that of the prior to 1, so that few labels correct the prior
    and only many replace it.

    Parameters
    ----------
    x
        Features with NaN for missing and, as the last column, the prior's log-odds; shape (rows, features + 1).
    y, weight
        1 fraud or 0 legit, both must occur, and listings that each row stands for; shape (rows,).
    directions, limits
        Of each feature: +1, -1 or 0, and the value beyond which more of it says nothing (infinite: none).
    ridge
        Penalty on half the squared weights, as in `RIDGES`.
    """
    features = x[:, :-1]
    seen = _compressed(np.minimum(np.where(np.isnan(features).all(axis=0), 0.0, features), np.asarray(limits)))
    typical = np.nanmedian(seen, axis=0)
    inputs = np.column_stack([np.where(np.isnan(seen), typical, seen), x[:, -1]])
    middle, spread = inputs.mean(axis=0), inputs.std(axis=0)
    varies = spread > 0
    deviations = np.divide(inputs - middle, spread, out=np.zeros_like(inputs), where=varies)
    prior = np.append(np.zeros(len(directions)), spread[-1])
    weights, intercept = _likeliest(
        deviations, y, weight, directions=[*directions, PRIOR_DIRECTION], prior=prior, ridge=ridge
    )
    per_unit = np.divide(weights, spread, out=np.zeros_like(weights), where=varies)
    return LinearMember(
        typical=typical,
        low=np.nanmin(seen, axis=0),
        high=np.nanmax(seen, axis=0),
        weights=per_unit[:-1],
        prior_weight=float(per_unit[-1]),
        intercept=float(intercept - middle @ per_unit),
    )


def cross_fit_linear(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    parts: Sequence[Part],
    *,
    directions: Sequence[int],
    limits: Sequence[float],
    ridges: Sequence[float],
) -> NDArray[np.float64]:
    """Return the log-odds of the held out rows of all parts under each ridge, shape (ridges, held out rows)."""

    def held_out(ridge: float) -> NDArray[np.float64]:
        fitted = (
            fit_linear(x[known], y[known], weight[known], directions=directions, limits=limits, ridge=ridge)
            for known, _ in parts
        )
        return np.concatenate([member.margins(x[held]) for member, (_, held) in zip(fitted, parts, strict=True)])

    return np.stack([held_out(ridge) for ridge in ridges])


def _compressed(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(x) * np.log1p(np.abs(x))


def _likeliest(
    deviations: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    directions: Sequence[int],
    prior: NDArray[np.float64],
    ridge: float,
) -> tuple[NDArray[np.float64], float]:
    """Minimise logistic loss plus ridge around ``prior``; the intercept is free of both penalty and bounds."""
    side = np.where(y == 1, 1.0, -1.0)

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, intercept = at[:-1], at[-1]
        towards = side * (deviations @ weights + intercept)
        pull = -side * weight * expit(-towards)
        away = weights - prior
        value = weight @ np.logaddexp(0, -towards) + ridge / 2 * away @ away
        return float(value), np.append(deviations.T @ pull + ridge * away, pull.sum())

    bounds = [(0 if direction > 0 else None, 0 if direction < 0 else None) for direction in directions]
    start = np.append(prior, 0.0)
    options = {"maxiter": MAX_STEPS}
    best = minimize(loss, start, jac=True, bounds=[*bounds, (None, None)], method="L-BFGS-B", options=options)
    return best.x[:-1], float(best.x[-1])
