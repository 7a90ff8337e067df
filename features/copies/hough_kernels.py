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
MOST_POINTS = 256
ORIENTATIONS = 8


class Matched(NamedTuple):
    """Pairs of points that look alike.

    Parameters
    ----------
    asked, known
        Column, row and natural logarithm of the size of both points, shape (matches, 3).
    asked_point, known_point
        Their numbers within their pictures, shape (matches,).
    lead
        Orientation that leads from the known picture to the asked one, shape (matches,).
    """

    asked: NDArray[np.float64]
    known: NDArray[np.float64]
    asked_point: NDArray[np.int64]
    known_point: NDArray[np.int64]
    lead: NDArray[np.int64]


@compiled
def consistent(
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
    seen = np.full((2, MOST_POINTS), -1, np.int64)
    for pair in range(pairs):
        first = starts[pair]
        last = min(starts[pair + 1], first + MOST_MATCHES)
        for centre in range(first, last):
            count = 0
            turn = matrices[matched.lead[centre]]
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
    log_scale = matched.asked[centre, 2] - matched.known[centre, 2]
    off_scale = matched.asked[match, 2] - matched.known[match, 2] - log_scale
    if matched.lead[match] != matched.lead[centre] or abs(off_scale) > tolerance[0]:
        return False
    scale = math.exp(log_scale)
    known_x = matched.known[match, 0] - matched.known[centre, 0]
    known_y = matched.known[match, 1] - matched.known[centre, 1]
    asked_x = matched.asked[match, 0] - matched.asked[centre, 0]
    asked_y = matched.asked[match, 1] - matched.asked[centre, 1]
    off_x = asked_x - scale * (turn[0, 0] * known_x + turn[0, 1] * known_y)
    off_y = asked_y - scale * (turn[1, 0] * known_x + turn[1, 1] * known_y)
    most = tolerance[1] + tolerance[2] * math.sqrt(asked_x * asked_x + asked_y * asked_y)
    return bool(off_x * off_x + off_y * off_y <= most * most)


@compiled
def _is_new(matched: Matched, centre: int, match: int, seen: NDArray[np.int64]) -> bool:
    """Whether neither point of a match was seen around this centre; now they were."""
    asked_point, known_point = matched.asked_point[match], matched.known_point[match]
    if seen[0, asked_point] == centre or seen[1, known_point] == centre:
        return False
    seen[0, asked_point] = seen[1, known_point] = centre
    return True


@compiled
def repeated(
    query: NDArray[np.int64],
    known: NDArray[np.int64],
    picture: NDArray[np.int64],
    n_pictures: int,
    n_known: int,
    fewest: int,
) -> NDArray[np.int64]:
    """Find the hits on known pictures that have several from the same asked picture.

    Parameters
    ----------
    query, known
        Number of the reading that asked and of the known picture, of each hit, shape (n,).
    picture
        The asked picture of each reading, rising.
    n_pictures, n_known
        How many pictures ask, and how many are known.
    fewest
        Hits that are enough, up to 255.

    Returns
    -------
    numpy.ndarray
        Numbers of the hits, those of each asked picture together.
    """
    starts = np.zeros(n_pictures + 1, np.int64)
    for n in query:
        starts[picture[n] + 1] += 1
    starts = np.cumsum(starts)
    order, places = np.empty(len(query), np.int64), starts.copy()
    for hit in range(len(query)):
        asked = picture[query[hit]]
        order[places[asked]] = hit
        places[asked] += 1
    # A table of counts is several times as fast as putting all hits in order: most are the only one of their pair.
    counts = np.zeros(n_known, np.uint8)
    kept, n_kept = np.empty(len(query) + 1, np.int64), 0
    for asked in range(n_pictures):
        own = order[starts[asked] : starts[asked + 1]]
        for hit in own:
            counts[known[hit]] = min(counts[known[hit]] + 1, fewest)
        for hit in own:
            kept[n_kept] = hit
            n_kept += int(counts[known[hit]] >= fewest)
        for hit in own:
            counts[known[hit]] = 0
    return kept[:n_kept]


@compiled
def accompanied(pair: NDArray[np.int64], lead: NDArray[np.int64], fewest: int) -> NDArray[np.int64]:
    """Find the matches of which there are several in one pair of pictures with one orientation: others cannot agree.

    Parameters
    ----------
    pair
        Rising, shape (n,).
    lead
        Orientation that leads from the known picture to the asked one, shape (n,).
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
            counts[lead[last]] += 1
            last += 1
        for match in range(first, last):
            kept[n_kept] = match
            n_kept += int(counts[lead[match]] >= fewest)
        first = last
    return kept[:n_kept]
