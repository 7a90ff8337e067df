"""Grey pictures brought to another size, bit for bit as Pillow does it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from features.compiled import compiled
from features.hashing.kernels.taps import Filter, Taps, taps

if TYPE_CHECKING:
    from numpy.typing import NDArray

# As in taps.py; written again because compiled code is made anew only when its own file changes.
PRECISION_BITS = 22
TOGETHER = 4
HALF = np.int32(1 << (PRECISION_BITS - 1))

SQUARE = 8
"""Side of the squares in which a picture is turned: what is read and written then stays in the nearest cache."""


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
    def turned(self) -> NDArray[np.uint8]:
        """The levels with rows and columns exchanged, made once for all sizes."""
        return _turn(self.levels)

    def resized(self, width: int, height: int, reach: Filter) -> NDArray[np.uint8]:
        """Return the picture in another size, shape (height, width).

        Two passes, one a direction, each rounded to 8 bits. Which comes first changes the bits: Pillow 13 begins with
        the columns where that direction loses more than twice as many pixels as the other.

        Both passes add up whole rows, many pixels at once: the one along the rows does so on the turned picture.
        """
        rows, columns = self.levels.shape
        across, down = taps(columns, width, reach), taps(rows, height, reach)
        if rows > height and rows - height > 2 * (columns - width):
            return _turn(_add_rows(_turn(_add_rows(self.levels, down)), across))
        return _add_rows(_turn(_add_rows(self.turned, across)), down)


@compiled
def _turn(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a copy with rows and columns exchanged."""
    rows, columns = levels.shape
    turned = np.empty((columns, rows), np.uint8)
    whole_rows, whole_columns = rows // SQUARE * SQUARE, columns // SQUARE * SQUARE
    for left in range(0, whole_columns, SQUARE):
        for top in range(0, whole_rows, SQUARE):
            for x in range(SQUARE):
                for y in range(SQUARE):
                    turned[left + x, top + y] = levels[top + y, left + x]
    for x in range(whole_columns, columns):
        for y in range(rows):
            turned[x, y] = levels[y, x]
    for y in range(whole_rows, rows):
        for x in range(columns):
            turned[x, y] = levels[y, x]
    return turned


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
