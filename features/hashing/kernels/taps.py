"""The whole-number weights with which Pillow shrinks or stretches one direction of a picture."""

from __future__ import annotations

import math
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRECISION_BITS = 22
"""Bits behind the point of a weight: Pillow's fixed point leaves room for 8 bits of grey, the sign and overshoot."""

TOGETHER = 4
"""Weights are padded with zeros to a multiple of this many, which are added up at once (see resize.py)."""

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
        Times 2²², zero behind ``counts``; shape (size, widest), the widest a multiple of four.
    """

    first: NDArray[np.int32]
    counts: NDArray[np.int32]
    weights: NDArray[np.int32]


@lru_cache(maxsize=KEPT_SIZES)
def taps(length: int, size: int, reach: Filter) -> Taps:
    """Return the weights that bring ``length`` pixels to ``size``."""
    return Taps(*fixed_point(length, size, int(reach)))


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
