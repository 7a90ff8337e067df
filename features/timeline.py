"""Sorted timelines: what of a key's past had happened by a moment, and order statistics of such stretches of time.

Everything is arithmetic on sorted arrays, so an answer depends neither on the order of the rows, nor on what else is
asked in the same call, nor on anything that happened later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Integers: TypeAlias = NDArray[np.int64]
Times: TypeAlias = "pd.Series[Any] | NDArray[Any]"
"""Aware times, or microseconds since 1970 (or ranks) as integers."""
DAY_S = 86_400
DAY_US = DAY_S * 1_000_000


def microseconds(times: Times) -> Integers:
    """Return aware times as microseconds since 1970, integers as they are; a missing time is the smallest integer."""
    if not isinstance(times, pd.Series) or pd.api.types.is_integer_dtype(times):
        return np.asarray(times, np.int64)
    instants: NDArray[np.datetime64] = times.dt.as_unit("us").to_numpy(dtype="datetime64[us]")
    return instants.view(np.int64)


def days_between(earlier: pd.Series[Any], later: pd.Series[Any]) -> pd.Series[float]:
    """Return the days from one time to another, NaN where either is missing, negative if they are the other way."""
    return (later - earlier).dt.total_seconds() / DAY_S


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events of many keys, by key and then by time.

    Build it with `Timeline.of`. ``order`` holds the positions of the events in the arrays it was built from, ``times``
    when they were, in this order; the answers of `before` and `until` are positions in both, so that
    ``order[start:stop]`` are a key's events up to a moment.
    """

    order: NDArray[np.intp]
    times: Integers
    _keys: Integers
    _distinct_times: Integers
    _marks: Integers

    @classmethod
    def of(cls, keys: pd.Series[Any] | NDArray[Any], times: Times) -> Timeline:
        """Sort events, columns of one length, by key and time; events equal in both keep their order."""
        key_values, key_ranks = np.unique(np.asarray(keys, np.int64), return_inverse=True)
        time_values, time_ranks = np.unique(microseconds(times), return_inverse=True)
        marks = key_ranks.astype(np.int64) * (len(time_values) + 1) + time_ranks
        order = np.argsort(marks, kind="stable")
        return cls(order, time_values[time_ranks[order]], key_values, time_values, marks[order])

    def before(self, keys: Integers, *times: Times) -> tuple[Integers, ...]:
        """Return where each key's events begin, and then where those strictly before each of its times end."""
        return self._positions(keys, times, "left")

    def until(self, keys: Integers, *times: Times) -> tuple[Integers, ...]:
        """Return where each key's events begin, and then where those up to and including each of its times end."""
        return self._positions(keys, times, "right")

    def count(self, keys: Integers, times: Times) -> Integers:
        """Return how many events each key had up to and including its time."""
        start, stop = self.until(keys, times)
        return stop - start

    def latest(self, keys: Integers, times: Times) -> Integers:
        """Return the position (in the columns given) of each key's latest event by its time, -1 where there is none."""
        start, stop = self.until(keys, times)
        rows = np.full(len(keys), -1, np.int64)
        found = stop > start
        rows[found] = self.order[stop[found] - 1]
        return rows

    def _positions(
        self, keys: Integers, times: Sequence[Times], side: Literal["left", "right"]
    ) -> tuple[Integers, ...]:
        ranks = np.searchsorted(self._keys, keys)
        known = np.zeros(len(keys), bool)
        inside = ranks < len(self._keys)
        known[inside] = self._keys[ranks[inside]] == keys[inside]
        starts = ranks * (len(self._distinct_times) + 1)
        time_ranks = (np.searchsorted(self._distinct_times, microseconds(each), side=side) for each in times)
        marks = (starts, *(starts + np.where(known, time_rank, 0) for time_rank in time_ranks))
        return tuple(np.searchsorted(self._marks, mark, side="left").astype(np.int64) for mark in marks)


def rows_as_of(versions: pd.DataFrame, key: str, keys: Integers, times: Times) -> pd.DataFrame:
    """Return each key's latest row by its time, with all columns missing where there is none; a fresh index.

    ``versions`` holds one row for each ``key`` and ``observed_at``.
    """
    rows = Timeline.of(versions[key], versions["observed_at"]).latest(keys, times)
    return versions.reset_index(drop=True).reindex(rows).reset_index(drop=True)


def distinct_counts(
    rows: pd.DataFrame, key: str, items: Sequence[str], keys: Integers, times: Times
) -> tuple[Integers, ...]:
    """Return, for each column in ``items``, how many distinct values of it each key had shown by its time.

    ``rows`` holds ``key``, ``items`` and ``observed_at``; rows without a value do not count.
    """
    counts = []
    for item in items:
        firsts = rows.dropna(subset=[item]).groupby([key, item])["observed_at"].min().reset_index()
        counts.append(Timeline.of(firsts[key], firsts["observed_at"]).count(keys, times))
    return tuple(counts)


SHORT = 64
"""Stretches up to so long are sorted by themselves: that costs less than what prepares for long ones."""
AT_ONCE = 10_000
FEW = 500
OVERLAP = 4
"""Up to so many stretches that cover each value so many times cost less one by one than what prepares for all."""


def range_medians(values: NDArray[np.float64], start: Integers, stop: Integers) -> NDArray[np.float64]:
    """Return the median of each ``values[start:stop]``, NaN where the stretch is empty.

    Costs a few array operations for each bit of the number of distinct values, however long the stretches are and
    however much they overlap. Few that hardly overlap are taken one by one.

    >>> range_medians(np.array([3.0, 1.0, 2.0, 9.0]), np.array([0, 1, 2]), np.array([3, 3, 2]))
    array([2. , 1.5, nan])
    """
    medians = np.full(len(start), np.nan)
    filled = stop > start
    begin, end = start[filled], stop[filled]
    size = end - begin
    if len(size) <= FEW and size.sum() <= OVERLAP * len(values):
        medians[filled] = [np.median(values[low:high]) for low, high in zip(begin, end, strict=True)]
        return medians
    short = size <= SHORT
    found = np.empty(len(size))
    found[short] = _medians_of_short(values, begin[short], size[short])
    begin, end, size = begin[~short], end[~short], size[~short]
    if len(size):
        low = kth_smallest(values, begin, end, (size - 1) // 2)
        found[~short] = (low + kth_smallest(values, begin, end, size // 2)) / 2
    medians[filled] = found
    return medians


def _medians_of_short(values: NDArray[np.float64], start: Integers, size: Integers) -> NDArray[np.float64]:
    """Return the median of each ``values[start:start + size]``, none of them empty or longer than `SHORT`."""
    medians = np.empty(len(start))
    for first in range(0, len(start), AT_ONCE):
        begin, length = start[first : first + AT_ONCE, None], size[first : first + AT_ONCE, None]
        place = np.arange(length.max())
        inside = place < length
        rows = np.sort(np.where(inside, values[np.where(inside, begin + place, 0)], np.inf), axis=1)
        low, high = (np.take_along_axis(rows, middle, axis=1) for middle in ((length - 1) // 2, length // 2))
        medians[first : first + AT_ONCE] = ((low + high) / 2)[:, 0]
    return medians


def kth_smallest(values: NDArray[np.float64], start: Integers, stop: Integers, k: Integers) -> NDArray[np.float64]:
    """Return the ``k``-th smallest (from 0) of each ``values[start:stop]``, which must be longer than ``k``.

    Descends a wavelet matrix (F. Claude, G. Navarro and A. Ordóñez 2015, doi:10.1016/j.is.2014.06.002): bit by bit
    from the highest, the values' ranks are parted into those without and those with the bit, and each stretch
    follows the part its answer is in.
    """
    distinct, ranks = np.unique(values, return_inverse=True)
    found = np.zeros(len(k), np.int64)
    for bit in reversed(range((len(distinct) - 1).bit_length())):
        has_bit = (ranks >> bit) & 1
        without = np.concatenate([[0], np.cumsum(1 - has_bit)])
        low, high = without[start], without[stop]
        up = k >= high - low
        k = np.where(up, k - (high - low), k)
        start = np.where(up, without[-1] + start - low, low)
        stop = np.where(up, without[-1] + stop - high, high)
        found |= up.astype(np.int64) << bit
        ranks = np.concatenate([ranks[has_bit == 0], ranks[has_bit == 1]])
    return distinct[found]


@dataclass(frozen=True, slots=True)
class FirstBelow:
    """Minima of all runs of 1, 2, 4, … numbers; build it with `FirstBelow.of`.

    A question takes as many steps as the longest range has binary digits, whatever lies in between (the sparse table
    of Bender and Farach-Colton, *The LCA Problem Revisited*, 2000).
    """

    minima: tuple[Integers, ...]

    @classmethod
    def of(cls, values: Integers, longest: int) -> FirstBelow:
        """Prepare ``values``, shape (n,), for ranges of at most ``longest`` numbers."""
        minima = [values]
        while 2 ** len(minima) <= min(longest, len(values)):
            half = 2 ** (len(minima) - 1)
            minima.append(np.minimum(minima[-1][:-half], minima[-1][half:]))
        return cls(tuple(minima))

    def find(self, start: Integers, stop: Integers, limit: Integers) -> Integers:
        """Return the first position from ``start`` on whose number is below ``limit``; ``stop`` if there is none."""
        at = start.copy()
        for level, minima in reversed(list(enumerate(self.minima))):
            width = 2**level
            if not len(minima):
                continue
            fits = at + width <= stop
            at += width * (fits & (minima[np.minimum(at, len(minima) - 1)] >= limit))
        return at
