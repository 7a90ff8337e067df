"""Grey pictures brought to another size, bit for bit as Pillow does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from features.kernels.compiled import compiled
from features.kernels.taps import Filter, Taps, taps

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# As in taps.py; written again because compiled code is made anew only when its own file changes.
PRECISION_BITS = 22
LOW_BITS = 16
HALF = np.int32(1 << (PRECISION_BITS - 1))

LANES = 128
"""Rows worked on side by side where each new pixel has few taps."""
FEW, SOME, MANY = 8, 12, 24
"""Numbers of taps for which there is a loop of fixed length; Lanczos needs at most 12 down to half the size, and 24
down to a quarter."""
BLOCK = 64
"""Columns turned back at a time, so that what is read stays in the nearest cache."""
NARROW = 64
"""Columns below which adding up whole rows costs more than turning the picture."""


def resize(grey: NDArray[np.uint8], width: int, height: int, reach: Filter) -> NDArray[np.uint8]:
    """Return a grey picture, shape (rows, columns), in another size, shape (height, width).

    Two passes, one a direction, each rounded to 8 bits. Which comes first changes the bits: Pillow 13 begins with the
    columns where that direction loses more than twice as many pixels as the other.
    """
    rows, columns = grey.shape
    across, down = taps(columns, width, reach), taps(rows, height, reach)
    if rows > height and rows - height > 2 * (columns - width):
        return _resize_rows(_resize_columns(grey, down), across)
    return _resize_columns(_resize_rows(grey, across), down)


def _resize_rows(grey: NDArray[np.uint8], across: Taps) -> NDArray[np.uint8]:
    """Resize along the rows, by the fastest of three ways."""
    if across.counts.max() <= MANY and grey.shape[0] >= LANES:
        return _side_by_side(grey, across)
    return _one_by_one_wide(grey, across) if across.wide else _one_by_one(grey, across)


def _resize_columns(grey: NDArray[np.uint8], down: Taps) -> NDArray[np.uint8]:
    """Resize along the columns, by the faster of two ways."""
    if grey.shape[1] >= NARROW:
        return _row_by_row(grey, down)
    return np.ascontiguousarray(_resize_rows(np.ascontiguousarray(grey.T), down).T)


@compiled
def _clip(total: Any) -> Any:
    """Round a weighted sum to 8 bits."""
    return np.uint8(min(max(total >> PRECISION_BITS, 0), 255))


@compiled
def _row_by_row(grey: NDArray[np.uint8], down: Taps) -> NDArray[np.uint8]:
    """Resize along the columns: a sum of rows for each new row."""
    size, columns = down.first.size, grey.shape[1]
    out = np.empty((size, columns), np.uint8)
    totals = np.empty(columns, np.int32)
    for new in range(size):
        totals[:] = HALF
        for tap in range(down.counts[new]):
            row, weight = grey[down.first[new] + tap], down.weights[new, tap]
            for x in range(columns):
                totals[x] = np.int32(totals[x] + np.int32(np.int32(row[x]) * weight))
        line = out[new]
        for x in range(columns):
            line[x] = _clip(totals[x])
    return out


@compiled
def _narrow_sum(pixels: NDArray[np.uint8], low: NDArray[np.int16]) -> Any:
    total = HALF
    for i in range(pixels.size):
        total = np.int32(total + np.int32(np.int32(pixels[i]) * low[i]))
    return total


@compiled
def _wide_sum(pixels: NDArray[np.uint8], low: NDArray[np.int16], high: NDArray[np.int16]) -> Any:
    # Either part may wrap around in 32 bits; their sum fits and comes out right all the same.
    low_total, high_total = HALF, np.int32(0)
    for i in range(pixels.size):
        low_total = np.int32(low_total + np.int32(np.int32(pixels[i]) * low[i]))
        high_total = np.int32(high_total + np.int32(np.int32(pixels[i]) * high[i]))
    return np.int32(low_total + np.int32(high_total << LOW_BITS))


@compiled
def _one_by_one(grey: NDArray[np.uint8], across: Taps) -> NDArray[np.uint8]:
    """Resize along the rows, each new pixel for itself, where all weights fit 16 bits."""
    rows, (size, span) = grey.shape[0], across.low.shape
    out = np.empty((rows, size), np.uint8)
    for y in range(rows):
        for new in range(size):
            start = across.span_first[new]
            out[y, new] = _clip(_narrow_sum(grey[y, start : start + span], across.low[new]))
    return out


@compiled
def _one_by_one_wide(grey: NDArray[np.uint8], across: Taps) -> NDArray[np.uint8]:
    rows, (size, span) = grey.shape[0], across.low.shape
    out = np.empty((rows, size), np.uint8)
    for y in range(rows):
        for new in range(size):
            start = across.span_first[new]
            out[y, new] = _clip(_wide_sum(grey[y, start : start + span], across.low[new], across.high[new]))
    return out


def _weigher(count: int) -> Callable[..., None]:
    """Return the kernel that computes one new column of all lanes from ``count`` old ones."""

    @compiled
    def weigh(tile: NDArray[np.uint8], weights: NDArray[np.int32], column: NDArray[np.uint8]) -> None:
        for lane in range(LANES):
            total = HALF
            for tap in range(count):
                total = np.int32(total + np.int32(np.int32(tile[tap, lane]) * weights[tap]))
            column[lane] = _clip(total)

    return weigh


_weigh_few = _weigher(FEW)
_weigh_some = _weigher(SOME)
_weigh_many = _weigher(MANY)


@compiled
def _turn_in(grey: NDArray[np.uint8], tile: NDArray[np.uint8]) -> None:
    for x in range(grey.shape[1]):
        for lane in range(LANES):
            tile[x, lane] = grey[lane, x]


@compiled
def _turn_block_out(columns: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    for lane in range(LANES):
        for x in range(BLOCK):
            out[lane, x] = columns[x, lane]


@compiled
def _turn_out(columns: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    for x in range(out.shape[1] // BLOCK):
        _turn_block_out(columns[x * BLOCK : (x + 1) * BLOCK], out[:, x * BLOCK : (x + 1) * BLOCK])
    for x in range(out.shape[1] // BLOCK * BLOCK, out.shape[1]):
        for lane in range(LANES):
            out[lane, x] = columns[x, lane]


@compiled
def _weigh_all(tile: NDArray[np.uint8], across: Taps, columns: NDArray[np.uint8]) -> None:
    most = across.counts.max()
    for new in range(across.first.size):
        start, weights, column = across.first[new], across.weights[new], columns[new]
        if most <= FEW:
            _weigh_few(tile[start : start + FEW], weights, column)
        elif most <= SOME:
            _weigh_some(tile[start : start + SOME], weights, column)
        else:
            _weigh_many(tile[start : start + MANY], weights, column)


@compiled
def _side_by_side(grey: NDArray[np.uint8], across: Taps) -> NDArray[np.uint8]:
    """Resize along the rows, many rows at a time, turned so that their pixels lie side by side."""
    rows, size = grey.shape[0], across.first.size
    out = np.empty((rows, size), np.uint8)
    tile = np.zeros((grey.shape[1] + MANY, LANES), np.uint8)
    columns = np.empty((size, LANES), np.uint8)
    for block in range(0, rows, LANES):
        # The last block begins early enough to be whole; some rows are computed twice, alike.
        y = min(block, rows - LANES)
        _turn_in(grey[y : y + LANES], tile)
        _weigh_all(tile, across, columns)
        _turn_out(columns, out[y : y + LANES])
    return out
