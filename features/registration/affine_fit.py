"""How one picture lies in another: partners among their points, and the affine map that fits these."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Rules(NamedTuple):
    """What makes two points partners, and how stiff the map is that is fitted to them.

    Parameters
    ----------
    near_pixels
        Of each round, shape (rounds,).
    near_log_size
        Most that the logarithms of the sizes may differ.
    most_bits
        Most differing bits.
    fewest
        Partners without which there is no further round.
    stiffness_pixels
        The shape of the last map counts as much as one match this far away.
    smallest_scale
        Taken for any smaller one.
    """

    near_pixels: NDArray[np.float64]
    near_log_size: float
    most_bits: int
    fewest: int
    stiffness_pixels: float
    smallest_scale: float


@compiled
def fit_affine(
    query: NDArray[np.float64],
    query_hash: NDArray[np.uint64],
    reference: NDArray[np.float64],
    reference_hash: NDArray[np.uint64],
    transform: NDArray[np.float64],
    rules: Rules,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Fit the map from the reference picture to the query to partners, and choose these anew, round after round.

    Parameters
    ----------
    query, reference
        Column, row (pixels of the own frame) and natural logarithm of the size, shapes (n, 3) and (m, 3).
    query_hash, reference_hash
        Hashes in one orientation, shapes (n,) and (m,).
    transform
        Leads roughly from the reference frame to the query, shape (2, 3).
    rules
        When points are partners.

    Returns
    -------
    tuple
        The map, shape (2, 3), and the number of each query point's partner or -1, shape (n,).
    """
    partner = np.full(len(query), -1, np.int64)
    for near_pixels in rules.near_pixels:
        near = np.array([rules.near_log_size, near_pixels])
        at = transform_keypoints(reference, transform, rules.smallest_scale)
        partner = partners(query, query_hash, at, reference_hash, near, rules.most_bits)
        query_point = np.flatnonzero(partner >= 0)
        if len(query_point) < rules.fewest:
            break
        transform = _least_squares(
            query, reference, query_point, partner[query_point], transform, rules.stiffness_pixels**2
        )
    return transform, partner


@compiled
def transform_keypoints(
    at: NDArray[np.float64], transform: NDArray[np.float64], smallest_scale: float
) -> NDArray[np.float64]:
    """Return where a map leads points, and the logarithm of the size they have there, shape (n, 3)."""
    area = abs(transform[0, 0] * transform[1, 1] - transform[0, 1] * transform[1, 0])
    log_scale = 0.5 * math.log(max(area, smallest_scale * smallest_scale))
    out = np.empty_like(at)
    for n in range(len(at)):
        out[n, 0] = transform[0, 0] * at[n, 0] + transform[0, 1] * at[n, 1] + transform[0, 2]
        out[n, 1] = transform[1, 0] * at[n, 0] + transform[1, 1] * at[n, 1] + transform[1, 2]
        out[n, 2] = at[n, 2] + log_scale
    return out


@compiled
def _least_squares(
    query: NDArray[np.float64],
    reference: NDArray[np.float64],
    query_point: NDArray[np.int64],
    reference_point: NDArray[np.int64],
    transform: NDArray[np.float64],
    stiffness: float,
) -> NDArray[np.float64]:
    """Return the affine map that fits matches best, held to the shape of the last one."""
    query_middle, reference_middle = _middle(query, query_point), _middle(reference, reference_point)
    squares, products = stiffness * np.eye(2), stiffness * transform[:, :2]
    for n in range(len(query_point)):
        for i in range(2):
            reference_off = reference[reference_point[n], i] - reference_middle[i]
            for j in range(2):
                squares[i, j] += reference_off * (reference[reference_point[n], j] - reference_middle[j])
                products[j, i] += reference_off * (query[query_point[n], j] - query_middle[j])
    area = squares[0, 0] * squares[1, 1] - squares[0, 1] * squares[1, 0]
    out = np.empty((2, 3))
    for j in range(2):
        out[j, 0] = (products[j, 0] * squares[1, 1] - products[j, 1] * squares[1, 0]) / area
        out[j, 1] = (products[j, 1] * squares[0, 0] - products[j, 0] * squares[0, 1]) / area
        out[j, 2] = query_middle[j] - out[j, 0] * reference_middle[0] - out[j, 1] * reference_middle[1]
    return out


@compiled
def _middle(at: NDArray[np.float64], chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean place of some points, shape (2,)."""
    total = np.zeros(2)
    for n in chosen:
        total += at[n, :2]
    return total / len(chosen)


@compiled
def count_visible(
    at: NDArray[np.float64],
    transform: NDArray[np.float64],
    frame: NDArray[np.float64],
    log_sizes: NDArray[np.float64],
    smallest_scale: float,
) -> int:
    """Count the points that a map leads into another frame, to a size between two that could be found there."""
    count = 0
    for x, y, log_size in transform_keypoints(at, transform, smallest_scale):
        inside = 0 < x < frame[0] and 0 < y < frame[1]
        count += int(inside and log_sizes[0] < log_size < log_sizes[1])
    return count


@compiled
def partners(
    query: NDArray[np.float64],
    query_hash: NDArray[np.uint64],
    reference: NDArray[np.float64],
    reference_hash: NDArray[np.uint64],
    near: NDArray[np.float64],
    most_bits: int,
) -> NDArray[np.int64]:
    """Find for each point the most similar one near to where it should lie.

    Parameters
    ----------
    query, reference
        Column, row and natural logarithm of the size, in one frame, shapes (n, 3) and (m, 3).
    query_hash, reference_hash
        Hashes in one orientation, shapes (n,) and (m,).
    near
        Most that the logarithms of the sizes may differ, and most pixels from place to place, shape (2,).
    most_bits
        Most differing bits.

    Returns
    -------
    numpy.ndarray
        Number of the reference point or -1, shape (n,); no reference point has two partners.
    """
    found = np.full(len(query), -1, np.int64)
    distance = np.full(len(query), most_bits + 1, np.int64)
    by_row = np.argsort(reference[:, 1])
    rows = reference[by_row, 1]
    for n in range(len(query)):
        for k in range(np.searchsorted(rows, query[n, 1] - near[1]), len(reference)):
            m = by_row[k]
            x, y = query[n, 0] - reference[m, 0], query[n, 1] - reference[m, 1]
            if -y > near[1]:
                break
            if x * x + y * y > near[1] * near[1] or abs(query[n, 2] - reference[m, 2]) > near[0]:
                continue
            bits = _differing_bits(query_hash[n] ^ reference_hash[m], most_bits)
            if bits < distance[n] or (bits == distance[n] and m < found[n]):
                distance[n], found[n] = bits, m
    _leave_to_nearest(found, distance, len(reference))
    return found


@compiled
def _differing_bits(rest: np.uint64, most: int) -> int:
    """Count bits, as far as one more than ``most``."""
    bits = 0
    while rest and bits <= most:
        rest &= rest - np.uint64(1)
        bits += 1
    return bits


@compiled
def _leave_to_nearest(found: NDArray[np.int64], distance: NDArray[np.int64], count: int) -> None:
    """Leave each of the reference points to the most similar of those that found it, the first one among equals."""
    owner = np.full(count, -1, np.int64)
    for n in range(len(found)):
        m = found[n]
        if m < 0:
            continue
        if owner[m] >= 0 and distance[owner[m]] <= distance[n]:
            found[n] = -1
            continue
        if owner[m] >= 0:
            found[owner[m]] = -1
        owner[m] = n
