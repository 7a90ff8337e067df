"""How much each feature of a row speaks for fraud, in log-odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.scorer import Scorer


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
    for column in range(x.shape[1]):
        own = x[:, column]
        rows = np.flatnonzero(~np.isnan(own) & (own != ordinary[column]))
        if not rows.size:
            continue
        without = x[rows]
        without[:, column] = ordinary[column]
        values, at = np.unique(own[rows], return_inverse=True)
        alone = np.tile(ordinary, (len(values), 1))
        alone[:, column] = values
        last_step = margins[rows] - scorer.margins(without)
        first_step = (scorer.margins(alone) - ordinary_margin)[at]
        result[rows, column] = (last_step + first_step) / 2
    return result
