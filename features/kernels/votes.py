"""Which matches of points agree on how one picture lies in another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from features.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_MATCHES = 512
"""Of one pair of pictures that are looked at."""
MOST_POINTS = 256


@compiled
def consistent(
    starts: NDArray[np.int64],
    asked: NDArray[np.float64],
    known: NDArray[np.float64],
    asked_point: NDArray[np.int64],
    known_point: NDArray[np.int64],
    leads: NDArray[np.int64],
    matrices: NDArray[np.float64],
    tolerance: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the largest set of matches of each pair of pictures that tell of one place, scale and orientation.

    Parameters
    ----------
    starts
        Where the matches of each pair begin, and the end, shape (pairs + 1,).
    asked, known
        Column, row and natural logarithm of the size of the matched points, shape (matches, 3).
    asked_point, known_point
        Number of the points within their pictures, shape (matches,): each counts once.
    leads
        Orientation that leads from the known picture to the asked one, shape (matches,).
    matrices
        What each orientation does to a vector, shape (8, 2, 2).
    tolerance
        Of the logarithm of the scale, of the place in pixels, and of the place for each pixel of distance, shape (3,).

    Returns
    -------
    tuple
        The size of the set and the match that it lies around, shapes (pairs,).
    """
    pairs = starts.size - 1
    best = np.zeros(pairs, np.int64)
    around = np.zeros(pairs, np.int64)
    asked_seen = np.full(MOST_POINTS, -1, np.int64)
    known_seen = np.full(MOST_POINTS, -1, np.int64)
    for pair in range(pairs):
        first = starts[pair]
        last = min(starts[pair + 1], first + MOST_MATCHES)
        for a in range(first, last):
            log_scale = asked[a, 2] - known[a, 2]
            scale = math.exp(log_scale)
            turn = matrices[leads[a]]
            count = 0
            for b in range(first, last):
                if leads[b] != leads[a] or abs(asked[b, 2] - known[b, 2] - log_scale) > tolerance[0]:
                    continue
                known_x, known_y = known[b, 0] - known[a, 0], known[b, 1] - known[a, 1]
                asked_x, asked_y = asked[b, 0] - asked[a, 0], asked[b, 1] - asked[a, 1]
                off_x = asked_x - scale * (turn[0, 0] * known_x + turn[0, 1] * known_y)
                off_y = asked_y - scale * (turn[1, 0] * known_x + turn[1, 1] * known_y)
                most = tolerance[1] + tolerance[2] * math.sqrt(asked_x * asked_x + asked_y * asked_y)
                if off_x * off_x + off_y * off_y > most * most:
                    continue
                if asked_seen[asked_point[b]] != a and known_seen[known_point[b]] != a:
                    asked_seen[asked_point[b]] = a
                    known_seen[known_point[b]] = a
                    count += 1
            if count > best[pair]:
                best[pair], around[pair] = count, a
    return best, around


@compiled
def partners(
    asked: NDArray[np.float64],
    asked_hash: NDArray[np.uint64],
    known: NDArray[np.float64],
    known_hash: NDArray[np.uint64],
    near: NDArray[np.float64],
    most_bits: int,
) -> NDArray[np.int64]:
    """Find for each point the most similar one near to where it should lie.

    Parameters
    ----------
    asked, known
        Column, row and natural logarithm of the size, in one frame, shapes (n, 3) and (m, 3).
    asked_hash, known_hash
        Hashes in one orientation, shapes (n,) and (m,).
    near
        Most that the logarithms of the sizes may differ, and most pixels from place to place, shape (2,).
    most_bits
        Most differing bits.

    Returns
    -------
    numpy.ndarray
        Number of the known point or -1, shape (n,); no known point has two partners.
    """
    found = np.full(len(asked), -1, np.int64)
    taken = np.full(len(known), -1, np.int64)
    distance = np.full(len(asked), most_bits + 1, np.int64)
    for n in range(len(asked)):
        for m in range(len(known)):
            x, y = asked[n, 0] - known[m, 0], asked[n, 1] - known[m, 1]
            if x * x + y * y > near[1] * near[1] or abs(asked[n, 2] - known[m, 2]) > near[0]:
                continue
            bits = 0
            rest = asked_hash[n] ^ known_hash[m]
            while rest and bits <= most_bits:
                rest &= rest - np.uint64(1)
                bits += 1
            if bits < distance[n]:
                distance[n], found[n] = bits, m
    for n in range(len(asked)):
        m = found[n]
        if m < 0:
            continue
        other = taken[m]
        if other < 0 or distance[n] < distance[other]:
            taken[m] = n
            if other >= 0:
                found[other] = -1
        else:
            found[n] = -1
    return found
