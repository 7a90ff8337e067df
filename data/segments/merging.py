"""Which segments to merge so that they stay few, and nothing is written again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 4
"""Fewer than this are left as they are: each costs a query a little."""


def run_to_merge(sizes: Sequence[int]) -> range:
    """Choose the newest segments to merge.

    A segment is taken in when it is no larger than all newer ones together. What is merged has therefore at least
    doubled: with n bytes in all, no byte is written more than log2(n) times, and about as many segments remain.

    Parameters
    ----------
    sizes
        Of all segments, oldest first.

    Returns
    -------
    range
        Of positions; empty if there is nothing worth merging.

    Examples
    --------
    >>> run_to_merge([900, 10, 10, 10, 10])
    range(1, 5)
    >>> run_to_merge([900, 40, 10, 10])
    range(0, 0)
    """
    first, total = len(sizes), 0
    while first and (total == 0 or sizes[first - 1] <= total):
        first -= 1
        total += sizes[first]
    chosen = range(first, len(sizes))
    return chosen if len(chosen) >= FEWEST else range(0)
