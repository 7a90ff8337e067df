"""Exact medians of many stretches of one array at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.timeline import Integers


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
