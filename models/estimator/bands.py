"""Bands from what analysts can look at in a day, or from what a look costs and a fraud takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.estimator.scorer import Bands

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MEDIUM_CAPACITIES = 3
"""``high`` fills the daily capacity; ``medium`` reaches down to three times as many listings."""
HIGH_FLOOR = 0.5
"""However much time analysts have, ``high`` never goes below "more likely fraud than not" ..."""
MEDIUM_FLOOR = 0.1
"""... nor ``medium`` below one in ten."""


def bands_for_capacity(scores: NDArray[np.float64], as_of: pd.Series, *, daily_capacity: int) -> Bands:
    """Choose the bands so that ``high`` holds as many listings a day as analysts can judge.

    Parameters
    ----------
    scores
        Of *all* listings of a past stretch of time, decided or not, by a model that had not learned from them.
    as_of
        Their moments; the calendar days (UTC) from the first to the last count.
    daily_capacity
        Listings a day.

    Returns
    -------
    Bands
        Floors apply: a quiet market does not turn harmless listings into alarms.
    """
    days = 1 if as_of.empty else (as_of.max().floor("D") - as_of.min().floor("D")).days + 1
    descending = -np.sort(-scores)
    high = max(_score_at(descending, daily_capacity * days), HIGH_FLOOR)
    medium = max(_score_at(descending, MEDIUM_CAPACITIES * daily_capacity * days), MEDIUM_FLOOR)
    return Bands(high=high, medium=min(medium, high))


def bands_for_costs(scores: NDArray[np.float64], prices: NDArray[np.float64], *, cost_of_a_look: float) -> Bands:
    """Choose the bands so that looking at all of ``high`` saves the most money: the sum of ``price · score - cost``.

    A look is worth its cost where the price that a fraud would take, times its probability, exceeds it. Prices differ
    between listings of one score, so a band pays for itself as a whole; within it, the queue may be ordered by money.

    Parameters
    ----------
    scores
        Calibrated, of *all* listings of a past stretch of time, by a model that had not learned from them.
    prices
        Theirs, in the currency of the cost; an unknown one (NaN) counts as the median of the known.
    cost_of_a_look
        Above 0. ``medium`` reaches to where a look for a third of it would pay.

    Returns
    -------
    Bands
        1 or just above where no look pays.
    """
    known = prices[~np.isnan(prices)]
    at_stake = np.where(np.isnan(prices), np.median(known) if known.size else 0.0, prices)
    high = _paying_from(scores, at_stake, cost_of_a_look)
    return Bands(high=high, medium=min(_paying_from(scores, at_stake, cost_of_a_look / MEDIUM_CAPACITIES), high))


def _paying_from(scores: NDArray[np.float64], at_stake: NDArray[np.float64], cost: float) -> float:
    """Return the least score such that looking at it and all above saves the most; ties stand or fall together."""
    values, at = np.unique(-scores, return_inverse=True)
    saved = np.cumsum(np.bincount(at, weights=scores * at_stake - cost, minlength=len(values)))
    if not saved.size or saved.max() <= 0:
        return float(np.nextafter(1.0, 2.0))
    return float(-values[int(np.argmax(saved))])


def _score_at(descending: NDArray[np.float64], volume: int) -> float:
    """Least score such that at most ``volume`` listings reach it, ties counted; 0 when all of them fit."""
    if volume >= len(descending):
        return 0.0
    first_too_many = descending[volume]
    fitting = descending[descending > first_too_many]
    return float(fitting[-1]) if fitting.size else float(np.nextafter(first_too_many, np.inf))
