"""Pairs of pictures: which are worth a look, and what a look at them says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from features.candidates import PAIR_SHIFT
from features.collection import views
from features.differences import DIFFERENCES, differences
from features.edits import edits
from features.facts import DISTANCE_COLUMNS, HASH_KINDS
from features.orientations import BETWEEN, UPRIGHT
from features.overlays import OVERLAY, overlay, upright_guess
from features.points import MOST_POINTS, POINT
from features.same_photo import same_photo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from features.collection import Collection, Pictures, SketchReader
    from features.overlays import View

ASKED_AT_ONCE = 64
"""Pictures whose points are looked up together."""
NO_POINTS = np.zeros(MOST_POINTS, POINT)
LEAD_DIGITS = 4
PICTURE_MASK = (1 << PAIR_SHIFT) - 1
BLOCK_OVERLAYS = 2_000
"""Most pairs laid over each other at once: their sketches take up to 80 MB."""


class Pairs(NamedTuple):
    """Pictures that may be one photo.

    Parameters
    ----------
    asked, known
        Rows of the two pictures, shape (n,).
    votes
        Points that agreed on the place, 0 where only the hashes are near, shape (n,).
    guess
        Leads roughly from the known frame to the asked one, shape (n, 2, 3); NaN: from side to side.
    orientation
        That the guess contains, shape (n,).
    """

    asked: NDArray[np.int64]
    known: NDArray[np.int64]
    votes: NDArray[np.int64]
    guess: NDArray[np.float64]
    orientation: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64] | slice) -> Pairs:
        """Return some of them."""
        return Pairs(self.asked[rows], self.known[rows], self.votes[rows], self.guess[rows], self.orientation[rows])


def joined(parts: list[Pairs]) -> Pairs:
    """Put pairs together."""
    return Pairs(*map(np.concatenate, zip(NO_PAIRS, *parts, strict=True)))


NO_PAIRS = Pairs(
    np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 2, 3)), np.empty(0, np.int64)
)


def upright_pairs(asked: NDArray[np.int64], known: NDArray[np.int64]) -> Pairs:
    """Return pairs that are to be laid over each other from side to side."""
    count = len(asked)
    nothing = np.zeros(count, np.int64)
    return Pairs(asked, known, nothing, np.full((count, 2, 3), np.nan), nothing + UPRIGHT)


def by_points(asked: NDArray[np.int64], pictures: Pictures, read: SketchReader, known: Collection) -> Pairs:
    """Find the known pictures that agree with asked ones on the place of several points."""
    found = []
    for start in range(0, len(asked), ASKED_AT_ONCE):
        rows = asked[start : start + ASKED_AT_ONCE]
        names = pictures.names(rows).tolist()
        sketches = read(names)
        rows = rows[[name in sketches for name in names]]
        points = np.stack([NO_POINTS, *(sketches[name].points for name in names if name in sketches)])
        votes = known.points.candidates(points[1:])
        asked_row, known_row = votes.pair >> PAIR_SHIFT, votes.pair & PICTURE_MASK
        found.append(Pairs(rows[asked_row], known_row, votes.agreeing, votes.guess, votes.orientation))
    return joined(found)


def by_hashes(
    queries: NDArray[np.uint64], known: Collection, radii: Mapping[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the pairs that lie within the radius of at least one kind of hash.

    Parameters
    ----------
    queries
        Hashes, shape (n, 5).
    radii
        Most differing bits by kind; a kind that is not named brings no pair in.

    Returns
    -------
    tuple
        Row numbers of queries and of known pictures, each pair once, ordered by query and known picture.
    """
    numbers = [np.empty(0, np.int64)]
    for kind, radius_bits in radii.items():
        index = known.by_hash(kind)
        hits = index.within(np.ascontiguousarray(queries[:, HASH_KINDS.index(kind)]), radius_bits)
        numbers.append(hits.query_index << PAIR_SHIFT | index.items_at(hits.key_index))
    # Sorting, since np.unique hashes, and slows down a hundredfold on many evenly spaced numbers.
    found = np.sort(np.concatenate(numbers))
    found = found[np.diff(found, prepend=-1) > 0]
    return found >> PAIR_SHIFT, found & PICTURE_MASK


def nearest_few(asked: Pictures, known: Pictures, pairs: Pairs, most: int) -> Pairs:
    """Keep so many pairs of each asked picture, those whose hashes differ least in all."""
    distance = np.bitwise_count(asked.hashes[pairs.asked] ^ known.hashes[pairs.known]).sum(axis=1)
    order = np.lexsort((pairs.known, distance, pairs.asked))
    sorted_asked = pairs.asked[order]
    return pairs.take(order[np.arange(len(order)) - np.searchsorted(sorted_asked, sorted_asked) < most])


def turned_round(pairs: Pairs, chosen: NDArray[np.bool_]) -> Pairs:
    """Exchange the two pictures of some pairs."""
    guess = pairs.guess.copy()
    there = chosen & ~np.isnan(guess[:, 0, 0])
    back = np.linalg.inv(guess[there, :, :2])
    guess[there] = np.concatenate([back, -back @ guess[there, :, 2:]], axis=2)
    return Pairs(
        asked=np.where(chosen, pairs.known, pairs.asked),
        known=np.where(chosen, pairs.asked, pairs.known),
        votes=pairs.votes,
        guess=guess,
        orientation=np.where(chosen, BETWEEN[pairs.orientation, UPRIGHT].astype(np.int64), pairs.orientation),
    )


def surest(pairs: Pairs) -> Pairs:
    """Keep each pair once, with the guess that most points agreed on; ordered by known, then by asked picture."""
    order = np.lexsort((-pairs.votes, pairs.asked, pairs.known))
    asked, known = pairs.asked[order], pairs.known[order]
    first = (np.diff(asked, prepend=-1) != 0) | (np.diff(known, prepend=-1) != 0)
    return pairs.take(order[first])


class Laid(NamedTuple):
    """Pairs of pictures, one laid over the other.

    Parameters
    ----------
    overlays
        `features.overlays.OVERLAY`, shape (n,).
    seen
        `features.differences.DIFFERENCES`, shape (n,).
    """

    overlays: NDArray[np.void]
    seen: NDArray[np.void]


def lay_over(
    pairs: Pairs, asked: Pictures, read_asked: SketchReader, known: Pictures, read_known: SketchReader
) -> Laid:
    """Lay the known picture of each pair over the asked one; where one has no sketch, nothing is seen."""
    laid = Laid(np.zeros(len(pairs.asked), OVERLAY), np.zeros(len(pairs.asked), DIFFERENCES))
    for start in range(0, len(pairs.asked), BLOCK_OVERLAYS):
        part = pairs.take(slice(start, start + BLOCK_OVERLAYS))
        above, below = views(asked, part.asked, read_asked), views(known, part.known, read_known)
        rows = np.flatnonzero(np.isin(part.asked, list(above)) & np.isin(part.known, list(below)))
        both = [(above[int(part.asked[row])], below[int(part.known[row])]) for row in rows]
        for row, (one, other) in zip(rows, both, strict=True):
            laid.overlays[start + row] = _laid(one, other, part.guess[row], int(part.orientation[row]))
        if both:
            thumbnails = (np.stack([view.thumbnail for view in side]) for side in zip(*both, strict=True))
            laid.seen[start + rows] = differences(laid.overlays[start + rows], *thumbnails)
    return laid


def _laid(asked: View, known: View, guess: NDArray[np.float64], orientation: int) -> NDArray[np.void]:
    return overlay(asked, known, upright_guess(asked, known) if np.isnan(guess[0, 0]) else guess, orientation)


def described(asked: Pictures, known: Pictures, pairs: Pairs, laid: Laid) -> pd.DataFrame:
    """Describe pairs of pictures.

    Returns
    -------
    pandas.DataFrame
        One row for each pair: ``asked_image_id``, ``known_image_id``, ``DISTANCE_COLUMNS`` (``int64``, bits), ``edit``
        (see `features.edits`), and ``same_photo`` (probability; 1 where the bytes are the same).
    """
    distance = np.bitwise_count(asked.hashes[pairs.asked] ^ known.hashes[pairs.known])
    found = pd.DataFrame(distance.astype(np.int64), columns=list(DISTANCE_COLUMNS))
    found["asked_image_id"] = asked.names(pairs.asked)
    found["known_image_id"] = known.names(pairs.known)
    same_bytes = asked.image_id[pairs.asked] == known.image_id[pairs.known]
    asked_size, known_size = asked.size[pairs.asked].astype(float), known.size[pairs.known].astype(float)
    return found.assign(
        edit=edits(laid.overlays, asked_size, known_size, same_bytes, laid.seen),
        same_photo=np.where(same_bytes, 1.0, same_photo(laid.overlays)),
    )


def aligned(overlays: NDArray[np.void]) -> pd.DataFrame:
    """Return ``ALIGNMENT_COLUMNS``: how the known picture of each pair lies in the asked one."""
    leads = np.round(overlays["lead"].reshape(-1, 6), LEAD_DIGITS) + 0.0
    return pd.DataFrame(
        {
            "matched_points": overlays["matches"],
            "common_area": overlays["common_known"],
            "other_common_area": overlays["common_asked"],
            "lead": pd.Series([json.dumps(lead) for lead in leads.tolist()], dtype="str"),
        }
    )
