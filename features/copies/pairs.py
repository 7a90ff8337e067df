"""Pairs of pictures that are worth registering: found by their keypoints or by their hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.copies.candidates import MOST_CANDIDATES, PAIR_SHIFT, PICTURE_MASK
from features.copies.collection import RADII
from features.facts import HASH_KINDS
from features.keypoints.keypoints import KEYPOINT, MOST_KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from features.copies.collection import Collection, DescriptorReader, Pictures

QUERIES_AT_ONCE = 64
"""Pictures whose points are looked up together."""
NO_POINTS = np.zeros(MOST_KEYPOINTS, KEYPOINT)


class Pairs(NamedTuple):
    """Pictures that may be one photo.

    Parameters
    ----------
    query, reference
        Rows of the two pictures, shape (n,).
    inliers
        Points that agreed on the place, 0 where only the hashes are near, shape (n,).
    """

    query: NDArray[np.int64]
    reference: NDArray[np.int64]
    inliers: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64] | slice) -> Pairs:
        """Return some of them."""
        return Pairs(self.query[rows], self.reference[rows], self.inliers[rows])


NO_PAIRS = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


def candidate_pairs(
    query: Pictures, rows: NDArray[np.int64], read: DescriptorReader, reference: Collection, *, same_bytes: bool
) -> Pairs:
    """Find the reference pictures that may be the photo of some queries, by their keypoints and by their hashes.

    Pictures that hold too little to be recognised are paired with their own bytes alone.

    Parameters
    ----------
    query, rows, read
        Pictures, which of them are the queries, and what reads their sketches.
    same_bytes
        Whether a picture of the same bytes counts; it does not where the queries are among the reference pictures.

    Returns
    -------
    Pairs
        In any order; a pair that is found both ways is there twice.
    """
    query_row, reference_row = by_hashes(query.hashes[rows], reference, RADII)
    near = _worthwhile(query, reference.pictures, without_inliers(rows[query_row], reference_row), same_bytes)
    found = by_points(rows[query.informative[rows]], query, read, reference)
    found = _worthwhile(query, reference.pictures, found, same_bytes)
    return concatenated([found, nearest_few(query, reference.pictures, near, MOST_CANDIDATES)])


def _worthwhile(query: Pictures, reference: Pictures, pairs: Pairs, same_bytes: bool) -> Pairs:
    equal = query.image_id[pairs.query] == reference.image_id[pairs.reference]
    recognisable = query.informative[pairs.query] & reference.informative[pairs.reference]
    return pairs.take(np.flatnonzero(recognisable | equal if same_bytes else recognisable & ~equal))


def concatenated(parts: Sequence[Pairs]) -> Pairs:
    """Put pairs together."""
    return Pairs(*map(np.concatenate, zip(NO_PAIRS, *parts, strict=True)))


def without_inliers(query: NDArray[np.int64], reference: NDArray[np.int64]) -> Pairs:
    """Return pairs that were not found by their points."""
    return Pairs(query, reference, np.zeros(len(query), np.int64))


def by_points(query: NDArray[np.int64], pictures: Pictures, read: DescriptorReader, reference: Collection) -> Pairs:
    """Find the reference pictures that agree with queries on the place of several points."""
    found = []
    for start in range(0, len(query), QUERIES_AT_ONCE):
        rows = query[start : start + QUERIES_AT_ONCE]
        names = pictures.names(rows).tolist()
        sketches = read(names)
        rows = rows[[name in sketches for name in names]]
        points = np.stack([NO_POINTS, *(sketches[name].keypoints for name in names if name in sketches)])
        peaks = reference.points.candidates(points[1:])
        found.append(Pairs(rows[peaks.pair >> PAIR_SHIFT], peaks.pair & PICTURE_MASK, peaks.inliers))
    return concatenated(found)


def by_hashes(
    queries: NDArray[np.uint64], reference: Collection, radii: Mapping[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the pairs that lie within the radius of at least one kind of hash.

    Parameters
    ----------
    queries
        Hashes, shape (n, 5).
    radii
        Most differing bits by kind; a kind that is not named brings no pair in.

    Returns
    -------
    tuple
        Row numbers of queries and of reference pictures, each pair once, ordered by query and reference picture.
    """
    numbers = [np.empty(0, np.int64)]
    for kind, radius_bits in radii.items():
        index = reference.by_hash(kind)
        hits = index.within(np.ascontiguousarray(queries[:, HASH_KINDS.index(kind)]), radius_bits)
        numbers.append(hits.query_index << PAIR_SHIFT | index.items_at(hits.key_index))
    # Sorting, since np.unique hashes, and slows down a hundredfold on many evenly spaced numbers.
    found = np.sort(np.concatenate(numbers))
    found = found[np.diff(found, prepend=-1) > 0]
    return found >> PAIR_SHIFT, found & PICTURE_MASK


def nearest_few(query: Pictures, reference: Pictures, pairs: Pairs, most: int) -> Pairs:
    """Keep so many pairs of each query picture, those whose hashes differ least, the same bytes before others."""
    distance = np.bitwise_count(query.hashes[pairs.query] ^ reference.hashes[pairs.reference]).sum(axis=1)
    name = reference.image_id[pairs.reference]
    order = np.lexsort((name, name != query.image_id[pairs.query], distance, pairs.query))
    sorted_query = pairs.query[order]
    return pairs.take(order[np.arange(len(order)) - np.searchsorted(sorted_query, sorted_query) < most])


def swap(pairs: Pairs, chosen: NDArray[np.bool_]) -> Pairs:
    """Exchange the two pictures of some pairs."""
    return Pairs(
        query=np.where(chosen, pairs.reference, pairs.query),
        reference=np.where(chosen, pairs.query, pairs.reference),
        inliers=pairs.inliers,
    )


def deduplicate(pairs: Pairs) -> Pairs:
    """Keep each pair once, with the most inliers; ordered by reference, then by query picture."""
    order = np.lexsort((-pairs.inliers, pairs.query, pairs.reference))
    query, reference = pairs.query[order], pairs.reference[order]
    first = (np.diff(query, prepend=-1) != 0) | (np.diff(reference, prepend=-1) != 0)
    return pairs.take(order[first])
