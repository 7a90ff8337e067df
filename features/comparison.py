"""Pairs of pictures: which are worth a look, and what a look at them says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from features import hamming
from features.collection import views
from features.edits import edits
from features.facts import DISTANCE_COLUMNS, HASH_KINDS
from features.orientations import BETWEEN, UPRIGHT
from features.overlays import OVERLAY, overlay, upright_guess
from features.same_photo import same_photo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from features.collection import Collection, Pictures, SketchReader
    from features.overlays import View

BLOCK_PAIRS = 1 << 19
"""Most pairs of hashes compared at once, unless one picture alone meets more."""
LEAD_DIGITS = 4
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
        return Pairs(*(array[rows] for array in self))


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
    ids = pictures.image_id.take(asked).tolist()
    sketches = read(ids)
    found = []
    for row, image_id in zip(asked, ids, strict=True):
        if image_id in sketches:
            votes = known.lookup.candidates(sketches[image_id].points)
            itself = np.full(len(votes.picture), row)
            found.append(Pairs(itself, votes.picture, votes.count, votes.guess, votes.orientation))
    return joined(found)


def by_hashes(
    queries: NDArray[np.uint64], keys: NDArray[np.uint64], radii: Mapping[str, int]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the pairs that lie within the radius of at least one kind of hash.

    Parameters
    ----------
    queries, keys
        Hashes, shapes (n, 5) and (m, 5).
    radii
        Most differing bits by kind; a kind that is not named brings no pair in.

    Yields
    ------
    tuple
        Row numbers of queries and of keys, each pair once, ordered by query and key over all parts. A part holds no
        more than ``BLOCK_PAIRS`` pairs or those of one query.
    """
    step = max(1, BLOCK_PAIRS // max(1, len(keys)))
    for start in range(0, len(queries), step):
        block = queries[start : start + step]
        pair_numbers = [np.empty(0, np.int64)]
        for kind, radius_bits in radii.items():
            column = HASH_KINDS.index(kind)
            hits = hamming.within(block[:, column], keys[:, column], radius_bits)
            pair_numbers.append(hits.query_index * len(keys) + hits.key_index)
        # Sorting, since np.unique hashes, and slows down a hundredfold on many evenly spaced numbers.
        numbers = np.sort(np.concatenate(pair_numbers))
        query, key = np.divmod(numbers[np.diff(numbers, prepend=-1) > 0], max(1, len(keys)))
        yield start + query, key


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


def lay_over(
    pairs: Pairs, asked: Pictures, read_asked: SketchReader, known: Pictures, read_known: SketchReader
) -> NDArray[np.void]:
    """Lay the known picture of each pair over the asked one.

    Returns
    -------
    numpy.ndarray
        `features.overlays.OVERLAY`, shape (n,); without points and blocks where a picture has no sketch.
    """
    found = np.zeros(len(pairs.asked), OVERLAY)
    for start in range(0, len(found), BLOCK_OVERLAYS):
        part = pairs.take(slice(start, start + BLOCK_OVERLAYS))
        above, below = views(asked, part.asked, read_asked), views(known, part.known, read_known)
        for row, (one, other, _, guess, orientation) in enumerate(zip(*part, strict=True), start):
            if int(one) in above and int(other) in below:
                found[row] = _laid(above[int(one)], below[int(other)], guess, int(orientation))
    return found


def _laid(asked: View, known: View, guess: NDArray[np.float64], orientation: int) -> NDArray[np.void]:
    return overlay(asked, known, upright_guess(asked, known) if np.isnan(guess[0, 0]) else guess, orientation)


def described(asked: Pictures, known: Pictures, pairs: Pairs, overlays: NDArray[np.void]) -> pd.DataFrame:
    """Describe pairs of pictures.

    Returns
    -------
    pandas.DataFrame
        One row for each pair: ``asked_image_id``, ``known_image_id``, ``DISTANCE_COLUMNS`` (``int64``, bits), ``edit``
        (see `features.edits`), and ``same_photo`` (probability; 1 where the bytes are the same).
    """
    distance = np.bitwise_count(asked.hashes[pairs.asked] ^ known.hashes[pairs.known])
    found = pd.DataFrame(distance.astype(np.int64), columns=list(DISTANCE_COLUMNS))
    found["asked_image_id"] = asked.image_id.take(pairs.asked).array
    found["known_image_id"] = known.image_id.take(pairs.known).array
    same_bytes = (found["asked_image_id"] == found["known_image_id"]).to_numpy(bool)
    return found.assign(
        edit=edits(overlays, asked.size[pairs.asked], known.size[pairs.known], same_bytes),
        same_photo=np.where(same_bytes, 1.0, same_photo(overlays)),
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
