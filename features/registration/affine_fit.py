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
def aligned(
    asked: NDArray[np.float64],
    asked_hash: NDArray[np.uint64],
    known: NDArray[np.float64],
    known_hash: NDArray[np.uint64],
    lead: NDArray[np.float64],
    rules: Rules,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Fit the map from the known picture to the asked one to partners, and choose these anew, round after round.

    Parameters
    ----------
    asked, known
        Column, row (pixels of the own frame) and natural logarithm of the size, shapes (n, 3) and (m, 3).
    asked_hash, known_hash
        Hashes in one orientation, shapes (n,) and (m,).
    lead
        Leads roughly from the known frame to the asked one, shape (2, 3).
    rules
        When points are partners.

    Returns
    -------
    tuple
        The map, shape (2, 3), and the number of each asked point's partner or -1, shape (n,).
    """
    partner = np.full(len(asked), -1, np.int64)
    for near_pixels in rules.near_pixels:
        near = np.array([rules.near_log_size, near_pixels])
        at = moved(known, lead, rules.smallest_scale)
        partner = partners(asked, asked_hash, at, known_hash, near, rules.most_bits)
        asked_point = np.flatnonzero(partner >= 0)
        if len(asked_point) < rules.fewest:
            break
        lead = _fitted(asked, known, asked_point, partner[asked_point], lead, rules.stiffness_pixels**2)
    return lead, partner


@compiled
def moved(at: NDArray[np.float64], lead: NDArray[np.float64], smallest_scale: float) -> NDArray[np.float64]:
    """Return where a map leads points, and the logarithm of the size they have there, shape (n, 3)."""
    area = abs(lead[0, 0] * lead[1, 1] - lead[0, 1] * lead[1, 0])
    log_scale = 0.5 * math.log(max(area, smallest_scale * smallest_scale))
    out = np.empty_like(at)
    for n in range(len(at)):
        out[n, 0] = lead[0, 0] * at[n, 0] + lead[0, 1] * at[n, 1] + lead[0, 2]
        out[n, 1] = lead[1, 0] * at[n, 0] + lead[1, 1] * at[n, 1] + lead[1, 2]
        out[n, 2] = at[n, 2] + log_scale
    return out


@compiled
def _fitted(
    asked: NDArray[np.float64],
    known: NDArray[np.float64],
    asked_point: NDArray[np.int64],
    known_point: NDArray[np.int64],
    lead: NDArray[np.float64],
    stiffness: float,
) -> NDArray[np.float64]:
    """Return the affine map that fits matches best, held to the shape of the last one."""
    asked_middle, known_middle = _middle(asked, asked_point), _middle(known, known_point)
    squares, products = stiffness * np.eye(2), stiffness * lead[:, :2]
    for n in range(len(asked_point)):
        for i in range(2):
            known_off = known[known_point[n], i] - known_middle[i]
            for j in range(2):
                squares[i, j] += known_off * (known[known_point[n], j] - known_middle[j])
                products[j, i] += known_off * (asked[asked_point[n], j] - asked_middle[j])
    area = squares[0, 0] * squares[1, 1] - squares[0, 1] * squares[1, 0]
    out = np.empty((2, 3))
    for j in range(2):
        out[j, 0] = (products[j, 0] * squares[1, 1] - products[j, 1] * squares[1, 0]) / area
        out[j, 1] = (products[j, 1] * squares[0, 0] - products[j, 0] * squares[0, 1]) / area
        out[j, 2] = asked_middle[j] - out[j, 0] * known_middle[0] - out[j, 1] * known_middle[1]
    return out


@compiled
def _middle(at: NDArray[np.float64], chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean place of some points, shape (2,)."""
    total = np.zeros(2)
    for n in chosen:
        total += at[n, :2]
    return total / len(chosen)


@compiled
def shown(
    at: NDArray[np.float64],
    lead: NDArray[np.float64],
    frame: NDArray[np.float64],
    log_sizes: NDArray[np.float64],
    smallest_scale: float,
) -> int:
    """Count the points that a map leads into another frame, to a size between two that could be found there."""
    count = 0
    for x, y, log_size in moved(at, lead, smallest_scale):
        inside = 0 < x < frame[0] and 0 < y < frame[1]
        count += int(inside and log_sizes[0] < log_size < log_sizes[1])
    return count


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
    distance = np.full(len(asked), most_bits + 1, np.int64)
    by_row = np.argsort(known[:, 1])
    rows = known[by_row, 1]
    for n in range(len(asked)):
        for k in range(np.searchsorted(rows, asked[n, 1] - near[1]), len(known)):
            m = by_row[k]
            x, y = asked[n, 0] - known[m, 0], asked[n, 1] - known[m, 1]
            if -y > near[1]:
                break
            if x * x + y * y > near[1] * near[1] or abs(asked[n, 2] - known[m, 2]) > near[0]:
                continue
            bits = _differing_bits(asked_hash[n] ^ known_hash[m], most_bits)
            if bits < distance[n] or (bits == distance[n] and m < found[n]):
                distance[n], found[n] = bits, m
    _leave_to_nearest(found, distance, len(known))
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
    """Leave each of the known points to the most similar of those that found it, the first one among equals."""
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
