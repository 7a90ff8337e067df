"""Every decided row scored by an estimator that knew neither it, nor its seller, nor its photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.errors import NotEnoughLabels
from models.dataset.splits import apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

STRETCHES = 5
MIN_FIT = 10
"""Least number of decided rows of each class to fit on."""


def held_out(decided: pd.DataFrame) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Cut the rows into consecutive stretches of time with equally many frauds, and hold out each in turn.

    A random division would put listings of one day, one burst, one theft on both sides. The rows to fit on come from
    before and after the held out stretch; those that share a seller or photos with it are left out.

    Parameters
    ----------
    decided
        Examples with ``y`` of 0 or 1, in order of time; rows marked in a ``weak`` column, if there is one, are never
        held out: nobody decided on them, and so nothing can be judged by them.

    Yields
    ------
    (fit, held)
        Row numbers. A stretch without enough left to fit on is passed over.
    """
    y = decided["y"].to_numpy("float64")
    firm = ~decided["weak"].to_numpy(bool) if "weak" in decided else np.ones(len(y), dtype=bool)
    stretch = _stretches(y)
    for number in np.unique(stretch):
        held = np.flatnonzero((stretch == number) & firm)
        fit = apart(decided, np.flatnonzero(stretch != number), held)
        if min(y[fit].sum(), (1 - y[fit])[firm[fit]].sum()) >= MIN_FIT:
            yield fit, held


def require_both(y: NDArray[np.float64], needed: int, what_for: str) -> None:
    """Raise `NotEnoughLabels` unless both classes occur at least ``needed`` times."""
    fraud, legit = int((y == 1).sum()), int((y == 0).sum())
    if min(fraud, legit) < needed:
        raise NotEnoughLabels(fraud=fraud, legit=legit, needed=needed, what_for=what_for)


def _stretches(y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of each row's stretch, from 0; all but the first begin with a fraud."""
    earlier_frauds = np.maximum(np.cumsum(y) - 1, 0)
    return np.asarray(earlier_frauds * STRETCHES // max(y.sum(), 1), dtype=np.int64)
