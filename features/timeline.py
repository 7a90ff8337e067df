"""Sorted timelines: what of a key's past had happened by a moment.

Everything is integer arithmetic on sorted arrays, so an answer depends neither on the order of the rows, nor on what
else is asked in the same call, nor on anything that happened later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Integers: TypeAlias = NDArray[np.int64]
DAY_S = 86_400
DAY_US = DAY_S * 1_000_000


def microseconds(times: pd.Series[Any]) -> Integers:
    """Return aware times as microseconds since 1970; a missing time becomes the smallest integer."""
    instants: NDArray[np.datetime64] = times.dt.as_unit("us").to_numpy(dtype="datetime64[us]")
    return instants.view(np.int64)


def days_between(earlier: pd.Series[Any], later: pd.Series[Any]) -> pd.Series[float]:
    """Return the days from one time to another, NaN where either is missing, negative if they are the other way."""
    return (later - earlier).dt.total_seconds() / DAY_S


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events of many keys, by key and then by time.

    Build it with `Timeline.of`. ``order`` holds the positions of the events in the arrays it was built from; the
    answers of `start`, `before` and `until` are positions in ``order``, so that ``order[start:until]`` are a key's
    events up to and including a moment.
    """

    order: NDArray[np.intp]
    _keys: Integers
    _times: Integers
    _marks: Integers

    @classmethod
    def of(cls, keys: NDArray[Any], times: NDArray[Any]) -> Timeline:
        """Sort events, arrays of one length, by key and time; events equal in both keep their order."""
        key_values, key_ranks = np.unique(np.asarray(keys, np.int64), return_inverse=True)
        time_values, time_ranks = np.unique(np.asarray(times, np.int64), return_inverse=True)
        marks = key_ranks.astype(np.int64) * (len(time_values) + 1) + time_ranks
        order = np.argsort(marks, kind="stable")
        return cls(order, key_values, time_values, marks[order])

    def start(self, keys: Integers) -> Integers:
        """Return where each key's events begin."""
        return self._position(keys, np.zeros(len(keys), np.int64))

    def before(self, keys: Integers, times: Integers) -> Integers:
        """Return where each key's events strictly before its time end."""
        return self._position(keys, np.searchsorted(self._times, times, side="left"))

    def until(self, keys: Integers, times: Integers) -> Integers:
        """Return where each key's events up to and including its time end."""
        return self._position(keys, np.searchsorted(self._times, times, side="right"))

    def count(self, keys: Integers, times: Integers) -> Integers:
        """Return how many events each key had up to and including its time."""
        return self.until(keys, times) - self.start(keys)

    def latest(self, keys: Integers, times: Integers) -> Integers:
        """Return the position (in the arrays given) of each key's latest event by its time, -1 where there is none."""
        stop = self.until(keys, times)
        rows = np.full(len(keys), -1, np.int64)
        found = stop > self.start(keys)
        rows[found] = self.order[stop[found] - 1]
        return rows

    def _position(self, keys: Integers, time_ranks: NDArray[Any]) -> Integers:
        ranks = np.searchsorted(self._keys, keys)
        known = np.zeros(len(keys), bool)
        inside = ranks < len(self._keys)
        known[inside] = self._keys[ranks[inside]] == keys[inside]
        marks = ranks * (len(self._times) + 1) + np.where(known, time_ranks, 0)
        return np.searchsorted(self._marks, marks, side="left").astype(np.int64)


def rows_as_of(versions: pd.DataFrame, key: str, keys: Integers, times_us: Integers) -> pd.DataFrame:
    """Return each key's latest row by its time, with all columns missing where there is none; a fresh index.

    ``versions`` holds one row for each ``key`` and ``observed_at``.
    """
    timeline = Timeline.of(versions[key].to_numpy(), microseconds(versions["observed_at"]))
    rows = timeline.latest(keys, times_us)
    return versions.reset_index(drop=True).reindex(rows).reset_index(drop=True)


def first_of_each(rows: pd.DataFrame, key: str, item: str) -> Timeline:
    """Return when each distinct ``item`` of each ``key`` was first observed: counting its events counts items.

    Rows without an item are left out. Positions in the timeline's ``order`` mean nothing to the caller.
    """
    firsts = rows.dropna(subset=[item]).groupby([key, item])["observed_at"].min().reset_index()
    return Timeline.of(firsts[key].to_numpy(), microseconds(firsts["observed_at"]))
