"""Bands from what analysts can look at in a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

BAND_NAMES = ("low", "medium", "high")
MEDIUM_CAPACITIES = 3
"""``high`` fills the daily capacity; ``medium`` reaches down to three times as many listings."""
HIGH_FLOOR = 0.5
"""However much time analysts have, ``high`` never goes below "more likely fraud than not" ..."""
MEDIUM_FLOOR = 0.1
"""... nor ``medium`` below one in ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Least score of the bands ``high`` and ``medium``; everything else is ``low``."""

    high: float
    medium: float

    def names(self, scores: NDArray[np.float64]) -> NDArray[np.str_]:
        """Return the band of each score."""
        step = (scores >= self.medium).astype(int) + (scores >= self.high).astype(int)
        return np.asarray(np.take(BAND_NAMES, step), dtype=np.str_)


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


def _score_at(descending: NDArray[np.float64], volume: int) -> float:
    """Least score such that at most ``volume`` listings reach it, ties counted; 0 when all of them fit."""
    if volume >= len(descending):
        return 0.0
    first_too_many = descending[volume]
    fitting = descending[descending > first_too_many]
    return float(fitting[-1]) if fitting.size else float(np.nextafter(first_too_many, np.inf))
