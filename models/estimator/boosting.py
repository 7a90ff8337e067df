"""The boosting member of the ensemble: gradient boosted trees with known directions, as large as the labels allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.estimator.linear import PRIOR_DIRECTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.estimator.cross_fit import Part

MAX_TREES = 200
THREADS = 1
"""OpenMP's and BLAS's threads spin while they wait: beside another busy process two are ten times slower than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a forest grows.

    Parameters
    ----------
    learning_rate
        How much of each tree is added.
    frauds_a_leaf
        A tree may have one leaf for so many frauds, within ``LEAVES``: what splits further remembers single sellers.
    """

    learning_rate: float
    frauds_a_leaf: int


SHAPES = (Shape(learning_rate=0.08, frauds_a_leaf=25), Shape(learning_rate=0.05, frauds_a_leaf=100))
"""Held out rows choose."""
LEAVES = (4, 31)
ROWS_SHARE_A_LEAF = 0.01
LEAF_ROWS = (5, 50)
BINS = 128


def one_thread() -> threadpool_limits:
    """Return a context in which scikit-learn and NumPy compute in one thread; entering it takes 10 ms."""
    return threadpool_limits(limits=THREADS)


def fit_boosting(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    directions: Sequence[int],
    trees: int,
    shape: Shape,
    seed: int | None,
) -> HistGradientBoostingClassifier:
    """Fit a given number of trees; their number is chosen outside, on rows they have not seen.

    To be called within `one_thread`. The prior's log-odds are one more column that they may split on, in their known
    direction. Neither class is resampled or weighted for being rare: both would make every probability a lie that
    calibration must then undo.

    Parameters
    ----------
    x, y, weight
        As for `models.estimator.linear.fit_linear`.
    directions
        Of each feature: +1, -1 or 0.
    trees
        How many.
    shape
        How they grow.
    seed
        The same rows and seed give the same trees to the last bit.
    """
    estimator = HistGradientBoostingClassifier(
        learning_rate=shape.learning_rate,
        max_iter=trees,
        max_bins=BINS,
        max_leaf_nodes=int(np.clip(y.sum() // shape.frauds_a_leaf, *LEAVES)),
        min_samples_leaf=int(np.clip(len(y) * ROWS_SHARE_A_LEAF, *LEAF_ROWS)),
        l2_regularization=1.0,
        monotonic_cst=[*directions, PRIOR_DIRECTION],
        early_stopping=False,
        random_state=seed,
    )
    binnable = without_empty_columns(x)
    if (weight == weight[0]).all():
        return estimator.fit(binnable, y)
    return estimator.fit(_coarse(binnable), y, sample_weight=weight)


def without_empty_columns(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make features that every row lacks constant: scikit-learn 1.9 cannot bin them, and never splits on a constant."""
    return np.where(np.isnan(x).all(axis=0), 0.0, x)


def boosting_margins(estimator: HistGradientBoostingClassifier, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-odds of all trees together, shape (rows,), for rows of shape (rows, features + 1)."""
    with one_thread():
        return np.asarray(estimator.decision_function(x), dtype=np.float64)


def cross_fit_boosting(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    parts: Sequence[Part],
    *,
    directions: Sequence[int],
    trees: int,
    shapes: Sequence[Shape],
    seed: int | None,
) -> NDArray[np.float64]:
    """Return the log-odds of the held out rows of all parts after each tree, shape (shapes, trees, held out rows)."""

    def grown(shape: Shape, part: Part) -> NDArray[np.float64]:
        known, held = part
        estimator = fit_boosting(
            x[known], y[known], weight[known], directions=directions, trees=trees, shape=shape, seed=seed
        )
        return np.stack([margins.ravel() for margins in estimator.staged_decision_function(x[held])])

    return np.stack([np.concatenate([grown(shape, part) for part in parts], axis=1) for shape in shapes])


def _coarse(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring each feature down to ``BINS`` values of its own, the lower edges of equally full stretches.

    scikit-learn 1.9 looks for the edges of its bins one by one where rows have weights, which takes longer than all
    trees together; where there are no more values than bins it takes them as they are.
    """
    coarse = x.copy()
    for column in coarse.T:
        known = ~np.isnan(column)
        values = np.unique(column[known])
        if len(values) > BINS:
            edges = np.unique(np.quantile(column[known], np.linspace(0, 1, BINS, endpoint=False), method="lower"))
            column[known] = edges[np.searchsorted(edges, column[known], side="right") - 1]
    return coarse
