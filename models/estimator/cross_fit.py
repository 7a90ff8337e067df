"""Every decided row scored by an estimator that knew neither it, nor its seller, nor its photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.errors import NotEnoughLabels
from models.dataset.splits import apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

Part = tuple["NDArray[np.int64]", "NDArray[np.int64]"]
"""Row numbers to fit on, and row numbers that are held out."""

STRETCHES = 5
MIN_FIT = 10
"""Least number of decided rows of each class to fit on."""
MIN_HELD_OUT = 5
"""Least number of held out rows of each class to choose, weigh and calibrate by."""


def cross_fit_parts(y: NDArray[np.float64], groups: NDArray[np.int64], weak: NDArray[np.bool_]) -> list[Part]:
    """Cut the rows into consecutive stretches of time with equally many frauds, and hold out each in turn.

    A random division would put listings of one day, one burst, one theft on both sides. The rows to fit on come from
    before and after the held out stretch; those that share a seller or photos with it are left out.

    Parameters
    ----------
    y
        0 or 1, shape (rows,), in order of time.
    groups
        What must not stand on both sides: a column of numbers for each kind of it, shape (rows, kinds).
    weak
        Rows that nobody decided on, shape (rows,): they are never held out, since nothing can be judged by them.

    Returns
    -------
    list of (fit, held)
        Row numbers. A stretch without enough left to fit on is passed over.
    """
    firm = ~weak
    stretch = _stretches(y)
    parts = []
    for number in np.unique(stretch):
        held = np.flatnonzero((stretch == number) & firm)
        fit = apart(groups, np.flatnonzero(stretch != number), held)
        if min(y[fit].sum(), (1 - y[fit])[firm[fit]].sum()) >= MIN_FIT:
            parts.append((fit, held))
    return parts


def held_out_rows(parts: list[Part]) -> NDArray[np.int64]:
    """Return the held out rows of all parts, one after the other."""
    return np.concatenate([held for _, held in parts]) if parts else np.empty(0, dtype=np.int64)


def require_both(y: NDArray[np.float64], needed: int, what_for: str) -> None:
    """Raise `NotEnoughLabels` unless both classes occur at least ``needed`` times."""
    fraud, legit = int((y == 1).sum()), int((y == 0).sum())
    if min(fraud, legit) < needed:
        raise NotEnoughLabels(fraud=fraud, legit=legit, needed=needed, what_for=what_for)


def require_enough(y: NDArray[np.float64], parts: list[Part]) -> None:
    """Raise `NotEnoughLabels` unless both classes occur often enough to fit on, and among the held out rows."""
    require_both(y, MIN_FIT, "to fit on")
    require_both(y[held_out_rows(parts)], MIN_HELD_OUT, "to hold out, apart by seller and photo")


def ordinary(legit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each column, or NaN where more than half of the rows lack it."""
    mostly_missing = np.isnan(legit).mean(axis=0) > 0.5
    filled = np.where(mostly_missing, 0.0, legit)
    return np.where(mostly_missing, np.nan, np.nanmedian(filled, axis=0))


def _stretches(y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of each row's stretch, from 0; all but the first begin with a fraud."""
    earlier_frauds = np.maximum(np.cumsum(y) - 1, 0)
    return np.asarray(earlier_frauds * STRETCHES // max(y.sum(), 1), dtype=np.int64)
