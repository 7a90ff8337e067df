"""A number of keys in tables, as arrays that may lie in memory or in a file, and searches that miss no key.

Each table orders the keys by a chunk of their 64 bits, whose highest bits are the address of a bucket. If a pair
differs in at most k bits, and the tables' radii r satisfy sum(r + 1) = k + 1, then it differs in at most r bits of at
least one chunk: were it more than r everywhere, it would be k + 1 together (multi-index hashing, Norouzi et al. 2012).
A table with r = -1 is left out. Any such shares are exact; they differ in how many buckets must be looked into.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from features.hamming.bucket_scan import LANES, SLOT_BITS, Rule, Table, compare, compare_all, join, probe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[np.generic]]
    Numbers = NDArray[np.int64]

Scalar = TypeVar("Scalar", bound=np.generic)

FORMAT = "hamming-1"
"""Names what `build` returns; another layout of the arrays needs another name."""
KEY_BITS = 64
LOWER_HALF = np.uint64((1 << SLOT_BITS) - 1)
MOST_KEYS = (1 << SLOT_BITS) - 1
CHUNK_BITS = {4: (16, 16, 16, 16), 3: (22, 21, 21)}
"""Bits of each table's chunk by the number of tables, from the highest bits down."""
MANY_KEYS = 1 << 25
"""From here on three tables answer faster than four, whose buckets have grown to hundreds of keys."""
KEYS_A_BUCKET = 4
"""Aimed at in a small segment, so that its directories of buckets stay small beside its keys."""
FEWEST_ADDRESS_BITS = 8
LEFT_OUT = -1
BUCKET_COST = 3.0
"""What it costs to come to a bucket, in groups of keys compared: measured from 10⁵ to 10⁷ keys."""
WIDEST_SHARED = 24
"""Radius from which comparing with all keys is faster at any size."""
KEPT_SHARES = 256
"""Segments and radii whose shares are remembered."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which bits each table stands for, and which of them are the address of a bucket.

    Parameters
    ----------
    chunk_bits
        Width of each table's chunk, from the highest bits of a key down; together 64.
    address_bits
        How many of the highest bits of each chunk are the address.
    """

    chunk_bits: tuple[int, ...]
    address_bits: tuple[int, ...]

    @property
    def shifts(self) -> NDArray[np.uint64]:
        """How many bits lie below each address, shape (tables,)."""
        return (KEY_BITS - np.cumsum((0, *self.chunk_bits[:-1])) - self.address_bits).astype(np.uint64)

    @property
    def masks(self) -> NDArray[np.uint64]:
        """The bits of each chunk, set, shape (tables,)."""
        widths = np.array(self.chunk_bits, np.uint64)
        return ((np.uint64(1) << widths) - np.uint64(1)) << (np.uint64(KEY_BITS) - np.cumsum(widths))


def layout_for(n_keys: int, n_tables: int | None = None) -> Layout:
    """Choose the layout for a number of keys, and the number of tables too unless it is given."""
    chunk_bits = CHUNK_BITS[n_tables or (4 if n_keys < MANY_KEYS else 3)]
    wanted = max(FEWEST_ADDRESS_BITS, (n_keys // KEYS_A_BUCKET).bit_length())
    return Layout(chunk_bits, tuple(min(bits, wanted) for bits in chunk_bits))


@dataclass(frozen=True, slots=True)
class Segment:
    """Keys that can be searched.

    Parameters
    ----------
    keys
        In rising order, shape (n,); a key's place here is its slot.
    items
        What each key belongs to, ``uint32``, shape (n,).
    tables
        The keys in one order a chunk.
    address_bits, masks
        Width of each table's addresses, and the bits of its chunk.
    groups_a_bucket
        How many groups of keys somebody like the keys themselves meets in a bucket of each table.
    """

    keys: NDArray[np.uint64]
    items: NDArray[np.uint32]
    tables: tuple[Table, ...]
    address_bits: tuple[int, ...]
    masks: NDArray[np.uint64]
    groups_a_bucket: tuple[float, ...]

    @classmethod
    def of(cls, arrays: Arrays) -> Segment:
        """Take the arrays that `build` made, without reading more of them than the directories of buckets."""
        n_tables = sum(name.startswith("keys_") for name in arrays)
        starts = [_frozen(arrays[f"starts_{number}"], np.uint32) for number in range(n_tables)]
        layout = Layout(CHUNK_BITS[n_tables], tuple((part.size - 1).bit_length() - 1 for part in starts))
        tables = tuple(
            Table(
                keys=_frozen(arrays[f"keys_{number}"], np.uint64),
                slots=_frozen(arrays[f"slots_{number}"], np.uint32),
                starts=starts[number],
                shift=shift,
            )
            for number, shift in enumerate(layout.shifts)
        )
        items = _frozen(arrays["items"], np.uint32)
        keys = tables[0].keys[: items.size]
        return cls(keys, items, tables, layout.address_bits, layout.masks, tuple(map(_groups_a_bucket, starts)))

    def near(self, queries: NDArray[np.uint64], radius_bits: int) -> tuple[Numbers, Numbers]:
        """Find all keys within a radius of queries.

        Parameters
        ----------
        queries
            Shape (n,), fewer than 2³².
        radius_bits
            Largest distance; negative finds nothing.

        Returns
        -------
        tuple
            Number of the query and slot of each hit, rising.
        """
        if radius_bits < 0 or not queries.size or not self.items.size:
            return _unpacked(NO_PAIRS)
        radii = self._radii(radius_bits)
        if radii is not None:
            return _unpacked(np.sort(self._probed(queries, radius_bits, radii)))
        names = np.arange(queries.size, dtype=np.uint64)
        return _unpacked(np.sort(compare_all(np.array(queries), names, self.tables[0], everything(radius_bits))))

    def near_by_chunk(
        self, queries: NDArray[np.uint64], radius_bits: int, chunk_radius_bits: int
    ) -> tuple[Numbers, Numbers]:
        """Find keys within a radius of queries that differ in few bits within the chunk of at least one table.

        Parameters
        ----------
        queries, radius_bits
            As for `near`.
        chunk_radius_bits
            Most differing bits within a chunk.

        Returns
        -------
        tuple
            A hit each, once, as `near` gives them, but in another order.
        """
        if radius_bits < 0 or not queries.size or not self.items.size:
            return _unpacked(NO_PAIRS)
        return _unpacked(self._probed(queries, radius_bits, (chunk_radius_bits,) * len(self.tables)))

    def pairs(self, radius_bits: int) -> tuple[Numbers, Numbers]:
        """Find all pairs of keys within a radius, each once.

        Returns
        -------
        tuple
            The lower and the higher slot of each pair, rising.
        """
        if radius_bits < 0 or not self.items.size:
            return _unpacked(NO_PAIRS)
        radii = self._radii(radius_bits)
        if radii is None:
            one, other = self.near(self.keys, radius_bits)
            return one[one < other], other[one < other]
        parts = [join(table, rule, 0, table.starts.size - 1) for table, rule in self._rules(radius_bits, radii)]
        one, other = _unpacked(np.concatenate(parts))
        return _unpacked(np.sort(_packed(np.minimum(one, other), np.maximum(one, other))))

    def _probed(self, queries: NDArray[np.uint64], radius_bits: int, radii: tuple[int, ...]) -> NDArray[np.uint64]:
        """Look queries up in the tables, each within a radius of its own."""
        rules = self._rules(radius_bits, radii)
        return np.concatenate([probe(*_in_order_of_address(queries, table), table, rule) for table, rule in rules])

    def _radii(self, radius_bits: int) -> tuple[int, ...] | None:
        return cheapest(radius_bits, self.address_bits, self.groups_a_bucket, self.items.size / LANES)

    def _rules(self, radius_bits: int, radii: tuple[int, ...]) -> list[tuple[Table, Rule]]:
        """Return each table that has a share of the radius, with what to look for in it."""
        limits = np.array(radii, np.int64)
        return [
            (table, Rule(flips(bits, radius), np.uint64(radius_bits), self.masks[: number + 1], limits[: number + 1]))
            for number, (table, bits, radius) in enumerate(zip(self.tables, self.address_bits, radii, strict=True))
            if radius != LEFT_OUT
        ]


def build(
    keys: NDArray[np.uint64], items: NDArray[np.uint32], layout: Layout | None = None
) -> dict[str, NDArray[np.generic]]:
    """Put keys into tables.

    Parameters
    ----------
    keys
        Shape (n,), in any order, fewer than 2³²; equal ones are kept apart.
    items
        What each key belongs to, shape (n,).
    layout
        Of the tables; by default the one for this many keys.

    Returns
    -------
    dict of str to numpy.ndarray
        What `Segment.of` takes. About 48 bytes a key with four tables, 40 with three.
    """
    if keys.size != items.size or keys.size > MOST_KEYS:
        raise ValueError(f"a segment takes up to {MOST_KEYS} keys with an item each, not {keys.size} and {items.size}")
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    layout = layout or layout_for(keys.size)
    arrays: dict[str, NDArray[np.generic]] = {"items": items[order].astype(np.uint32)}
    for number, (bits, shift) in enumerate(zip(layout.address_bits, layout.shifts, strict=True)):
        addresses = keys >> shift & np.uint64((1 << bits) - 1)
        counts = np.bincount(addresses.view(np.int64), minlength=1 << bits)
        # In place, since a hundred million keys take a gigabyte each time.
        addresses <<= np.uint64(SLOT_BITS)
        addresses |= np.arange(keys.size, dtype=np.uint64)
        addresses.sort()
        slots = addresses.astype(np.uint32)
        arrays[f"keys_{number}"] = np.append(keys[slots], np.zeros(LANES, np.uint64))
        arrays[f"slots_{number}"] = slots if number else slots[:0]
        arrays[f"starts_{number}"] = np.append(0, np.cumsum(counts)).astype(np.uint32)
    return arrays


def compare_few(queries: NDArray[np.uint64], keys: NDArray[np.uint64], radius_bits: int) -> tuple[Numbers, Numbers]:
    """Compare a few keys with each other: numbers of the query and of the key of each pair within a radius, rising."""
    return _unpacked(compare(queries, np.append(keys, np.zeros(LANES, np.uint64)), np.uint64(radius_bits)))


def everything(radius_bits: int) -> Rule:
    """Return the rule that reports whatever lies within a radius."""
    whole = np.array([np.iinfo(np.uint64).max], np.uint64)
    return Rule(flips(1, 0), np.uint64(min(radius_bits, KEY_BITS)), whole, np.array([KEY_BITS]))


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


@lru_cache(maxsize=KEPT_SHARES)
def cheapest(
    radius_bits: int, address_bits: tuple[int, ...], groups_a_bucket: tuple[float, ...], groups_in_all: float
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
        A radius for each table, ``LEFT_OUT`` where it is left out; ``None`` if comparing with all keys costs less.
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


NO_PAIRS = np.empty(0, np.uint64)


def _packed(high: NDArray[np.integer], low: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Put two numbers below 2³² into one."""
    return high.astype(np.uint64) << np.uint64(SLOT_BITS) | low.astype(np.uint64)


def _unpacked(pairs: NDArray[np.uint64]) -> tuple[Numbers, Numbers]:
    return (pairs >> np.uint64(SLOT_BITS)).view(np.int64), (pairs & LOWER_HALF).view(np.int64)


def _in_order_of_address(queries: NDArray[np.uint64], table: Table) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return queries and their numbers in the order in which they meet a table's buckets.

    Neighbours then look into neighbouring buckets, which are still in the caches: at ten million keys twice as fast.
    """
    addresses = queries >> table.shift & np.uint64(table.starts.size - 2)
    names = np.sort(_packed(addresses, np.arange(queries.size))) & LOWER_HALF
    return queries[names], names


def _frozen(array: NDArray[np.generic], dtype: type[Scalar]) -> NDArray[Scalar]:
    """Return a plain view that cannot be written to, so that kernels are compiled for one kind of array only."""
    view = np.asarray(array).view(dtype)
    view.flags.writeable = False
    return view


def _groups_a_bucket(starts: NDArray[np.uint32]) -> float:
    """Average over keys, not over buckets: keys are unevenly spread, and so are queries."""
    counts = np.diff(starts).astype(np.float64)
    return float(counts @ np.ceil(counts / LANES) / max(1.0, counts.sum()))
