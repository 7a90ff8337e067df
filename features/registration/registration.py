"""One picture of each pair laid over the other: where to begin, and what is seen then.

Both follow from the sketches of the two pictures and from nothing else. What is known of a pair is therefore the same
whichever search came upon it, and whatever else was known then.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.copies.candidates import FEWEST_VOTES, INDEXED, RADIUS_BITS
from features.copies.hough_voting import Matches, vote
from features.hamming.index_segment import compare_few
from features.keypoints.orientations import BETWEEN, N_ORIENTATIONS, UPRIGHT, orientation_hypotheses, upright
from features.registration.differences import DIFFERENCES, differences
from features.registration.overlay import OVERLAY, View, overlay, upright_guess
from features.registration.placement import inverses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from features.copies.collection import Pictures, SketchReader
    from features.copies.hough_voting import Votes
    from features.copies.pairs import Pairs
    from features.keypoints.descriptor import Descriptor

PAIRS_AT_ONCE = 2_000
"""Their sketches take up to 80 MB."""


class Laid(NamedTuple):
    """Pairs of pictures, one laid over the other.

    Parameters
    ----------
    overlays
        `features.registration.overlay.OVERLAY`, shape (n,).
    seen
        `features.registration.differences.DIFFERENCES`, shape (n,).
    """

    overlays: NDArray[np.void]
    seen: NDArray[np.void]


@dataclass(frozen=True, eq=False)
class Ready:
    """A picture ready to be laid over others, and others over it.

    Parameters
    ----------
    view
        What is laid.
    points
        Of its sketch, without the empty ones.
    """

    view: View
    points: NDArray[np.void]

    @classmethod
    def of(cls, sketch: Descriptor, size: NDArray[np.uint32]) -> Ready:
        """Prepare the sketch of a picture, given its width and height in pixels."""
        return cls(View.of(sketch, *size), sketch.keypoints[sketch.keypoints["size"] > 0])

    @cached_property
    def asking(self) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint64]]:
        """Every way in which its points may be upright (`features.keypoints.orientations.orientation_hypotheses`)."""
        return orientation_hypotheses(self.points)

    @cached_property
    def indexed(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """Orientation and upright hash by which its points are found, those that an index holds."""
        indexed = self.points[:INDEXED]
        turn = indexed["turn"] % N_ORIENTATIONS
        return turn, upright(indexed["hash"], turn)


def lay_over(
    pairs: Pairs, asked: Pictures, read_asked: SketchReader, known: Pictures, read_known: SketchReader
) -> Laid:
    """Lay the known picture of each pair over the asked one; where one has no sketch, nothing is seen."""
    laid = Laid(np.zeros(len(pairs.asked), OVERLAY), np.zeros(len(pairs.asked), DIFFERENCES))
    for start in range(0, len(pairs.asked), PAIRS_AT_ONCE):
        part = pairs.take(slice(start, start + PAIRS_AT_ONCE))
        above, below = _ready(asked, part.asked, read_asked), _ready(known, part.known, read_known)
        both = {
            start + row: (above[one], below[other])
            for row, (one, other) in enumerate(zip(part.asked.tolist(), part.known.tolist(), strict=True))
            if one in above and other in below
        }
        if both:
            laid.overlays[list(both)], laid.seen[list(both)] = _laid(list(both.values()))
    return laid


def _ready(pictures: Pictures, rows: NDArray[np.int64], read: SketchReader) -> dict[int, Ready]:
    """Return some pictures by row; those without a sketch are left out."""
    wanted = np.unique(rows)
    ids = pictures.names(wanted).tolist()
    sketches = read(ids)
    return {
        int(row): Ready.of(sketches[image_id], pictures.size[row])
        for row, image_id in zip(wanted, ids, strict=True)
        if image_id in sketches
    }


def _laid(pairs: Sequence[tuple[Ready, Ready]]) -> Laid:
    begun = zip(pairs, *first_guesses(pairs), strict=True)
    overlays = [overlay(one.view, other.view, guess, int(turn)) for (one, other), guess, turn in begun]
    thumbnails = (np.stack([side.view.thumbnail for side in sides]) for sides in zip(*pairs, strict=True))
    return Laid(np.stack(overlays), differences(np.stack(overlays), *thumbnails))


def first_guesses(pairs: Sequence[tuple[Ready, Ready]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return where to begin laying the second picture of each pair over the first.

    That is where most points agree if the first one asks for the second, else if the second one asks for the first; and
    where none do, the pictures lie on each other from side to side.

    Returns
    -------
    tuple
        What leads roughly from the second picture's frame to the first one's, shape (n, 2, 3), and the orientation (see
        `features.keypoints.orientations`) that this contains, shape (n,).
    """
    lead = np.stack([upright_guess(one.view, other.view) for one, other in pairs])
    orientation = np.full(len(pairs), UPRIGHT)
    found = _agreed(pairs)
    lead[found.pair], orientation[found.pair] = found.guess, found.orientation
    rest = np.setdiff1d(np.arange(len(pairs)), found.pair)
    found = _agreed([pairs[row][::-1] for row in rest])
    turned_back = rest[found.pair]
    lead[turned_back], orientation[turned_back] = inverses(found.guess), BETWEEN[found.orientation, UPRIGHT]
    return lead, orientation


def _agreed(pairs: Sequence[tuple[Ready, Ready]]) -> Votes:
    """Return where the points of the second picture say that it lies in the first; of pairs in which some agree."""
    matches = [_matches(number, asked, known) for number, (asked, known) in enumerate(pairs)]
    return vote(Matches(*map(np.concatenate, zip(NO_MATCHES, *matches, strict=True))), FEWEST_VOTES)


def _matches(number: int, asked: Ready, known: Ready) -> Matches:
    """Compare every point of one picture, in each way it may be upright, with those by which the other is found."""
    point, turn, hashes = asked.asking
    known_turn, known_hashes = known.indexed
    reading, known_point = compare_few(hashes, known_hashes, RADIUS_BITS)
    asked_point = point[reading]
    return Matches(
        pair=np.full(len(reading), number),
        asked=asked.view.spots.at[asked_point],
        known=known.view.spots.at[known_point],
        asked_point=asked_point,
        known_point=known_point,
        asked_turn=turn[reading],
        known_turn=known_turn[known_point],
    )


_NONE = np.empty(0, np.int64)
NO_MATCHES = Matches(
    _NONE, np.empty((0, 3)), np.empty((0, 3)), _NONE, _NONE, np.empty(0, np.uint8), np.empty(0, np.uint8)
)
