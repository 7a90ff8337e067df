"""Which reference pictures are worth registering on a query: those whose keypoints agree on a place for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.copies.hough_kernels import Matched, largest_consistent_sets, repeated_hits, supported_matches
from features.keypoints.keypoints import KEYPOINT
from features.keypoints.orientations import BETWEEN, MATRICES, N_ORIENTATIONS, orientation_hypotheses, upright
from features.registration.affine import geometry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.hamming.hamming_index import Index

INDEXED = 128
"""Points of a reference picture that can be found, the most useful ones; a query picture asks with all of its own."""
RADIUS_BITS = 7
"""Copies turned by 8 degrees need the seventh bit."""
CHUNK_RADIUS_BITS, TABLES = 1, 3
"""A query point is looked up where it finds any point that differs in five bits or less, and most of the others: a
copy has many points, and two of them are enough. Always with as many tables, so that all that is found of a pair of
pictures depends on these two."""
SHUFFLE = 29 * np.arange(64) % 64
"""Order of the bits of a key. Neighbouring frequencies go together, and the index looks keys up by neighbouring bits:
every 29th bit instead leaves a fifth of the keys to be compared (measured: 20 against 104 times those of even keys)."""
SHUFFLED_AT_ONCE = 1 << 18
FEWEST_INLIERS = 2
MOST_CANDIDATES = 24
PAIR_SHIFT = 32
PICTURE_MASK = (1 << PAIR_SHIFT) - 1
REFERENCE_BITS, MATCH_BITS = 25, 18
"""What the number of a reference picture takes, and what a match within a pair of pictures: one of 128 reference
points, and one of up to 256 query points in up to eight orientations."""
FIELDS = {"column": (0, 16), "row": (16, 16), "size": (32, 8), "turn": (40, 3)}
"""First bit and width of what is packed of an indexed point."""


def keys_of(points: NDArray[np.void], first_picture: int) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """Return what an index of points holds of some pictures.

    Parameters
    ----------
    points
        Of each picture, empty ones behind, shape (pictures, 256).
    first_picture
        Number of the first of them; the others follow.

    Returns
    -------
    tuple
        Upright hashes with shuffled bits, and what each belongs to: 128 times the number of the picture, and the
        number of the point.
    """
    usable = points[:, :INDEXED]
    picture, number = np.nonzero(usable["size"])
    chosen = usable[picture, number]
    items = (picture + first_picture) * INDEXED + number
    return _shuffled(upright(chosen["hash"], chosen["turn"] % N_ORIENTATIONS)), items.astype(np.uint32)


def _shuffled(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return hashes with their bits in the order of `SHUFFLE`; distances stay what they are."""
    out = np.empty(len(hashes), np.uint64)
    for start in range(0, len(hashes), SHUFFLED_AT_ONCE):
        octets = hashes[start : start + SHUFFLED_AT_ONCE].astype(">u8").view(np.uint8).reshape(-1, 8)
        shuffled = np.packbits(np.take(np.unpackbits(octets, axis=1), SHUFFLE, axis=1), axis=1)
        out[start : start + SHUFFLED_AT_ONCE] = np.ascontiguousarray(shuffled).view(">u8").ravel()
    return out


def details_of(points: NDArray[np.void]) -> NDArray[np.uint64]:
    """Return where the indexed points of pictures are and how they are turned, packed, shape (pictures * 128,)."""
    usable = points[:, :INDEXED].ravel()
    values = {"column": usable["place"][:, 0], "row": usable["place"][:, 1], "size": usable["size"]}
    values["turn"] = usable["turn"] % N_ORIENTATIONS
    packed = np.zeros(len(usable), np.uint64)
    for name, (first_bit, _) in FIELDS.items():
        packed |= values[name].astype(np.uint64) << np.uint64(first_bit)
    return packed


def _field(packed: NDArray[np.uint64], name: str) -> NDArray[np.uint64]:
    first_bit, bits = FIELDS[name]
    return (packed >> np.uint64(first_bit)) & np.uint64((1 << bits) - 1)


def _unpacked(packed: NDArray[np.uint64]) -> NDArray[np.void]:
    points = np.zeros(len(packed), KEYPOINT)
    points["place"][:, 0], points["place"][:, 1] = _field(packed, "column"), _field(packed, "row")
    points["size"], points["turn"] = _field(packed, "size"), _field(packed, "turn")
    return points


class QueryKeypoints(NamedTuple):
    """Every way in which the points of query pictures may be upright.

    Parameters
    ----------
    points, number
        The points of all pictures together, and their numbers within their pictures, shape (points,).
    row, orientation, hashes
        The point of each hypothesis, its orientation and upright hash, as
        `features.keypoints.orientations.orientation_hypotheses` gives them.
    picture
        That the point of each hypothesis is of.
    first
        The first hypothesis of each picture, shape (pictures,).
    """

    points: NDArray[np.void]
    number: NDArray[np.int64]
    row: NDArray[np.int64]
    orientation: NDArray[np.uint8]
    hashes: NDArray[np.uint64]
    picture: NDArray[np.int64]
    first: NDArray[np.int64]

    @classmethod
    def of(cls, query: NDArray[np.void]) -> QueryKeypoints:
        """Take the points of pictures, empty ones behind, shape (pictures, 256)."""
        picture, number = np.nonzero(query["size"])
        points = query[picture, number]
        row, orientation, hashes = orientation_hypotheses(points)
        first = np.searchsorted(picture[row], np.arange(len(query)))
        return cls(points, number, row, orientation, hashes, picture[row], first)


@dataclass(frozen=True, slots=True, eq=False)
class PointIndex:
    """Reference pictures, found by their points.

    Parameters
    ----------
    index
        Over what `keys_of` gives.
    details
        What `details_of` gives, of consecutive pictures from number 0 on, in parts.
    """

    index: Index
    details: tuple[NDArray[np.uint64], ...]

    def candidates(self, query: NDArray[np.void]) -> HoughPeaks:
        """Find the reference pictures on which most points of queries agree.

        Parameters
        ----------
        query
            Points of the query pictures, empty ones behind, shape (pictures, 256).

        Returns
        -------
        Votes
            At most `MOST_CANDIDATES` of each, the best first, so that what follows stays bounded however many look a
            little alike. A query picture that is known itself is among them.
        """
        keypoints = QueryKeypoints.of(query)
        hit_hypothesis, near = self.index.items_near(_shuffled(keypoints.hashes), RADIUS_BITS, CHUNK_RADIUS_BITS)
        item = near.astype(np.int64)
        several = repeated_hits(
            hit_hypothesis, item // INDEXED, keypoints.picture, len(query), self._n_pictures, FEWEST_INLIERS
        )
        pair, hypothesis, reference_point = _in_order(keypoints, hit_hypothesis[several], item[several])
        details = self._details((pair & PICTURE_MASK) * INDEXED + reference_point)
        orientations = BETWEEN[keypoints.orientation[hypothesis], _field(details, "turn")].astype(np.int64)
        rows = supported_matches(pair, orientations, FEWEST_INLIERS)
        matches = _matches(keypoints, pair[rows], hypothesis[rows], reference_point[rows], details[rows])
        return _best(hough_voting(matches, FEWEST_INLIERS))

    @property
    def _n_pictures(self) -> int:
        return sum(part.size for part in self.details) // INDEXED

    def _details(self, items: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return what is known of indexed points."""
        bases = np.append(0, np.cumsum([part.size for part in self.details]))
        owner = np.searchsorted(bases, items, side="right") - 1
        out = np.empty(len(items), np.uint64)
        for number, part in enumerate(self.details):
            mine = owner == number
            out[mine] = part[items[mine] - bases[number]]
        return out


def _in_order(
    keypoints: QueryKeypoints, hit_hypothesis: NDArray[np.int64], item: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return matches by pair of pictures, reading and reference point, which are given in this order."""
    picture = keypoints.picture[hit_hypothesis]
    # Sorted as one number each, many times as fast as by columns: 18 of its bits tell the matches of a pair apart.
    match = (picture << REFERENCE_BITS | item // INDEXED) << MATCH_BITS
    match |= (hit_hypothesis - keypoints.first[picture]) * INDEXED + item % INDEXED
    match.sort()
    picture, reference = np.divmod(match >> MATCH_BITS, 1 << REFERENCE_BITS)
    hypothesis, reference_point = np.divmod(match & (1 << MATCH_BITS) - 1, INDEXED)
    return picture << PAIR_SHIFT | reference, keypoints.first[picture] + hypothesis, reference_point


def _matches(
    keypoints: QueryKeypoints,
    pair: NDArray[np.int64],
    hypothesis: NDArray[np.int64],
    reference_point: NDArray[np.int64],
    details: NDArray[np.uint64],
) -> Matches:
    """Add what is known of both points to matches."""
    row, reference = keypoints.row[hypothesis], _unpacked(details)
    return Matches(
        pair=pair,
        query=geometry(keypoints.points)[row],
        reference=geometry(reference),
        query_point=keypoints.number[row],
        reference_point=reference_point,
        query_turn=keypoints.orientation[hypothesis],
        reference_turn=reference["turn"],
    )


def _best(peaks: HoughPeaks) -> HoughPeaks:
    """Keep the best candidates of each query picture."""
    order = np.lexsort((peaks.pair, -peaks.inliers, peaks.pair >> PAIR_SHIFT))
    query = peaks.pair[order] >> PAIR_SHIFT
    rank = np.arange(len(order)) - np.searchsorted(query, query)
    return peaks.take(order[rank < MOST_CANDIDATES])


LOG_SCALE_TOLERANCE = 0.35
"""Natural logarithm: a factor of 1.4."""
PLACE_TOLERANCE_PIXELS = 12.0
PLACE_TOLERANCE_SHARE = 0.25
"""Of the distance between two points: turned by 10 degrees or squeezed by a fifth, they still agree."""
TOLERANCE = np.array([LOG_SCALE_TOLERANCE, PLACE_TOLERANCE_PIXELS, PLACE_TOLERANCE_SHARE])


class HoughPeaks(NamedTuple):
    """What the matches of points say about pairs of pictures: size of the largest consistent set, and a guess from it.

    Parameters
    ----------
    pair
        Row of the query picture in the upper half, number of the reference in the lower half, shape (n,).
    inliers
        Matches that agree, shape (n,).
    guess
        Leads from reference frame to query frame, shape (n, 2, 3).
    orientation
        That the guess contains, shape (n,).
    """

    pair: NDArray[np.int64]
    inliers: NDArray[np.int64]
    guess: NDArray[np.float64]
    orientation: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> HoughPeaks:
        """Return some of them."""
        return HoughPeaks(self.pair[rows], self.inliers[rows], self.guess[rows], self.orientation[rows])


class Matches(NamedTuple):
    """Points of query pictures and points of reference pictures that look alike, ordered by pair.

    Parameters
    ----------
    pair
        Which two pictures they are of, shape (n,).
    query, reference
        Geometry of both points, shape (n, 3); see `geometry`.
    query_point, reference_point
        Their numbers within their pictures, shape (n,).
    query_turn, reference_turn
        Orientations in which they look alike, shape (n,).
    """

    pair: NDArray[np.int64]
    query: NDArray[np.float64]
    reference: NDArray[np.float64]
    query_point: NDArray[np.int64]
    reference_point: NDArray[np.int64]
    query_turn: NDArray[np.uint8]
    reference_turn: NDArray[np.uint8]


def hough_voting(matches: Matches, fewest: int = 1) -> HoughPeaks:
    """Find, for each pair, where most of its matches say that the reference picture lies, if at least so many agree."""
    changes = np.flatnonzero(np.diff(matches.pair, prepend=-1))
    starts = np.append(changes, len(matches.pair)).astype(np.int64)
    orientations = BETWEEN[matches.query_turn, matches.reference_turn].astype(np.int64)
    matched = Matched(matches.query, matches.reference, matches.query_point, matches.reference_point, orientations)
    inliers, around = largest_consistent_sets(starts, matched, MATRICES.astype(np.float64), TOLERANCE)
    enough = np.flatnonzero(inliers >= fewest)
    inliers, around = inliers[enough], around[enough]
    orientation = orientations[around]
    scale = np.exp(matches.query[around, 2] - matches.reference[around, 2])
    shape = scale[:, None, None] * MATRICES[orientation]
    at = matches.query[around, :2] - np.einsum("nij,nj->ni", shape, matches.reference[around, :2])
    guess = np.concatenate([shape, at[:, :, None]], axis=2)
    return HoughPeaks(matches.pair[around], inliers, guess, orientation)
