"""How one picture lies in another: what their points tell together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.kernels.votes import consistent, partners
from features.orientations import BETWEEN, MATRICES
from features.points import PLACE_UNIT, SIZE_UNIT, upright

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.points import Points

LOG_SCALE_TOLERANCE = 0.35
"""Natural logarithm: a factor of 1.4."""
PLACE_TOLERANCE_PIXELS = 12.0
PLACE_TOLERANCE_SHARE = 0.25
"""Of the distance between two points: turned by 10 degrees or squeezed by a fifth, they still agree."""
TOLERANCE = np.array([LOG_SCALE_TOLERANCE, PLACE_TOLERANCE_PIXELS, PLACE_TOLERANCE_SHARE])

PARTNER_BITS = 14
"""Most differing bits of two points that lie where they should; chance pairs differ in 31 of 63 bits, give or take 4."""
PARTNER_PIXELS = (24.0, 10.0, 6.0)
"""How near, in the first round and in those that follow."""
PARTNER_LOG_SIZE = 0.5
STIFFNESS_PIXELS = 40.0
"""The shape of the first guess counts as much as one match this far away, so that two matches do not shear it."""
LOG_2 = math.log(2.0)


class Alignment(NamedTuple):
    """How a known picture lies in the asked one.

    Parameters
    ----------
    lead
        Leads from a place in the frame of the known picture to the same in the asked one's, pixels, shape (2, 3).
    matches
        How many points agree.
    """

    lead: NDArray[np.float64]
    matches: int


def geometry(points: Points) -> NDArray[np.float64]:
    """Return column, row (pixels of the frame) and natural logarithm of the size, shape (n, 3)."""
    return np.column_stack([points.place * PLACE_UNIT, points.size * (SIZE_UNIT * LOG_2)])


def align(asked: Points, known: Points, guess: NDArray[np.float64], orientation: int) -> Alignment:
    """Lay a known picture over the asked one, starting from a guess.

    Parameters
    ----------
    guess
        Leads roughly from the known frame to the asked one, shape (2, 3).
    orientation
        The orientation (see `features.orientations`) that the guess contains.
    """
    asked_at, known_at = geometry(asked), geometry(known)
    turned_hash = upright(known.hash, np.full(len(known.hash), orientation, np.uint8))
    lead, count = guess, 0
    for near in PARTNER_PIXELS:
        moved = _moved(known_at, lead)
        bounds = np.array([PARTNER_LOG_SIZE, near])
        partner = partners(asked_at, asked.hash, moved, turned_hash, bounds, PARTNER_BITS)
        matched = np.flatnonzero(partner >= 0)
        count = len(matched)
        if count < 2:
            break
        lead = _fitted(known_at[partner[matched], :2], asked_at[matched, :2], lead)
    return Alignment(lead, count)


def _moved(at: NDArray[np.float64], lead: NDArray[np.float64]) -> NDArray[np.float64]:
    log_scale = 0.5 * math.log(max(abs(np.linalg.det(lead[:, :2])), 1e-6))
    return np.column_stack([at[:, :2] @ lead[:, :2].T + lead[:, 2], at[:, 2] + log_scale])


def _fitted(known: NDArray[np.float64], asked: NDArray[np.float64], lead: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the affine map that fits matches best, held to the shape of the last one."""
    known_middle, asked_middle = known.mean(axis=0), asked.mean(axis=0)
    known_off, asked_off = known - known_middle, asked - asked_middle
    stiffness = STIFFNESS_PIXELS**2 * np.eye(2)
    shape = np.linalg.solve(known_off.T @ known_off + stiffness, known_off.T @ asked_off + stiffness @ lead[:, :2].T).T
    return np.column_stack([shape, asked_middle - shape @ known_middle])


class Votes(NamedTuple):
    """What the matches of points say about pictures: size of the largest consistent set, and a guess from it.

    Parameters
    ----------
    picture
        Numbers of the known pictures, shape (n,).
    count
        Matches that agree, shape (n,).
    guess
        Leads from known frame to asked frame, shape (n, 2, 3).
    orientation
        That the guess contains, shape (n,).
    """

    picture: NDArray[np.int64]
    count: NDArray[np.int64]
    guess: NDArray[np.float64]
    orientation: NDArray[np.int64]


class Matches(NamedTuple):
    """Points of an asked picture and points of known pictures that look alike, ordered by known picture.

    Parameters
    ----------
    picture
        Number of the known picture, shape (n,).
    asked, known
        Geometry of both points, shape (n, 3); see `geometry`.
    asked_point, known_point
        Their numbers within their pictures, shape (n,).
    asked_turn, known_turn
        Orientations in which they look alike, shape (n,).
    """

    picture: NDArray[np.int64]
    asked: NDArray[np.float64]
    known: NDArray[np.float64]
    asked_point: NDArray[np.int64]
    known_point: NDArray[np.int64]
    asked_turn: NDArray[np.uint8]
    known_turn: NDArray[np.uint8]


def vote(matches: Matches) -> Votes:
    """Find, for each known picture, where most of its matches say that it lies."""
    changes = np.flatnonzero(np.diff(matches.picture, prepend=-1))
    starts = np.append(changes, len(matches.picture)).astype(np.int64)
    leads = BETWEEN[matches.asked_turn, matches.known_turn].astype(np.int64)
    count, around = consistent(
        starts,
        matches.asked,
        matches.known,
        matches.asked_point,
        matches.known_point,
        leads,
        MATRICES.astype(np.float64),
        TOLERANCE,
    )
    orientation = leads[around]
    scale = np.exp(matches.asked[around, 2] - matches.known[around, 2])
    shape = scale[:, None, None] * MATRICES[orientation]
    at = matches.asked[around, :2] - np.einsum("nij,nj->ni", shape, matches.known[around, :2])
    guess = np.concatenate([shape, at[:, :, None]], axis=2)
    return Votes(matches.picture[changes], count, guess, orientation)
