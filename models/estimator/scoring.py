"""Scores, ranks and bands of listings, and how much each feature speaks for fraud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from data.errors import ModelError
from models.estimator.scorer import feature_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from features.spec import FeatureSpec
    from models.estimator.scorer import Scorer

ROWS_AT_ONCE = 20_000
"""To be asked about in one call, some 10 MB: for a single listing the calls are what takes long, not the rows."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """What scoring says of each row, on the index of the features.

    Parameters
    ----------
    table
        ``score`` (probability), ``rank`` (int64, 1 is the most suspicious of these rows), ``band``, ``model_id``.
    contributions
        One float64 column a feature: log-odds, positive speaks for fraud.
    """

    table: pd.DataFrame
    contributions: pd.DataFrame


def score(features: pd.DataFrame, scorer: Scorer, specs: Sequence[FeatureSpec]) -> ScoreTable:
    """Score listings.

    Equal probabilities are ranked by the raw margin, then by the order of the rows.

    Parameters
    ----------
    features
        Has every column of ``specs``; other columns are not looked at.
    scorer
        A trained model or the rule.
    specs
        The list the features were built with.

    Raises
    ------
    ModelError
        When the scorer was made for other features, or a column is missing.
    """
    names = tuple(spec.name for spec in specs)
    if scorer.feature_names != names:
        raise ModelError(
            scorer.model_id,
            f"it takes the features {', '.join(scorer.feature_names)}, found {', '.join(names)}",
            "Train a new model with `seenbefore train`",
        )
    x = feature_matrix(features, specs)
    margins = scorer.margins(x)
    probability = scorer.probabilities(margins)
    order = np.lexsort((np.arange(len(x)), -margins, -probability))
    rank = np.empty(len(x), dtype=np.int64)
    rank[order] = np.arange(1, len(x) + 1)
    table = pd.DataFrame(
        {"score": probability, "rank": rank, "band": scorer.bands.names(probability), "model_id": scorer.model_id},
        index=features.index,
    ).astype({"band": "str", "model_id": "str"})
    drops = contributions(scorer, x, margins)
    return ScoreTable(table, pd.DataFrame(drops, index=features.index, columns=list(names)))


def contributions(scorer: Scorer, x: NDArray[np.float64], margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure each feature by exchanging it with an ordinary legit listing's.

    The mean of two exchanges: the row with this one feature made ordinary, and the ordinary listing with this one
    feature of the row. They are the last and the first step of the Shapley sum (Shapley 1953); the first alone would
    find nothing where two features tell the same, the second alone nothing where two must come together.
    A missing feature stays missing and contributes 0.

    Parameters
    ----------
    scorer
        Gives margins and the ordinary listing.
    x
        Features, shape (rows, features).
    margins
        The rows' own margins, shape (rows,).

    Returns
    -------
    ndarray
        Shape of ``x``; positive: speaks for fraud.
    """
    ordinary = scorer.reference
    ordinary_margin = scorer.margins(ordinary[None, :])[0]
    result = np.zeros_like(x)
    together = max(1, ROWS_AT_ONCE // max(1, 2 * len(x)))
    for first in range(0, x.shape[1], together):
        columns = range(first, min(first + together, x.shape[1]))
        exchanges = [_exchanged(x, ordinary, column) for column in columns]
        queries = [rows for exchange in exchanges for rows in (exchange.without, exchange.alone)]
        answers = np.split(scorer.margins(np.concatenate(queries)), np.cumsum([len(rows) for rows in queries])[:-1])
        for column, exchange, without, alone in zip(columns, exchanges, answers[::2], answers[1::2], strict=True):
            last_step = margins[exchange.rows] - without
            first_step = (alone - ordinary_margin)[exchange.at]
            result[exchange.rows, column] = (last_step + first_step) / 2
    return result


class _Exchange(NamedTuple):
    """The rows that have an extraordinary value of a feature, and the rows to be scored about them.

    ``without`` is each row with the feature made ordinary; ``alone`` the ordinary listing with each distinct value, of
    which ``at`` says each row's.
    """

    rows: NDArray[np.int64]
    without: NDArray[np.float64]
    alone: NDArray[np.float64]
    at: NDArray[np.int64]


def _exchanged(x: NDArray[np.float64], ordinary: NDArray[np.float64], column: int) -> _Exchange:
    own = x[:, column]
    rows = np.flatnonzero(~np.isnan(own) & (own != ordinary[column]))
    without = x[rows]
    without[:, column] = ordinary[column]
    values, at = np.unique(own[rows], return_inverse=True)
    alone = np.tile(ordinary, (len(values), 1))
    alone[:, column] = values
    return _Exchange(rows, without, alone, at)
