"""How much each feature of a row speaks for fraud, in log-odds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.estimator.scorer import Scorer

ROWS_AT_ONCE = 20_000
"""To be asked about in one call, some 10 MB: for a single listing the calls are what takes long, not the rows."""


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
        asked = [rows for exchange in exchanges for rows in (exchange.without, exchange.alone)]
        answers = np.split(scorer.margins(np.concatenate(asked)), np.cumsum([len(rows) for rows in asked])[:-1])
        for column, exchange, without, alone in zip(columns, exchanges, answers[::2], answers[1::2], strict=True):
            last_step = margins[exchange.rows] - without
            first_step = (alone - ordinary_margin)[exchange.at]
            result[exchange.rows, column] = (last_step + first_step) / 2
    return result


class _Exchange(NamedTuple):
    """The rows that have an extraordinary value of a feature, and what is to be asked about them.

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
