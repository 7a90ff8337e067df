"""The whole-number weights with which Pillow shrinks or stretches one direction of a picture."""

from __future__ import annotations

import math
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRECISION_BITS = 22
"""Bits behind the point of a weight: Pillow's fixed point leaves room for 8 bits of grey, the sign and overshoot."""

PADDED_TAPS = 24
"""Weights are padded with zeros to this many at least, so that short sums can have a fixed length (see resize.py)."""

LOW_BITS = 16
VECTOR = 32
"""Sums over spans of a multiple of this many pixels leave no rest to add one by one."""
KEPT_SIZES = 256
"""Pairs of sizes whose weights are remembered; pictures of one marketplace come in few sizes."""


class Filter(IntEnum):
    """A resampling filter; the value is the reach to either side in pixels of the smaller picture, doubled."""

    BOX = 1
    LANCZOS = 6


class Taps(NamedTuple):
    """Which pixels make up each new pixel, and with what weight.

    Parameters
    ----------
    first
        First old pixel of each new one, shape (size,).
    counts
        Old pixels of each new one, shape (size,).
    weights
        Times 2²², zero behind ``counts``; shape (size, widest).
    span_first
        First old pixel of a span of equal length for all new pixels that covers those of each, shape (size,).
    low, high
        Weights over that span as ``low + high · 2¹⁶``, shape (size, span): products of 16-bit numbers are the fastest.
    wide
        Whether any ``high`` is not zero.
    """

    first: NDArray[np.int32]
    counts: NDArray[np.int32]
    weights: NDArray[np.int32]
    span_first: NDArray[np.int32]
    low: NDArray[np.int16]
    high: NDArray[np.int16]
    wide: bool


@lru_cache(maxsize=KEPT_SIZES)
def taps(length: int, size: int, reach: Filter) -> Taps:
    """Return the weights that bring ``length`` pixels to ``size``."""
    first, counts, weights = fixed_point(length, size, int(reach))
    span = min(-(-int(counts.max()) // VECTOR) * VECTOR, length)
    span_first = np.minimum(first, length - span)
    spread = _spread(first - span_first, counts, weights, span)
    # Rounded, so that the low part is a signed number of 16 bits.
    high = (spread + (1 << (LOW_BITS - 1))) >> LOW_BITS
    low = spread - (high << LOW_BITS)
    return Taps(first, counts, weights, span_first, low.astype(np.int16), high.astype(np.int16), bool(high.any()))


def _spread(
    offset: NDArray[np.int32], counts: NDArray[np.int32], weights: NDArray[np.int32], span: int
) -> NDArray[np.int32]:
    """Lay each row of weights ``offset`` places into a row of ``span`` zeros."""
    spread = np.zeros((len(weights), span), np.int32)
    place = np.arange(span) - offset[:, None]
    used = (place >= 0) & (place < counts[:, None])
    spread[used] = weights[np.nonzero(used)[0], place[used]]
    return spread


@compiled
def _sinc(x: float) -> float:
    if x == 0.0:
        return 1.0
    angle = x * math.pi
    return math.sin(angle) / angle


@compiled
def fixed_point(
    length: int, size: int, doubled_reach: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Compute weights in the order of operations of Pillow's C code, on which their last bit depends."""
    scale = length / size
    stretch = max(scale, 1.0)
    support = doubled_reach / 2 * stretch
    widest = max(math.ceil(support) * 2 + 1, PADDED_TAPS)
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
