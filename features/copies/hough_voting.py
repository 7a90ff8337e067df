"""Which known pictures show points of an asked one in one consistent place, and where that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.copies.hough_kernels import Matched, consistent
from features.keypoints.orientations import BETWEEN, MATRICES

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOG_SCALE_TOLERANCE = 0.35
"""Natural logarithm: a factor of 1.4."""
PLACE_TOLERANCE_PIXELS = 12.0
PLACE_TOLERANCE_SHARE = 0.25
"""Of the distance between two points: turned by 10 degrees or squeezed by a fifth, they still agree."""
TOLERANCE = np.array([LOG_SCALE_TOLERANCE, PLACE_TOLERANCE_PIXELS, PLACE_TOLERANCE_SHARE])


class Votes(NamedTuple):
    """What the matches of points say about pairs of pictures: size of the largest consistent set, and a guess from it.

    Parameters
    ----------
    pair
        Row of the asked picture in the upper half, number of the known one in the lower half, shape (n,).
    agreeing
        Matches that agree, shape (n,).
    guess
        Leads from known frame to asked frame, shape (n, 2, 3).
    orientation
        That the guess contains, shape (n,).
    """

    pair: NDArray[np.int64]
    agreeing: NDArray[np.int64]
    guess: NDArray[np.float64]
    orientation: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> Votes:
        """Return some of them."""
        return Votes(self.pair[rows], self.agreeing[rows], self.guess[rows], self.orientation[rows])


class Matches(NamedTuple):
    """Points of asked pictures and points of known ones that look alike, ordered by pair.

    Parameters
    ----------
    pair
        Which two pictures they are of, shape (n,).
    asked, known
        Geometry of both points, shape (n, 3); see `geometry`.
    asked_point, known_point
        Their numbers within their pictures, shape (n,).
    asked_turn, known_turn
        Orientations in which they look alike, shape (n,).
    """

    pair: NDArray[np.int64]
    asked: NDArray[np.float64]
    known: NDArray[np.float64]
    asked_point: NDArray[np.int64]
    known_point: NDArray[np.int64]
    asked_turn: NDArray[np.uint8]
    known_turn: NDArray[np.uint8]


def vote(matches: Matches, fewest: int = 1) -> Votes:
    """Find, for each pair, where most of its matches say that the known picture lies, if at least so many agree."""
    changes = np.flatnonzero(np.diff(matches.pair, prepend=-1))
    starts = np.append(changes, len(matches.pair)).astype(np.int64)
    leads = BETWEEN[matches.asked_turn, matches.known_turn].astype(np.int64)
    matched = Matched(matches.asked, matches.known, matches.asked_point, matches.known_point, leads)
    agreeing, around = consistent(starts, matched, MATRICES.astype(np.float64), TOLERANCE)
    enough = np.flatnonzero(agreeing >= fewest)
    agreeing, around = agreeing[enough], around[enough]
    orientation = leads[around]
    scale = np.exp(matches.asked[around, 2] - matches.known[around, 2])
    shape = scale[:, None, None] * MATRICES[orientation]
    at = matches.asked[around, :2] - np.einsum("nij,nj->ni", shape, matches.known[around, :2])
    guess = np.concatenate([shape, at[:, :, None]], axis=2)
    return Votes(matches.pair[around], agreeing, guess, orientation)
