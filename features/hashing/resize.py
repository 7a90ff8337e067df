"""Grey pictures brought to another size, bit for bit as Pillow does it: whole-number weights, and two passes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRECISION_BITS = 22
"""Bits behind the point of a weight: Pillow's fixed point leaves room for 8 bits of grey, the sign and overshoot."""
HALF = np.int32(1 << (PRECISION_BITS - 1))

TOGETHER = 4
"""Weights are padded with zeros to a multiple of this many, which are added up at once."""

KEPT_SIZES = 256
"""Pairs of sizes whose weights are remembered; pictures of one marketplace come in few sizes."""

SQUARE = 8
"""Side of the squares in which a picture is transposed: what is read and written then stays in the nearest cache."""


class Filter(IntEnum):
    """A resampling filter; the value is the reach to either side in pixels of the smaller picture, doubled."""

    BOX = 1
    LANCZOS = 6


@dataclass(frozen=True, eq=False)
class Grey:
    """A grey picture that is wanted in several sizes.

    Parameters
    ----------
    levels
        Grey levels, shape (rows, columns), ``uint8``.
    """

    levels: NDArray[np.uint8]

    @cached_property
    def transposed(self) -> NDArray[np.uint8]:
        """The levels with rows and columns exchanged, made once for all sizes."""
        return _transpose(self.levels)

    def resized(self, width: int, height: int, reach: Filter) -> NDArray[np.uint8]:
        """Return the picture in another size, shape (height, width).

        Two passes, one a direction, each rounded to 8 bits. Which comes first changes the bits: Pillow 13 begins with
        the columns where that direction loses more than twice as many pixels as the other.

        Both passes add up whole rows, many pixels at once: the one along the rows does so on the transposed picture.
        """
        rows, columns = self.levels.shape
        across, down = taps(columns, width, reach), taps(rows, height, reach)
        if rows > height and rows - height > 2 * (columns - width):
            return _transpose(_add_rows(_transpose(_add_rows(self.levels, down)), across))
        return _add_rows(_transpose(_add_rows(self.transposed, across)), down)

    def shrunk(self, width: int, height: int) -> NDArray[np.uint8]:
        """Return the picture in another size, each pixel the mean of those it covers, shape (height, width)."""
        return self.resized(width, height, Filter.BOX)


class Taps(NamedTuple):
    """Which pixels make up each new pixel, and with what weight.

    Parameters
    ----------
    first
        First old pixel of each new one, shape (size,).
    counts
        Old pixels of each new one, shape (size,).
    weights
        Times 2²², zero behind ``counts``; shape (size, widest), the widest a multiple of four.
    """

    first: NDArray[np.int32]
    counts: NDArray[np.int32]
    weights: NDArray[np.int32]


@lru_cache(maxsize=KEPT_SIZES)
def taps(length: int, size: int, reach: Filter) -> Taps:
    """Return the weights that bring ``length`` pixels to ``size``."""
    return Taps(*fixed_point_taps(length, size, int(reach)))


@compiled
def _sinc(x: float) -> float:
    if x == 0.0:
        return 1.0
    angle = x * math.pi
    return math.sin(angle) / angle


@compiled
def fixed_point_taps(
    length: int, size: int, doubled_reach: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Compute weights in the order of operations of Pillow's C code, on which their last bit depends."""
    scale = length / size
    stretch = max(scale, 1.0)
    support = doubled_reach / 2 * stretch
    widest = math.ceil(support) * 2 + 1
    widest += -widest % TOGETHER
    first = np.empty(size, np.int32)
    counts = np.empty(size, np.int32)
    weights = np.zeros((size, widest), np.int32)
    exact = np.empty(widest)
    for new in range(size):
        center = (new + 0.5) * scale
        start = max(int(center - support + 0.5), 0)
        stop = min(int(center + support + 0.5), length)
        total = 0.0
        for tap in range(stop - start):
            x = (tap + start - center + 0.5) * (1.0 / stretch)
            if doubled_reach == 1:
                exact[tap] = 1.0 if -0.5 < x <= 0.5 else 0.0
            else:
                exact[tap] = _sinc(x) * _sinc(x / 3) if -3.0 <= x < 3.0 else 0.0
            total += exact[tap]
        for tap in range(stop - start):
            weight = (exact[tap] / total if total != 0.0 else exact[tap]) * (1 << PRECISION_BITS)
            weights[new, tap] = int(weight - 0.5) if weight < 0 else int(weight + 0.5)
        first[new] = start
        counts[new] = stop - start
    return first, counts, weights


@compiled
def _transpose(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a copy with rows and columns exchanged."""
    rows, columns = levels.shape
    transposed = np.empty((columns, rows), np.uint8)
    whole_rows, whole_columns = rows // SQUARE * SQUARE, columns // SQUARE * SQUARE
    for left in range(0, whole_columns, SQUARE):
        for top in range(0, whole_rows, SQUARE):
            for x in range(SQUARE):
                for y in range(SQUARE):
                    transposed[left + x, top + y] = levels[top + y, left + x]
    for x in range(whole_columns, columns):
        for y in range(rows):
            transposed[x, y] = levels[y, x]
    for y in range(whole_rows, rows):
        for x in range(columns):
            transposed[x, y] = levels[y, x]
    return transposed


@compiled
def _clip(total: Any) -> Any:
    """Round a weighted sum to 8 bits."""
    return np.uint8(min(max(total >> PRECISION_BITS, 0), 255))


@compiled
def _add_some(levels: NDArray[np.uint8], first: int, weights: NDArray[np.int32], totals: NDArray[np.int32]) -> None:
    """Add four rows to ``totals``; those behind the last row have no weight."""
    last = levels.shape[0] - 1
    for x in range(totals.size):
        total = totals[x]
        for tap in range(TOGETHER):
            level = np.int32(levels[min(first + tap, last), x])
            total = np.int32(total + np.int32(level * weights[tap]))
        totals[x] = total


@compiled
def _add_rows(levels: NDArray[np.uint8], down: Taps) -> NDArray[np.uint8]:
    """Resize along the columns: each new row is a weighted sum of old ones."""
    size, columns = down.first.size, levels.shape[1]
    out = np.empty((size, columns), np.uint8)
    totals = np.empty(columns, np.int32)
    for new in range(size):
        totals[:] = HALF
        for tap in range(0, down.counts[new], TOGETHER):
            _add_some(levels, down.first[new] + tap, down.weights[new, tap : tap + TOGETHER], totals)
        line = out[new]
        for x in range(columns):
            line[x] = _clip(totals[x])
    return out
