"""Which known pictures are worth laying over an asked one: those whose points agree on a place for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.alignment import geometry
from features.orientations import COUNT as TURNS
from features.points import MOST_POINTS, POINT, readings, upright
from features.votes import Matches, Votes, vote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.index.search import Index

INDEXED = 128
"""Points of a known picture that can be found, the most useful ones; an asked picture asks with all of its own."""
RADIUS_BITS = 7
"""Copies turned by 8 degrees need the seventh bit."""
SHUFFLE = -5 * np.arange(64) % 64
"""Order of the bits of a key. Neighbouring frequencies go together, and the index looks keys up by neighbouring bits:
every fifth bit instead makes its buckets a quarter as full (measured: 9.6 against 36 times the mean)."""
SHUFFLED_AT_ONCE = 1 << 18
FEWEST_VOTES = 2
MOST_CANDIDATES = 24
PAIR_SHIFT = 32
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
    return _shuffled(upright(chosen["hash"], chosen["turn"] % TURNS)), items.astype(np.uint32)


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
    values["turn"] = usable["turn"] % TURNS
    packed = np.zeros(len(usable), np.uint64)
    for name, (first_bit, _) in FIELDS.items():
        packed |= values[name].astype(np.uint64) << np.uint64(first_bit)
    return packed


def _field(packed: NDArray[np.uint64], name: str) -> NDArray[np.uint64]:
    first_bit, bits = FIELDS[name]
    return (packed >> np.uint64(first_bit)) & np.uint64((1 << bits) - 1)


def _unpacked(packed: NDArray[np.uint64]) -> NDArray[np.void]:
    points = np.zeros(len(packed), POINT)
    points["place"][:, 0], points["place"][:, 1] = _field(packed, "column"), _field(packed, "row")
    points["size"], points["turn"] = _field(packed, "size"), _field(packed, "turn")
    return points


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
        points = asked.ravel()
        there = np.flatnonzero(points["size"])
        number, orientation, hashes = readings(points[there])
        hits = self.index.within(_shuffled(hashes), RADIUS_BITS)
        item = self.index.items_at(hits.key_index).astype(np.int64)
        asked_point = there[number[hits.query_index]]
        pair = asked_point // MOST_POINTS << PAIR_SHIFT | item // INDEXED
        several = np.flatnonzero(_counts(pair) >= FEWEST_VOTES)
        # The points of a picture keep their order in whichever part of the index they are.
        chosen = several[np.argsort(pair[several], kind="stable")]
        known = _unpacked(self._details(item[chosen]))
        votes = vote(
            Matches(
                pair=pair[chosen],
                asked=geometry(points[asked_point[chosen]]),
                known=geometry(known),
                asked_point=asked_point[chosen] % MOST_POINTS,
                known_point=item[chosen] % INDEXED,
                asked_turn=orientation[hits.query_index[chosen]],
                known_turn=known["turn"],
            )
        )
        return _best(votes)

    def _details(self, items: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return what is known of indexed points."""
        bases = np.append(0, np.cumsum([part.size for part in self.details]))
        owner = np.searchsorted(bases, items, side="right") - 1
        out = np.empty(len(items), np.uint64)
        for number, part in enumerate(self.details):
            mine = owner == number
            out[mine] = part[items[mine] - bases[number]]
        return out


def _counts(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each value is among all, shape (n,)."""
    _, number, count = np.unique(values, return_inverse=True, return_counts=True)
    return count[number]


def _best(votes: Votes) -> Votes:
    """Keep the best candidates of each asked picture."""
    order = np.lexsort((votes.pair, -votes.agreeing, votes.pair >> PAIR_SHIFT))
    asked = votes.pair[order] >> PAIR_SHIFT
    rank = np.arange(len(order)) - np.searchsorted(asked, asked)
    return votes.take(order[(rank < MOST_CANDIDATES) & (votes.agreeing[order] >= FEWEST_VOTES)])
