"""How much an evaluation flatters: what a split promised, and what the untouched period after it brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.evaluation.metrics import average_precision, resampled, span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

OURS = "in order of time, sellers and photos apart"
RANDOM_SPLIT = "drawn at random"
OPTIMISM_COLUMNS = ("split", "decided", "promised", "low", "high", "gap", "gap_low", "gap_high")
CAME = "what came next"


def optimism(promised: Mapping[str, pd.DataFrame], later: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Set the average precision that each split promised beside the one of the next, untouched period.

    Parameters
    ----------
    promised
        For each split its test rows, decided only: ``y, seller_key, score``, each by a model that the split lets
        judge it.
    later
        The same of the period after the one the splits were made of, scored by the model of all of that.
    seed
        Of the bootstrap by seller.

    Returns
    -------
    pandas.DataFrame
        ``OPTIMISM_COLUMNS``, one row for each split and one, named `CAME`, for what was measured; ``gap`` is what was
        promised less what came: above zero the split flattered. NaN where a side has only one class. The two sides
        are resampled apart from each other.
    """
    measured, measured_draws = _average_precision(later, seed + 1)
    rows = [(CAME, len(later), measured, *span(measured_draws), np.nan, np.nan, np.nan)]
    for split, scored in promised.items():
        value, draws = _average_precision(scored, seed)
        gap = (value - measured, *span(draws - measured_draws))
        rows.append((split, len(scored), value, *span(draws), *gap))
    return pd.DataFrame(rows, columns=list(OPTIMISM_COLUMNS))


def _average_precision(scored: pd.DataFrame, seed: int) -> tuple[float, NDArray[np.float64]]:
    y = scored["y"].to_numpy("float64")
    statistic = average_precision(y, scored["score"].to_numpy("float64"))
    return statistic(np.ones(len(y))), resampled(statistic, scored["seller_key"].to_numpy("int64"), seed=seed)
