"""The straight half of the estimator: a logistic regression whose weights keep the known directions.

Trees learn a step only where enough labelled rows stand on both sides of it. Copied photos are rare among few labels,
and a line needs two numbers where trees need a forest. It starts from the documented rule, which needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from models.dataset.training_set import OPINION_DIRECTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from features.spec import FeatureSpec
    from models.dataset.training_set import Lesson

RIDGES = (10.0, 30.0, 100.0)
"""Penalties on half the squared weights, in units of one standard deviation: priors that a feature moves the log-odds
by a third, a fifth or a tenth for each deviation. Held out rows choose: few labels want the strictest."""
FAR_BITS = 8
"""Hashes this far apart are of different pictures; how much further says nothing, so that the line ends there."""
MAX_STEPS = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """Log-odds as the rule's opinion and a weighted sum of compressed features.

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
    trust
        How much the rule's log-odds count, not negative; 1 where the labels say nothing about it.
    intercept
        Log-odds where all compressed features and the rule's are 0.
    """

    typical: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    weights: NDArray[np.float64]
    trust: float
    intercept: float

    def margins(self, x: NDArray[np.float64], opinion: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-odds, shape (rows,), for features of shape (rows, features), NaN for missing, and the rule's."""
        compressed = _compressed(x)
        known = np.where(np.isnan(compressed), self.typical, np.clip(compressed, self.low, self.high))
        # Not a matrix product: its rounding depends on how many rows are scored together.
        learned = (known * self.weights).sum(axis=1)
        return np.asarray(learned + self.trust * opinion + self.intercept, dtype=np.float64)


def fit_line(lesson: Lesson, specs: Sequence[FeatureSpec], *, ridge: float) -> Line:
    """Fit by penalised likelihood within the bounds that known directions set.

    The rule is the prior: the penalty pulls the weights of the features to 0 and that of the rule's opinion to 1, so
    that few labels correct the rule and only many replace it.

    Parameters
    ----------
    lesson
        What to learn from; both classes must occur.
    specs
        The features, of which directions and units are taken.
    ridge
        One of `RIDGES`.
    """
    furthest = np.where([spec.unit == "bits" for spec in specs], FAR_BITS, np.inf)
    x = lesson.x
    seen = _compressed(np.minimum(np.where(np.isnan(x).all(axis=0), 0.0, x), furthest))
    typical = np.nanmedian(seen, axis=0)
    inputs = np.column_stack([np.where(np.isnan(seen), typical, seen), lesson.opinion])
    middle, spread = inputs.mean(axis=0), inputs.std(axis=0)
    varies = spread > 0
    deviations = np.divide(inputs - middle, spread, out=np.zeros_like(inputs), where=varies)
    prior = np.append(np.zeros(len(specs)), spread[-1])
    directions = [*(spec.direction for spec in specs), OPINION_DIRECTION]
    weights, intercept = _likeliest(deviations, lesson, directions, prior=prior, ridge=ridge)
    per_unit = np.divide(weights, spread, out=np.zeros_like(weights), where=varies)
    return Line(
        typical=typical,
        low=np.nanmin(seen, axis=0),
        high=np.nanmax(seen, axis=0),
        weights=per_unit[:-1],
        trust=float(per_unit[-1]),
        intercept=float(intercept - middle @ per_unit),
    )


def _compressed(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(x) * np.log1p(np.abs(x))


def _likeliest(
    deviations: NDArray[np.float64],
    lesson: Lesson,
    directions: Sequence[int],
    *,
    prior: NDArray[np.float64],
    ridge: float,
) -> tuple[NDArray[np.float64], float]:
    """Minimise logistic loss plus ridge around ``prior``; the intercept is free of both penalty and bounds."""
    side = np.where(lesson.y == 1, 1.0, -1.0)

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, intercept = at[:-1], at[-1]
        towards = side * (deviations @ weights + intercept)
        pull = -side * lesson.weight * expit(-towards)
        away = weights - prior
        value = lesson.weight @ np.logaddexp(0, -towards) + ridge / 2 * away @ away
        return float(value), np.append(deviations.T @ pull + ridge * away, pull.sum())

    bounds = [(0 if direction > 0 else None, 0 if direction < 0 else None) for direction in directions]
    start = np.append(prior, 0.0)
    options = {"maxiter": MAX_STEPS}
    found = minimize(loss, start, jac=True, bounds=[*bounds, (None, None)], method="L-BFGS-B", options=options)
    return found.x[:-1], float(found.x[-1])
