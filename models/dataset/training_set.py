"""What an estimator learns from: features, the rule's opinion of them, answers, and how much each row counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.dataset.examples import feature_matrix
from models.estimator.rule import rule_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from features.spec import FeatureSpec

OPINION_DIRECTION = 1
"""The rule's log-odds only ever speak for fraud, and so they may be given a weight but never a negative one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """Rows to fit on.

    Parameters
    ----------
    x
        Features, shape (rows, features), NaN for missing.
    opinion
        The documented rule's log-odds of each row, shape (rows,): what is known without a single label.
    y
        1 fraud, 0 legit, shape (rows,).
    weight
        Listings that each row stands for, positive, shape (rows,).
    """

    x: NDArray[np.float64]
    opinion: NDArray[np.float64]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]

    def take(self, rows: NDArray[np.int64]) -> Lesson:
        """Return some of the rows."""
        return Lesson(x=self.x[rows], opinion=self.opinion[rows], y=self.y[rows], weight=self.weight[rows])

    @property
    def stacked(self) -> NDArray[np.float64]:
        """Features and, as the last column, the rule's opinion; shape (rows, features + 1)."""
        return stacked(self.x, self.opinion)


def stacked(x: NDArray[np.float64], opinion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return features with the rule's opinion as one more column."""
    return np.column_stack([x, opinion])


def lesson_of(rows: pd.DataFrame, specs: Sequence[FeatureSpec]) -> Lesson:
    """Make a lesson of rows with ``y`` (0 or 1) and the features; ``weight`` is 1 where there is no such column."""
    x = feature_matrix(rows, specs)
    weight = rows["weight"].to_numpy("float64") if "weight" in rows else np.ones(len(rows))
    return Lesson(x=x, opinion=rule_for(specs).margins(x), y=rows["y"].to_numpy("float64"), weight=weight)
