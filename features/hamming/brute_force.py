"""Exact search by Hamming distance, by comparing everything with everything.

This is the definition of a hit. An index may be faster; it must give the same rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BLOCK_CELLS = 1 << 20
"""Most comparisons held at once, unless one query alone meets more keys."""


class Hits(NamedTuple):
    """Pairs within a radius, ordered by query, then by key.

    Parameters
    ----------
    query_index, key_index
        Positions in the two arrays, ``int64``, shape (hits,).
    distance
        Differing bits, ``uint8``, shape (hits,).
    """

    query_index: NDArray[np.int64]
    key_index: NDArray[np.int64]
    distance: NDArray[np.uint8]


def within(queries: NDArray[np.uint64], keys: NDArray[np.uint64], radius_bits: int) -> Hits:
    """Find every key that differs from a query in at most ``radius_bits`` bits.

    Parameters
    ----------
    queries, keys
        Hashes, ``uint64``, shapes (n,) and (m,); either may be empty, equal ones are kept apart.
    radius_bits
        Largest distance of a hit; negative finds nothing.

    Returns
    -------
    Hits
        All of them. Beside them, working memory does not grow with n.
    """
    blocks = [_NOTHING]
    for start, distance in _distance_blocks(queries, keys):
        row, column = np.nonzero(distance <= radius_bits)
        blocks.append(Hits(start + row, column, distance[row, column]))
    return Hits(*map(np.concatenate, zip(*blocks, strict=True)))


_NOTHING = Hits(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))


def _distance_blocks(queries: NDArray[np.uint64], keys: NDArray[np.uint64]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield the number of the first query and the distances, shape (queries of the block, m)."""
    step = max(1, BLOCK_CELLS // max(1, keys.size))
    for start in range(0, queries.size, step):
        yield start, np.bitwise_count(queries[start : start + step, None] ^ keys)
