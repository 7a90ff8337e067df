"""The bent half of the estimator: gradient boosted trees with known directions, as large as the labels allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from models.dataset.training_set import OPINION_DIRECTION
from models.estimator.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from features.spec import FeatureSpec
    from models.dataset.training_set import Lesson

MAX_TREES = 200


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


def fit_trees(
    lesson: Lesson, specs: Sequence[FeatureSpec], *, trees: int, shape: Shape, seed: int
) -> HistGradientBoostingClassifier:
    """Fit a given number of trees; their number is chosen outside, on rows they have not seen.

    To be called within `models.estimator.threads.one_thread`. The rule's opinion is one more column that they may
    split on, in
    its known direction. Neither class is resampled or weighted for being rare: both would make every probability a lie
    that calibration must then undo.

    Parameters
    ----------
    lesson
        What to learn from; both classes must occur.
    specs
        The features, of which the directions are taken.
    trees
        How many.
    shape
        One of `SHAPES`.
    seed
        The same rows and seed give the same trees to the last bit.
    """
    rows = len(lesson.y)
    estimator = HistGradientBoostingClassifier(
        learning_rate=shape.learning_rate,
        max_iter=trees,
        max_bins=BINS,
        max_leaf_nodes=int(np.clip(lesson.y.sum() // shape.frauds_a_leaf, *LEAVES)),
        min_samples_leaf=int(np.clip(rows * ROWS_SHARE_A_LEAF, *LEAF_ROWS)),
        l2_regularization=1.0,
        monotonic_cst=[*(spec.direction for spec in specs), OPINION_DIRECTION],
        early_stopping=False,
        random_state=seed,
    )
    x, alike = _binnable(lesson.stacked), (lesson.weight == lesson.weight[0]).all()
    if alike:
        return estimator.fit(x, lesson.y)
    return estimator.fit(_coarse(x), lesson.y, sample_weight=lesson.weight)


def tree_margins(estimator: HistGradientBoostingClassifier, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-odds of all trees together, shape (rows,), for stacked rows of shape (rows, features + 1)."""
    with one_thread():
        return np.asarray(estimator.decision_function(x), dtype=np.float64)


def growing_margins(estimator: HistGradientBoostingClassifier, x: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield the log-odds of the first tree, of the first two, and so on; each of shape (rows,)."""
    for margins in estimator.staged_decision_function(x):
        yield margins.ravel()


def _binnable(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make features that every row lacks constant: scikit-learn 1.9 cannot bin them, and never splits on a constant."""
    return np.where(np.isnan(x).all(axis=0), 0.0, x)


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
