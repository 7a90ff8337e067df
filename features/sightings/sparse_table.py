"""The first number below a limit within a range, for many ranges and limits at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from features.timeline import Integers


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
