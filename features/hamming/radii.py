"""How a radius is shared out among tables.

If a pair differs in at most k bits, and the tables' radii r satisfy sum(r + 1) = k + 1, then it differs in at most r
bits of at least one chunk: were it more than r everywhere, it would be k + 1 together. A table with r = -1 is not
asked at all. Any such shares are exact; they differ in how many buckets must be looked into.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

UNASKED = -1
BUCKET_COST = 3.0
"""What it costs to come to a bucket, in groups of keys compared: measured from 10⁵ to 10⁷ keys."""
WIDEST_SHARED = 24
"""Radius from which comparing with all keys is faster at any size."""


@cache
def flips(address_bits: int, radius_bits: int) -> NDArray[np.uint64]:
    """Return all numbers of at most so many set bits among so many, ``uint64``, fewest set bits first."""
    numbers = [
        sum(1 << bit for bit in chosen)
        for count in range(min(radius_bits, address_bits) + 1)
        for chosen in combinations(range(address_bits), count)
    ]
    return np.array(numbers, np.uint64)


def n_flips(address_bits: int, radius_bits: int) -> int:
    """Return how many buckets lie within a radius of an address."""
    return sum(comb(address_bits, count) for count in range(radius_bits + 1))


def cheapest(
    radius_bits: int, address_bits: Sequence[int], groups_a_bucket: Sequence[float], groups_in_all: float
) -> tuple[int, ...] | None:
    """Share out a radius so that a query costs least.

    Parameters
    ----------
    radius_bits
        Largest distance of a pair.
    address_bits
        Of each table.
    groups_a_bucket
        How many groups of keys a query meets in a bucket of each table, on average.
    groups_in_all
        How many groups there are.

    Returns
    -------
    tuple of int or None
        A radius for each table, ``UNASKED`` where it is left out; ``None`` if comparing with all keys costs less.
    """
    if radius_bits >= WIDEST_SHARED:
        return None
    costs = [
        [0.0] + [n_flips(bits, radius) * (BUCKET_COST + groups) for radius in range(radius_bits + 1)]
        for bits, groups in zip(address_bits, groups_a_bucket, strict=True)
    ]
    cost, shares = min((sum(map(list.__getitem__, costs, s)), s) for s in _shares(radius_bits + 1, len(costs)))
    return tuple(share - 1 for share in shares) if cost < groups_in_all else None


def _shares(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to write a number as an ordered sum of so many, none of them negative."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _shares(total - first, parts - 1):
            yield (first, *rest)
