"""The bent half of the estimator: gradient boosted trees with known directions, as large as the labels allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from features.spec import FeatureSpec

THREADS = 1
"""OpenMP threads spin while they wait: beside another busy process two of them are ten times slower than one."""
MAX_TREES = 200
FRAUDS_A_LEAF = 25
"""A tree may have one leaf for so many frauds, within ``LEAVES``: what splits further remembers single sellers."""
LEAVES = (4, 31)
ROWS_SHARE_A_LEAF = 0.01
LEAF_ROWS = (5, 50)


def fit_trees(
    x: NDArray[np.float64], y: NDArray[np.float64], specs: Sequence[FeatureSpec], *, trees: int, seed: int
) -> HistGradientBoostingClassifier:
    """Fit a given number of trees; their number is chosen outside, on rows they have not seen.

    Neither class is resampled or weighted: both would make every probability a lie that calibration must then undo.

    Parameters
    ----------
    x
        Features, shape (rows, features), NaN for missing.
    y
        1 fraud, 0 legit, shape (rows,); both must occur.
    specs
        The features, of which the directions are taken.
    trees
        How many.
    seed
        The same rows and seed give the same trees to the last bit.
    """
    estimator = HistGradientBoostingClassifier(
        learning_rate=0.08,
        max_iter=trees,
        max_leaf_nodes=int(np.clip(y.sum() // FRAUDS_A_LEAF, *LEAVES)),
        min_samples_leaf=int(np.clip(len(y) * ROWS_SHARE_A_LEAF, *LEAF_ROWS)),
        l2_regularization=1.0,
        monotonic_cst=[spec.direction for spec in specs],
        early_stopping=False,
        random_state=seed,
    )
    with threadpool_limits(limits=THREADS, user_api="openmp"):
        return estimator.fit(_binnable(x), y)


def tree_margins(estimator: HistGradientBoostingClassifier, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-odds of all trees together, shape (rows,)."""
    with threadpool_limits(limits=THREADS, user_api="openmp"):
        return np.asarray(estimator.decision_function(x), dtype=np.float64)


def growing_margins(estimator: HistGradientBoostingClassifier, x: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield the log-odds of the first tree, of the first two, and so on; each of shape (rows,)."""
    with threadpool_limits(limits=THREADS, user_api="openmp"):
        for margins in estimator.staged_decision_function(x):
            yield margins.ravel()


def _binnable(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make features that every row lacks constant: scikit-learn 1.9 cannot bin them, and never splits on a constant."""
    return np.where(np.isnan(x).all(axis=0), 0.0, x)
