"""Pairs of pictures: which are worth a look, and what a look at them says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from features.copies.candidates import PAIR_SHIFT, PICTURE_MASK
from features.facts import DISTANCE_COLUMNS, HASH_KINDS
from features.keypoints.keypoints import KEYPOINT, MOST_KEYPOINTS
from features.registration.edits import edits
from features.registration.same_photo import same_photo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from features.copies.collection import Collection, Pictures, SketchReader
    from features.registration.registration import Laid

ASKED_AT_ONCE = 64
"""Pictures whose points are looked up together."""
NO_POINTS = np.zeros(MOST_KEYPOINTS, KEYPOINT)
LEAD_DIGITS = 4


class Pairs(NamedTuple):
    """Pictures that may be one photo.

    Parameters
    ----------
    asked, known
        Rows of the two pictures, shape (n,).
    votes
        Points that agreed on the place, 0 where only the hashes are near, shape (n,).
    """

    asked: NDArray[np.int64]
    known: NDArray[np.int64]
    votes: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64] | slice) -> Pairs:
        """Return some of them."""
        return Pairs(self.asked[rows], self.known[rows], self.votes[rows])


NO_PAIRS = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Put pairs together."""
    return Pairs(*map(np.concatenate, zip(NO_PAIRS, *parts, strict=True)))


def without_votes(asked: NDArray[np.int64], known: NDArray[np.int64]) -> Pairs:
    """Return pairs that were not found by their points."""
    return Pairs(asked, known, np.zeros(len(asked), np.int64))


def by_points(asked: NDArray[np.int64], pictures: Pictures, read: SketchReader, known: Collection) -> Pairs:
    """Find the known pictures that agree with asked ones on the place of several points."""
    found = []
    for start in range(0, len(asked), ASKED_AT_ONCE):
        rows = asked[start : start + ASKED_AT_ONCE]
        names = pictures.names(rows).tolist()
        sketches = read(names)
        rows = rows[[name in sketches for name in names]]
        points = np.stack([NO_POINTS, *(sketches[name].keypoints for name in names if name in sketches)])
        votes = known.points.candidates(points[1:])
        asked_row, known_row = votes.pair >> PAIR_SHIFT, votes.pair & PICTURE_MASK
        found.append(Pairs(rows[asked_row], known_row, votes.agreeing))
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
    """Keep so many pairs of each asked picture, those whose hashes differ least, the same bytes before others."""
    distance = np.bitwise_count(asked.hashes[pairs.asked] ^ known.hashes[pairs.known]).sum(axis=1)
    name = known.image_id[pairs.known]
    order = np.lexsort((name, name != asked.image_id[pairs.asked], distance, pairs.asked))
    sorted_asked = pairs.asked[order]
    return pairs.take(order[np.arange(len(order)) - np.searchsorted(sorted_asked, sorted_asked) < most])


def turned_round(pairs: Pairs, chosen: NDArray[np.bool_]) -> Pairs:
    """Exchange the two pictures of some pairs."""
    return Pairs(
        asked=np.where(chosen, pairs.known, pairs.asked),
        known=np.where(chosen, pairs.asked, pairs.known),
        votes=pairs.votes,
    )


def surest(pairs: Pairs) -> Pairs:
    """Keep each pair once, with the most votes; ordered by known, then by asked picture."""
    order = np.lexsort((-pairs.votes, pairs.asked, pairs.known))
    asked, known = pairs.asked[order], pairs.known[order]
    first = (np.diff(asked, prepend=-1) != 0) | (np.diff(known, prepend=-1) != 0)
    return pairs.take(order[first])


def described(asked: Pictures, known: Pictures, pairs: Pairs, laid: Laid) -> pd.DataFrame:
    """Describe pairs of pictures.

    Returns
    -------
    pandas.DataFrame
        One row for each pair: ``asked_image_id``, ``known_image_id``, ``DISTANCE_COLUMNS`` (``int64``, bits), ``edit``
        (see `features.registration.edits`), and ``same_photo`` (probability; 1 where the bytes are the same).
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
