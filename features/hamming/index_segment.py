"""A number of keys in tables, as arrays that may lie in memory or in a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from features.hamming.bucket_scan import LANES, SLOT_BITS, Rule, Table, compare_all, join, probe
from features.hamming.layout import Layout, layout_for
from features.hamming.radii import UNASKED, cheapest, flips

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[np.generic]]

Scalar = TypeVar("Scalar", bound=np.generic)

FORMAT = "hamming-1"
"""Names what `build` returns; another layout of the arrays needs another name."""
LOWER_HALF = np.uint64((1 << SLOT_BITS) - 1)
MOST_KEYS = (1 << SLOT_BITS) - 1


@dataclass(frozen=True, slots=True)
class Segment:
    """Keys that can be searched.

    Parameters
    ----------
    items
        What each key belongs to, ``uint32``, shape (n,), in the order of the first table: rising keys.
    tables
        The keys in one order a chunk.
    layout
        Which bits make the order of each table.
    groups_a_bucket
        How many groups of keys somebody like the keys themselves meets in a bucket of each table.
    """

    items: NDArray[np.uint32]
    tables: tuple[Table, ...]
    layout: Layout
    groups_a_bucket: tuple[float, ...]

    @classmethod
    def of(cls, arrays: Arrays) -> Segment:
        """Take the arrays that `build` made, without reading more of them than the directories of buckets."""
        n_tables = sum(name.startswith("keys_") for name in arrays)
        starts = [_frozen(arrays[f"starts_{number}"], np.uint32) for number in range(n_tables)]
        layout = Layout.of_tables(tuple(part.size - 1 for part in starts))
        tables = tuple(
            Table(
                keys=_frozen(arrays[f"keys_{number}"], np.uint64),
                slots=_frozen(arrays[f"slots_{number}"], np.uint32),
                starts=starts[number],
                shift=np.uint64(shift),
            )
            for number, shift in enumerate(layout.shifts)
        )
        return cls(_frozen(arrays["items"], np.uint32), tables, layout, tuple(map(_groups_a_bucket, starts)))

    @property
    def keys(self) -> NDArray[np.uint64]:
        """Keys in rising order, shape (n,); a key's place here is its slot."""
        return self.tables[0].keys[: self.items.size]

    def near(self, queries: NDArray[np.uint64], radius_bits: int) -> NDArray[np.uint64]:
        """Find all keys within a radius of queries.

        Parameters
        ----------
        queries
            Shape (n,), fewer than 2³².
        radius_bits
            Largest distance; negative finds nothing.

        Returns
        -------
        numpy.ndarray
            A hit each, rising: the query's number in the upper half, the slot in the lower one.
        """
        if radius_bits < 0 or not queries.size or not self.items.size:
            return np.empty(0, np.uint64)
        radii = self._radii(radius_bits)
        if radii is None:
            names = np.arange(queries.size, dtype=np.uint64)
            return np.sort(compare_all(np.array(queries), names, self.tables[0], everything(radius_bits)))
        return np.sort(self._probed(queries, radius_bits, radii))

    def near_by_chunk(
        self, queries: NDArray[np.uint64], radius_bits: int, chunk_radius_bits: int
    ) -> NDArray[np.uint64]:
        """Find keys within a radius of queries that differ in few bits within the chunk of at least one table.

        Parameters
        ----------
        queries, radius_bits
            As for `near`.
        chunk_radius_bits
            Most differing bits within a chunk.

        Returns
        -------
        numpy.ndarray
            A hit each, once, as `near` gives them, but in another order.
        """
        if radius_bits < 0 or not queries.size or not self.items.size:
            return np.empty(0, np.uint64)
        return self._probed(queries, radius_bits, (chunk_radius_bits,) * len(self.tables))

    def _probed(self, queries: NDArray[np.uint64], radius_bits: int, radii: tuple[int, ...]) -> NDArray[np.uint64]:
        """Ask the tables, each within a radius of its own."""
        return np.concatenate(
            [
                probe(*_in_order_of_address(queries, self.tables[number]), self.tables[number], rule)
                for number, rule in self._rules(radius_bits, radii)
            ]
        )

    def pairs(self, radius_bits: int) -> NDArray[np.uint64]:
        """Find all pairs of keys within a radius, each once.

        Returns
        -------
        numpy.ndarray
            A pair each, rising: the lower slot in the upper half, the higher slot in the lower one.
        """
        if radius_bits < 0 or not self.items.size:
            return np.empty(0, np.uint64)
        radii = self._radii(radius_bits)
        if radii is None:
            found = self.near(self.keys, radius_bits)
            return found[upper(found) < lower(found)]
        parts = [
            join(self.tables[number], rule, 0, self.tables[number].starts.size - 1)
            for number, rule in self._rules(radius_bits, radii)
        ]
        found = np.concatenate(parts)
        one, other = upper(found), lower(found)
        return np.sort(packed(np.minimum(one, other), np.maximum(one, other)))

    def _radii(self, radius_bits: int) -> tuple[int, ...] | None:
        groups_in_all = self.items.size / LANES
        return cheapest(radius_bits, self.layout.address_bits, self.groups_a_bucket, groups_in_all)

    def _rules(self, radius_bits: int, radii: tuple[int, ...]) -> list[tuple[int, Rule]]:
        """Return the number of each table to be asked, with what to ask it."""
        masks, limits = self.layout.masks, np.array(radii, np.int64)
        return [
            (number, Rule(flips(bits, radius), np.uint64(radius_bits), masks[: number + 1], limits[: number + 1]))
            for number, (bits, radius) in enumerate(zip(self.layout.address_bits, radii, strict=True))
            if radius != UNASKED
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
        addresses = keys >> np.uint64(shift) & np.uint64((1 << bits) - 1)
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


def merge(parts: Sequence[Arrays], n_tables: int | None = None) -> dict[str, NDArray[np.generic]]:
    """Build one segment of the keys of several, by default with as many tables as suit their number."""
    segments = [Segment.of(part) for part in parts]
    keys = np.concatenate([part.keys for part in segments])
    items = np.concatenate([part.items for part in segments])
    return build(keys, items, layout_for(keys.size, n_tables))


def everything(radius_bits: int) -> Rule:
    """Return the rule that reports whatever lies within a radius."""
    whole = np.array([np.iinfo(np.uint64).max], np.uint64)
    return Rule(flips(1, 0), np.uint64(min(radius_bits, 64)), whole, np.array([64]))


def packed(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Put two numbers below 2³² into one."""
    return high << np.uint64(SLOT_BITS) | low


def upper(pairs: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the first of two packed numbers."""
    return pairs >> np.uint64(SLOT_BITS)


def lower(pairs: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the second of two packed numbers."""
    return pairs & LOWER_HALF


def _in_order_of_address(queries: NDArray[np.uint64], table: Table) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return queries and their numbers in the order in which they meet a table's buckets.

    Neighbours then look into neighbouring buckets, which are still in the caches: at ten million keys twice as fast.
    """
    addresses = queries >> table.shift & np.uint64(table.starts.size - 2)
    names = lower(np.sort(packed(addresses, np.arange(queries.size, dtype=np.uint64))))
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
