"""Which known pictures are worth laying over an asked one: those whose points agree on a place for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.copies.hough_kernels import accompanied, repeated
from features.copies.hough_voting import Matches, Votes, vote
from features.keypoints.keypoints import KEYPOINT
from features.keypoints.orientations import BETWEEN, N_ORIENTATIONS, orientation_hypotheses, upright
from features.registration.alignment import geometry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.hamming.hamming_index import Index

INDEXED = 128
"""Points of a known picture that can be found, the most useful ones; an asked picture asks with all of its own."""
RADIUS_BITS = 7
"""Copies turned by 8 degrees need the seventh bit."""
CHUNK_RADIUS_BITS, TABLES = 1, 3
"""An asked point is looked up where it finds any point that differs in five bits or less, and most of the others: a
copy has many points, and two of them are enough. Always with as many tables, so that all that is found of a pair of
pictures depends on these two."""
SHUFFLE = 29 * np.arange(64) % 64
"""Order of the bits of a key. Neighbouring frequencies go together, and the index looks keys up by neighbouring bits:
every 29th bit instead leaves a fifth of the keys to be compared (measured: 20 against 104 times those of even keys)."""
SHUFFLED_AT_ONCE = 1 << 18
FEWEST_VOTES = 2
MOST_CANDIDATES = 24
PAIR_SHIFT = 32
PICTURE_MASK = (1 << PAIR_SHIFT) - 1
KNOWN_BITS, MATCH_BITS = 25, 18
"""What the number of a known picture takes, and what a match within a pair of pictures: one of 128 known points, and
one of up to 256 asked points in up to eight orientations."""
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


class Asking(NamedTuple):
    """Every way in which the points of asked pictures may be upright.

    Parameters
    ----------
    points, number
        The points of all pictures together, and their numbers within their pictures, shape (points,).
    row, orientation, hashes
        The point of each reading, its orientation and upright hash, as
        `features.keypoints.orientations.orientation_hypotheses` gives them.
    picture
        That the point of each reading is of.
    first
        The first reading of each picture, shape (pictures,).
    """

    points: NDArray[np.void]
    number: NDArray[np.int64]
    row: NDArray[np.int64]
    orientation: NDArray[np.uint8]
    hashes: NDArray[np.uint64]
    picture: NDArray[np.int64]
    first: NDArray[np.int64]

    @classmethod
    def of(cls, asked: NDArray[np.void]) -> Asking:
        """Take the points of pictures, empty ones behind, shape (pictures, 256)."""
        picture, number = np.nonzero(asked["size"])
        points = asked[picture, number]
        row, orientation, hashes = orientation_hypotheses(points)
        first = np.searchsorted(picture[row], np.arange(len(asked)))
        return cls(points, number, row, orientation, hashes, picture[row], first)


@dataclass(frozen=True, slots=True, eq=False)
class PointIndex:
    """Known pictures, found by their points.

    Parameters
    ----------
    index
        Over what `keys_of` gives.
    details
        What `details_of` gives, of consecutive pictures from number 0 on, in parts.
    """

    index: Index
    details: tuple[NDArray[np.uint64], ...]

    def candidates(self, asked: NDArray[np.void]) -> Votes:
        """Find the known pictures on which most points of asked ones agree.

        Parameters
        ----------
        asked
            Points of the asked pictures, empty ones behind, shape (pictures, 256).

        Returns
        -------
        Votes
            At most `MOST_CANDIDATES` of each, the best first, so that what follows stays bounded however many look a
            little alike. An asked picture that is known itself is among them.
        """
        asking = Asking.of(asked)
        query, near = self.index.items_near(_shuffled(asking.hashes), RADIUS_BITS, CHUNK_RADIUS_BITS)
        item = near.astype(np.int64)
        several = repeated(query, item // INDEXED, asking.picture, len(asked), self._n_pictures, FEWEST_VOTES)
        pair, reading, known_point = _in_order(asking, query[several], item[several])
        details = self._details((pair & PICTURE_MASK) * INDEXED + known_point)
        leads = BETWEEN[asking.orientation[reading], _field(details, "turn")].astype(np.int64)
        rows = accompanied(pair, leads, FEWEST_VOTES)
        matches = _matches(asking, pair[rows], reading[rows], known_point[rows], details[rows])
        return _best(vote(matches, FEWEST_VOTES))

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
    asking: Asking, query: NDArray[np.int64], item: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return matches by pair of pictures, reading and known point, which are given in this order."""
    picture = asking.picture[query]
    # Sorted as one number each, many times as fast as by columns: 18 of its bits tell the matches of a pair apart.
    match = (picture << KNOWN_BITS | item // INDEXED) << MATCH_BITS
    match |= (query - asking.first[picture]) * INDEXED + item % INDEXED
    match.sort()
    picture, known = np.divmod(match >> MATCH_BITS, 1 << KNOWN_BITS)
    reading, known_point = np.divmod(match & (1 << MATCH_BITS) - 1, INDEXED)
    return picture << PAIR_SHIFT | known, asking.first[picture] + reading, known_point


def _matches(
    asking: Asking,
    pair: NDArray[np.int64],
    reading: NDArray[np.int64],
    known_point: NDArray[np.int64],
    details: NDArray[np.uint64],
) -> Matches:
    """Add what is known of both points to matches."""
    row, known = asking.row[reading], _unpacked(details)
    return Matches(
        pair=pair,
        asked=geometry(asking.points)[row],
        known=geometry(known),
        asked_point=asking.number[row],
        known_point=known_point,
        asked_turn=asking.orientation[reading],
        known_turn=known["turn"],
    )


def _best(votes: Votes) -> Votes:
    """Keep the best candidates of each asked picture."""
    order = np.lexsort((votes.pair, -votes.agreeing, votes.pair >> PAIR_SHIFT))
    asked = votes.pair[order] >> PAIR_SHIFT
    rank = np.arange(len(order)) - np.searchsorted(asked, asked)
    return votes.take(order[rank < MOST_CANDIDATES])
