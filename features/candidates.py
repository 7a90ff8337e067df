"""Which known pictures are worth laying over an asked one: those whose points agree on a place for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from features.alignment import geometry
from features.points import POINT, TURNS, readings, upright
from features.votes import Matches, Votes, vote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.hamming import Hits

INDEXED = 128
"""Points of a known picture that can be found, the most useful ones; an asked picture asks with all of its own."""
RADIUS_BITS = 6
FEWEST_VOTES = 2
MOST_CANDIDATES = 24


FIELDS = {"column": (0, 16), "row": (16, 16), "size": (32, 8), "turn": (40, 3), "number": (43, 8)}
"""First bit and width of what is packed of an indexed point."""


class Keys(NamedTuple):
    """The points by which pictures are found.

    Parameters
    ----------
    hash
        Upright, ``uint64``, shape (n,).
    picture
        Number of the picture, ``int64``, shape (n,).
    point
        The point without its hash, and its number within its picture, packed as `FIELDS` says, ``uint64``, shape (n,).
    """

    hash: NDArray[np.uint64]
    picture: NDArray[np.int64]
    point: NDArray[np.uint64]


class Index(Protocol):
    """Finds the keys near to queries; `features.hamming.within` is what it must agree with."""

    def within(self, queries: NDArray[np.uint64], radius_bits: int) -> Hits:
        """Return all keys that differ in at most so many bits."""


def keys_of(points: NDArray[np.void], first_picture: int = 0) -> Keys:
    """Return the keys of some pictures.

    Parameters
    ----------
    points
        Of each, padded with empty ones, shape (pictures, 256).
    first_picture
        Number of the first of them; the others follow.
    """
    usable = points[:, :INDEXED]
    picture, number = np.nonzero(usable["size"])
    chosen = usable[picture, number]
    turn = chosen["turn"] % TURNS
    values = {
        "column": chosen["place"][:, 0],
        "row": chosen["place"][:, 1],
        "size": chosen["size"],
        "turn": turn,
        "number": number,
    }
    packed = np.zeros(len(chosen), np.uint64)
    for name, (first_bit, _) in FIELDS.items():
        packed |= values[name].astype(np.uint64) << np.uint64(first_bit)
    return Keys(upright(chosen["hash"], turn), picture + first_picture, packed)


def _field(packed: NDArray[np.uint64], name: str) -> NDArray[np.int64]:
    first_bit, bits = FIELDS[name]
    return ((packed >> np.uint64(first_bit)) & np.uint64((1 << bits) - 1)).astype(np.int64)


def candidates(asked: NDArray[np.void], keys: Keys, index: Index, *, leave_out: int = -1) -> Votes:
    """Find the known pictures on which most points of an asked one agree.

    Parameters
    ----------
    asked
        Points of the asked picture, with or without empty ones behind.
    keys
        Of the known pictures, in the order of the index.
    index
        Over ``keys.hash``.
    leave_out
        Number of a picture that is no candidate: the asked one itself.

    Returns
    -------
    Votes
        At most `MOST_CANDIDATES`, the best first, so that the work goes on bounded however many look a little alike.
    """
    there = asked[asked["size"] > 0]
    number, orientation, hashes = readings(there)
    hits = index.within(hashes, RADIUS_BITS)
    picture = keys.picture[hits.key_index]
    several = np.bincount(picture, minlength=1)[picture] >= FEWEST_VOTES
    chosen = np.flatnonzero(several & (picture != leave_out))
    chosen = chosen[np.argsort(picture[chosen], kind="stable")]
    reading, known = hits.query_index[chosen], keys.point[hits.key_index[chosen]]
    votes = vote(
        Matches(
            picture=picture[chosen],
            asked=geometry(there)[number[reading]],
            known=_geometry(known),
            asked_point=number[reading],
            known_point=_field(known, "number"),
            asked_turn=orientation[reading],
            known_turn=_field(known, "turn").astype(np.uint8),
        )
    )
    enough = np.flatnonzero(votes.count >= FEWEST_VOTES)
    best = enough[np.argsort(-votes.count[enough], kind="stable")[:MOST_CANDIDATES]]
    return Votes(*(array[best] for array in votes))


def _geometry(packed: NDArray[np.uint64]) -> NDArray[np.float64]:
    points = np.empty(len(packed), POINT)
    points["place"][:, 0], points["place"][:, 1] = _field(packed, "column"), _field(packed, "row")
    points["size"] = _field(packed, "size")
    return geometry(points)
