"""An exact index of 64-bit keys by Hamming distance: several segments, searched as if they were one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from features.compiled import was_compiled
from features.hamming.brute_force import Hits
from features.hamming.bucket_scan import count_bits
from features.hamming.index_segment import KEY_BITS, Segment, build, layout_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from features.hamming.index_segment import Arrays

KEYS_A_BLOCK = 1 << 20
"""Most keys of one segment that are looked up in another at once."""
WARMUP_KEYS = 4096
COMPILING = "Compiling the search functions, once on this machine: about 10 seconds."
NO_NUMBERS = np.empty(0, np.int64)
NO_ITEMS = np.empty(0, np.uint32)


@dataclass(frozen=True)
class Index:
    """Keys of several segments, numbered through: the positions of one segment follow those of the one before.

    Positions hold for this object. Appending and merging segments gives keys other positions, but never other items.

    Parameters
    ----------
    segments
        In any number, also none.
    """

    segments: tuple[Segment, ...]

    @classmethod
    def of(cls, parts: Sequence[Arrays]) -> Index:
        """Take segments as the arrays that `features.hamming.index_segment.build` made."""
        return cls(tuple(map(Segment.of, parts)))

    @classmethod
    def of_keys(cls, keys: NDArray[np.uint64], items: NDArray[np.uint32] | None = None) -> Index:
        """Index keys in memory; by default the item of each is its place in the array."""
        numbers = np.arange(keys.size, dtype=np.uint32) if items is None else items
        return cls.of([build(keys, numbers)])

    def __len__(self) -> int:
        """Return the number of keys."""
        return int(self.bases[-1])

    @cached_property
    def bases(self) -> NDArray[np.int64]:
        """Position of the first key of each segment, and behind the last: shape (segments + 1,)."""
        return np.append(0, np.cumsum([part.items.size for part in self.segments], dtype=np.int64))

    @property
    def keys(self) -> NDArray[np.uint64]:
        """All keys by position, shape (n,); a copy."""
        return np.concatenate([np.empty(0, np.uint64), *(part.keys for part in self.segments)])

    @property
    def items(self) -> NDArray[np.uint32]:
        """What the key at each position belongs to, shape (n,); a copy."""
        return np.concatenate([NO_ITEMS, *(part.items for part in self.segments)])

    def items_at(self, positions: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Return what the keys at some positions belong to, without reading the others."""
        items = np.empty(positions.size, np.uint32)
        for part, base, chosen in self._by_segment(positions):
            items[chosen] = part.items[positions[chosen] - base]
        return items

    def keys_at(self, positions: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the keys at some positions, without reading the others."""
        keys = np.empty(positions.size, np.uint64)
        for part, base, chosen in self._by_segment(positions):
            keys[chosen] = part.keys[positions[chosen] - base]
        return keys

    def within(self, queries: NDArray[np.uint64], radius_bits: int) -> Hits:
        """Find every key that differs from a query in at most ``radius_bits`` bits.

        Parameters
        ----------
        queries
            Shape (n,), fewer than 2³²; may be empty, equal ones are kept apart. Many at once are faster than one by
            one.
        radius_bits
            Largest distance of a hit; negative finds nothing.

        Returns
        -------
        Hits
            The rows of ``features.hamming.brute_force.within(queries, self.keys, radius_bits)``, ordered by query,
            then position.
        """
        hits = [part.near(queries, radius_bits) for part in self.segments]
        query = np.concatenate([NO_NUMBERS, *(numbers for numbers, _ in hits)])
        slots = (own + base for (_, own), base in zip(hits, self.bases, strict=False))
        position = np.concatenate([NO_NUMBERS, *slots])
        # Segments come in the order of their positions, and the hits of each are ordered.
        order = np.argsort(query, kind="stable") if len(self.segments) > 1 else slice(None)
        query, position = query[order], position[order]
        return Hits(query, position, np.bitwise_count(queries[query] ^ self.keys_at(position)))

    def items_near(
        self, queries: NDArray[np.uint64], radius_bits: int, chunk_radius_bits: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Find most of what has a key near a query, far faster than `within` finds all of it.

        A hit is a key that differs from the query in at most ``radius_bits`` bits, and in at most ``chunk_radius_bits``
        of those within the chunk of at least one table. In the segments of one index, this depends on the number of
        their tables alone: with the same for all, keys are found or not however they are divided among segments. Three
        tables and one bit of a chunk bring all keys that differ in up to five bits, and of those that differ in six and
        seven bits 86 and 68 of 100, if these lie anywhere in the key.

        Parameters
        ----------
        queries
            Shape (n,), fewer than 2³².
        radius_bits, chunk_radius_bits
            Both in bits; the first may be negative and finds nothing then.

        Returns
        -------
        tuple
            A row each, in no order that means anything: number of the query and what the key belongs to.
        """
        hits = [part.near_by_chunk(queries, radius_bits, chunk_radius_bits) for part in self.segments]
        items = (part.items[slots] for part, (_, slots) in zip(self.segments, hits, strict=True))
        query = np.concatenate([NO_NUMBERS, *(numbers for numbers, _ in hits)])
        return query, np.concatenate([NO_ITEMS, *items])

    def pairs(self, radius_bits: int) -> Hits:
        """Find every two keys that differ in at most ``radius_bits`` bits, each pair once.

        Returns
        -------
        Hits
            Positions of both keys, the lower one as ``query_index``; ordered by it, then by the higher one.
        """
        blocks = [np.empty((2, 0), np.int64), *self._pair_blocks(radius_bits)]
        first, second = np.concatenate(blocks, axis=1)
        order = np.lexsort((second, first))
        first, second = first[order], second[order]
        return Hits(first, second, np.bitwise_count(self.keys_at(first) ^ self.keys_at(second)))

    def _pair_blocks(self, radius_bits: int) -> Iterator[NDArray[np.int64]]:
        """Yield lower and higher positions, shape (2, pairs), of pairs within segments and between them."""
        numbered = list(zip(self.segments, self.bases.tolist(), strict=False))
        for part, base in numbered:
            yield np.stack(part.pairs(radius_bits)) + base
        for one, other in combinations(numbered, 2):
            (small, small_base), (large, large_base) = sorted((one, other), key=lambda pair: pair[0].items.size)
            for start in range(0, small.items.size, KEYS_A_BLOCK):
                query, slot = large.near(small.keys[start : start + KEYS_A_BLOCK], radius_bits)
                yield np.sort(np.stack([query + (small_base + start), slot + large_base]), axis=0)

    def _by_segment(self, positions: NDArray[np.int64]) -> Iterator[tuple[Segment, int, NDArray[np.bool_]]]:
        """Yield each segment with its first position, and which of the positions are its own."""
        numbers = np.searchsorted(self.bases, positions, side="right") - 1
        for number, part in enumerate(self.segments):
            yield part, int(self.bases[number]), numbers == number


def merge(parts: Sequence[Arrays], n_tables: int | None = None) -> dict[str, NDArray[np.generic]]:
    """Build one segment of the keys of several, by default with as many tables as suit their number."""
    segments = [Segment.of(part) for part in parts]
    keys = np.concatenate([part.keys for part in segments])
    items = np.concatenate([part.items for part in segments])
    return build(keys, items, layout_for(keys.size, n_tables))


def warmup(say: Callable[[str], None] = lambda _: None) -> None:
    """Load the kernels of the search, so that no later query waits for them.

    The first time on a machine this compiles for about ten seconds, later it loads for less than one.

    Parameters
    ----------
    say
        Told in a sentence when there is something to wait for.
    """
    count_bits(np.uint64(1))
    if was_compiled(count_bits):
        say(COMPILING)
    keys = np.arange(WARMUP_KEYS, dtype=np.uint64) << np.uint64(40)
    index = Index.of_keys(keys)
    index.pairs(0)
    for radius_bits in (0, KEY_BITS):
        index.within(keys[:2], radius_bits)
