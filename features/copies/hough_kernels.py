"""Which matches of points agree on how one picture lies in another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_MATCHES = 512
"""Of one pair of pictures that are looked at."""
MOST_KEYPOINTS = 256
ORIENTATIONS = 8


class Matched(NamedTuple):
    """Pairs of points that look alike.

    Parameters
    ----------
    query, reference
        Column, row and natural logarithm of the size of both points, shape (matches, 3).
    query_point, reference_point
        Their numbers within their pictures, shape (matches,).
    orientation
        Orientation that leads from the reference picture to the query, shape (matches,).
    """

    query: NDArray[np.float64]
    reference: NDArray[np.float64]
    query_point: NDArray[np.int64]
    reference_point: NDArray[np.int64]
    orientation: NDArray[np.int64]


@compiled
def largest_consistent_sets(
    starts: NDArray[np.int64], matched: Matched, matrices: NDArray[np.float64], tolerance: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the largest set of matches of each pair of pictures that tell of one place, scale and orientation.

    Parameters
    ----------
    starts
        Where the matches of each pair begin, and the end, shape (pairs + 1,).
    matched
        The matches; within a set, each point counts once.
    matrices
        What each orientation does to a vector, shape (8, 2, 2).
    tolerance
        Of the logarithm of the scale, of the place in pixels, and of the place for each pixel of distance, shape (3,).

    Returns
    -------
    tuple
        The size of the set and the match that it lies around, the first one among equals, shapes (pairs,).
    """
    pairs = starts.size - 1
    best = np.zeros(pairs, np.int64)
    around = np.zeros(pairs, np.int64)
    seen = np.full((2, MOST_KEYPOINTS), -1, np.int64)
    for pair in range(pairs):
        first = starts[pair]
        last = min(starts[pair + 1], first + MOST_MATCHES)
        for centre in range(first, last):
            count = 0
            turn = matrices[matched.orientation[centre]]
            for match in range(first, last):
                if _agrees(matched, centre, match, turn, tolerance) and _is_new(matched, centre, match, seen):
                    count += 1
            if count > best[pair]:
                best[pair], around[pair] = count, centre
    return best, around


@compiled
def _agrees(
    matched: Matched, centre: int, match: int, turn: NDArray[np.float64], tolerance: NDArray[np.float64]
) -> bool:
    """Whether a match lies where it should if the one in the centre is right."""
    log_scale = matched.query[centre, 2] - matched.reference[centre, 2]
    off_scale = matched.query[match, 2] - matched.reference[match, 2] - log_scale
    if matched.orientation[match] != matched.orientation[centre] or abs(off_scale) > tolerance[0]:
        return False
    scale = math.exp(log_scale)
    reference_x = matched.reference[match, 0] - matched.reference[centre, 0]
    reference_y = matched.reference[match, 1] - matched.reference[centre, 1]
    query_x = matched.query[match, 0] - matched.query[centre, 0]
    query_y = matched.query[match, 1] - matched.query[centre, 1]
    off_x = query_x - scale * (turn[0, 0] * reference_x + turn[0, 1] * reference_y)
    off_y = query_y - scale * (turn[1, 0] * reference_x + turn[1, 1] * reference_y)
    most = tolerance[1] + tolerance[2] * math.sqrt(query_x * query_x + query_y * query_y)
    return bool(off_x * off_x + off_y * off_y <= most * most)


@compiled
def _is_new(matched: Matched, centre: int, match: int, seen: NDArray[np.int64]) -> bool:
    """Whether neither point of a match was seen around this centre; now they were."""
    query_point, reference_point = matched.query_point[match], matched.reference_point[match]
    if seen[0, query_point] == centre or seen[1, reference_point] == centre:
        return False
    seen[0, query_point] = seen[1, reference_point] = centre
    return True


@compiled
def repeated_hits(
    hypothesis: NDArray[np.int64],
    reference: NDArray[np.int64],
    picture: NDArray[np.int64],
    n_pictures: int,
    n_reference: int,
    fewest: int,
) -> NDArray[np.int64]:
    """Find the hits on reference pictures that have several from the same query picture.

    Parameters
    ----------
    hypothesis, reference
        Number of the orientation hypothesis and of the reference picture, of each hit, shape (n,).
    picture
        The query picture of each reading, rising.
    n_pictures, n_reference
        How many query and reference pictures there are.
    fewest
        Hits that are enough, up to 255.

    Returns
    -------
    numpy.ndarray
        Numbers of the hits, those of each query picture together.
    """
    starts = np.zeros(n_pictures + 1, np.int64)
    for n in hypothesis:
        starts[picture[n] + 1] += 1
    starts = np.cumsum(starts)
    order, places = np.empty(len(hypothesis), np.int64), starts.copy()
    for hit in range(len(hypothesis)):
        query = picture[hypothesis[hit]]
        order[places[query]] = hit
        places[query] += 1
    # A table of counts is several times as fast as putting all hits in order: most are the only one of their pair.
    counts = np.zeros(n_reference, np.uint8)
    kept, n_kept = np.empty(len(hypothesis) + 1, np.int64), 0
    for query in range(n_pictures):
        own = order[starts[query] : starts[query + 1]]
        for hit in own:
            counts[reference[hit]] = min(counts[reference[hit]] + 1, fewest)
        for hit in own:
            kept[n_kept] = hit
            n_kept += int(counts[reference[hit]] >= fewest)
        for hit in own:
            counts[reference[hit]] = 0
    return kept[:n_kept]


@compiled
def supported_matches(pair: NDArray[np.int64], orientation: NDArray[np.int64], fewest: int) -> NDArray[np.int64]:
    """Find the matches of which there are several in one pair of pictures with one orientation: others cannot agree.

    Parameters
    ----------
    pair
        Rising, shape (n,).
    orientation
        Orientation that leads from the reference picture to the query, shape (n,).
    fewest
        Matches that are enough.

    Returns
    -------
    numpy.ndarray
        Their numbers, rising.
    """
    kept, n_kept = np.empty(len(pair) + 1, np.int64), 0
    counts = np.zeros(ORIENTATIONS, np.int64)
    first = 0
    while first < len(pair):
        counts[:] = 0
        last = first
        while last < len(pair) and pair[last] == pair[first]:
            counts[orientation[last]] += 1
            last += 1
        for match in range(first, last):
            kept[n_kept] = match
            n_kept += int(counts[orientation[match]] >= fewest)
        first = last
    return kept[:n_kept]
