"""One picture of each pair registered on the other: where to begin, and what is measured then.

Both follow from the descriptors of the two pictures and from nothing else. What is known of a pair is therefore the
same whichever search came upon it, and whatever else was known then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from features.copies.candidates import FEWEST_INLIERS, INDEXED, RADIUS_BITS, Matches, hough_voting
from features.facts import DISTANCE_COLUMNS
from features.hamming.index_segment import compare_few
from features.keypoints.orientations import BETWEEN, N_ORIENTATIONS, UPRIGHT, orientation_hypotheses, upright
from features.registration import affine
from features.registration.affine import Keypoints, align, keypoints_of
from features.registration.edits import edits
from features.registration.same_photo import same_photo
from features.registration.thumbnail_comparison import AGREES, BLOCKS, DIFFERENCES, agreement, differences, levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from features.copies.candidates import HoughPeaks
    from features.copies.collection import DescriptorReader, Pictures
    from features.copies.pairs import Pairs
    from features.keypoints.descriptor import Descriptor

STEPS = 32
PLACES = (np.stack(np.meshgrid(np.arange(STEPS), np.arange(STEPS)), axis=-1).reshape(-1, 2) + 0.5) / STEPS
"""Spread evenly over a picture, in shares of its sides, shape (1024, 2)."""
OVERLAY = np.dtype(
    [
        ("matches", np.int64),
        ("repeated", np.float64),
        ("bits", np.float64),
        ("off_pixels", np.float64),
        ("textured", np.int64),
        ("agreeing", np.int64),
        ("mean", np.float64),
        ("middle", np.float64),
        ("low", np.float64),
        ("common_query", np.float64),
        ("common_reference", np.float64),
        ("transform", np.float64, (2, 3)),
        ("box", np.float64, (4,)),
        ("correlation", np.float32, BLOCKS),
    ]
)
"""One pair of pictures, the query and the reference.

``matches``, ``repeated``, ``bits``, ``off_pixels``
    As `features.registration.affine.Alignment` says.
``textured``, ``agreeing``
    Blocks of the common area that can tell something, and how many of them correlate by more than `AGREES`.
``mean``, ``middle``, ``low``
    Mean, median and lower quartile of their correlations, negative ones counted as 0; 0 without any.
``common_query``, ``common_reference``
    Share of each picture's area that lies in the other.
``transform``
    Leads from a place in the reference picture to the same in the query, in shares of the sides.
``box``, ``correlation``
    As `features.registration.thumbnail_comparison.Agreement` says.
"""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture ready to be registered on others.

    Parameters
    ----------
    keypoints
        Its points.
    levels
        Its thumbnail in ever half the size.
    thumbnail
        Grey levels, shape (128, 128), ``uint8``.
    """

    keypoints: Keypoints
    levels: list[NDArray[np.float32]]
    thumbnail: NDArray[np.uint8]

    @classmethod
    def of(cls, sketch: Descriptor, width: float, height: float) -> View:
        """Prepare the sketch of a picture of some width and height in pixels."""
        return cls(keypoints_of(sketch.keypoints, width, height), levels(sketch.thumbnail), sketch.thumbnail)


def upright_guess(query: View, reference: View) -> NDArray[np.float64]:
    """Return what leads from one frame to the other where the pictures are the same from side to side."""
    return np.column_stack([np.diag(query.keypoints.frame / reference.keypoints.frame), np.zeros(2)])


def overlay(query: View, reference: View, guess: NDArray[np.float64], orientation: int) -> NDArray[np.void]:
    """Register a reference picture on a query.

    Parameters
    ----------
    guess
        Leads roughly from the reference frame to the query, shape (2, 3).
    orientation
        The orientation that the guess contains; see `features.keypoints.orientations`.

    Returns
    -------
    numpy.ndarray
        `OVERLAY`, without dimensions.
    """
    alignment = align(query.keypoints, reference.keypoints, guess, orientation)
    transform = (
        np.column_stack([alignment.transform[:, :2] * reference.keypoints.frame, alignment.transform[:, 2]])
        / query.keypoints.frame[:, None]
    )
    found = agreement(query.levels, reference.levels, transform)
    textured = np.sort(found.correlation[~np.isnan(found.correlation)])
    correlations = np.clip(textured, 0.0, 1.0) if textured.size else np.zeros(1, np.float32)
    common = _common_reference(transform)
    out = np.zeros((), OVERLAY)
    out["matches"], out["repeated"] = alignment.matches, alignment.repeated
    out["bits"], out["off_pixels"] = alignment.bits, alignment.off_pixels
    out["textured"] = textured.size
    out["agreeing"] = np.count_nonzero(correlations > AGREES)
    out["mean"], out["middle"], out["low"] = correlations.mean(), _at(correlations, 0.5), _at(correlations, 0.25)
    out["common_reference"] = common
    out["common_query"] = min(1.0, common * abs(transform[0, 0] * transform[1, 1] - transform[0, 1] * transform[1, 0]))
    out["transform"], out["box"], out["correlation"] = transform, found.box, found.correlation
    return out


def _at(ordered: NDArray[np.float32], share: float) -> float:
    """Read between rising values, at a share of the way, as `numpy.percentile` does far more slowly."""
    below = int(share * (ordered.size - 1))
    low, high = ordered[below : below + 2].tolist() if ordered.size > 1 else (ordered.item(), ordered.item())
    return low + (high - low) * (share * (ordered.size - 1) - below)


def _common_reference(transform: NDArray[np.float64]) -> float:
    """Return the share of the reference picture's places that lie in the query."""
    there = affine.apply(transform, PLACES)
    return float(((there >= 0) & (there <= 1)).all(axis=1).mean())


TRANSFORM_DIGITS = 4
PAIRS_AT_ONCE = 2_000
"""Their sketches take up to 80 MB."""


class Registered(NamedTuple):
    """Pairs of pictures, the reference of each registered on the query.

    Parameters
    ----------
    pairs, query, reference
        The pairs, and what their rows are of.
    overlays
        `OVERLAY`, shape (n,).
    differences
        `features.registration.thumbnail_comparison.DIFFERENCES`, shape (n,).
    """

    pairs: Pairs
    query: Pictures
    reference: Pictures
    overlays: NDArray[np.void]
    differences: NDArray[np.void]


@dataclass(frozen=True, eq=False)
class PreparedPicture:
    """A picture ready to be registered on others, and others on it.

    Parameters
    ----------
    view
        What is registered.
    points
        Of its sketch, without the empty ones.
    """

    view: View
    points: NDArray[np.void]

    @classmethod
    def of(cls, sketch: Descriptor, size: NDArray[np.uint32]) -> PreparedPicture:
        """Prepare the sketch of a picture, given its width and height in pixels."""
        return cls(View.of(sketch, *size), sketch.keypoints[sketch.keypoints["size"] > 0])

    @cached_property
    def hypotheses(self) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint64]]:
        """Every way in which its points may be upright (`features.keypoints.orientations.orientation_hypotheses`)."""
        return orientation_hypotheses(self.points)

    @cached_property
    def indexed(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """Orientation and upright hash by which its points are found, those that an index holds."""
        indexed = self.points[:INDEXED]
        turn = indexed["turn"] % N_ORIENTATIONS
        return turn, upright(indexed["hash"], turn)


def register(
    pairs: Pairs, query: Pictures, read_query: DescriptorReader, reference: Pictures, read_reference: DescriptorReader
) -> Registered:
    """Register the reference picture of each pair on the query; where one has no sketch, nothing is measured."""
    overlays, seen = np.zeros(len(pairs.query), OVERLAY), np.zeros(len(pairs.query), DIFFERENCES)
    for start in range(0, len(pairs.query), PAIRS_AT_ONCE):
        part = pairs.take(slice(start, start + PAIRS_AT_ONCE))
        above, below = _prepare(query, part.query, read_query), _prepare(reference, part.reference, read_reference)
        both = {
            start + row: (above[one], below[other])
            for row, (one, other) in enumerate(zip(part.query.tolist(), part.reference.tolist(), strict=True))
            if one in above and other in below
        }
        if both:
            overlays[list(both)], seen[list(both)] = _register_prepared(list(both.values()))
    return Registered(pairs, query, reference, overlays, seen)


def describe(registered: Registered) -> pd.DataFrame:
    """Describe pairs of pictures by their hashes and by one registered on the other.

    Returns
    -------
    pandas.DataFrame
        One row for each pair: ``query_image_id``, ``reference_image_id``, ``DISTANCE_COLUMNS`` (``int64``, bits),
        ``edit`` (see `features.registration.edits`), ``same_photo`` (probability; 1 where the bytes are the same) and
        ``ALIGNMENT_COLUMNS`` of the reference in the query.
    """
    pairs, query, reference, overlays, seen = registered
    query_id, reference_id = query.image_id[pairs.query], reference.image_id[pairs.reference]
    distance = np.bitwise_count(query.hashes[pairs.query] ^ reference.hashes[pairs.reference])
    found = pd.DataFrame(distance.astype(np.int64), columns=list(DISTANCE_COLUMNS))
    found["query_image_id"] = pd.array(query_id.astype("U64"), dtype="str")
    found["reference_image_id"] = pd.array(reference_id.astype("U64"), dtype="str")
    query_size, reference_size = query.size[pairs.query].astype(float), reference.size[pairs.reference].astype(float)
    found["edit"] = edits(overlays, query_size, reference_size, query_id == reference_id, seen)
    found["same_photo"] = np.where(query_id == reference_id, 1.0, same_photo(overlays))
    return found.join(alignment_columns(overlays))


def alignment_columns(overlays: NDArray[np.void]) -> pd.DataFrame:
    """Return ``ALIGNMENT_COLUMNS``: how the reference picture of each pair lies in the query."""
    transforms = np.round(overlays["transform"].reshape(-1, 6), TRANSFORM_DIGITS) + 0.0
    return pd.DataFrame(
        {
            "matched_points": overlays["matches"],
            "common_area": overlays["common_reference"],
            "other_common_area": overlays["common_query"],
            "lead": pd.Series([json.dumps(transform) for transform in transforms.tolist()], dtype="str"),
        }
    )


def _prepare(pictures: Pictures, rows: NDArray[np.int64], read: DescriptorReader) -> dict[int, PreparedPicture]:
    """Return some pictures by row; those without a sketch are left out."""
    wanted = np.unique(rows)
    ids = pictures.names(wanted).tolist()
    sketches = read(ids)
    return {
        int(row): PreparedPicture.of(sketches[image_id], pictures.size[row])
        for row, image_id in zip(wanted, ids, strict=True)
        if image_id in sketches
    }


def _register_prepared(
    pairs: Sequence[tuple[PreparedPicture, PreparedPicture]],
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    begun = zip(pairs, *first_guesses(pairs), strict=True)
    overlays = [overlay(one.view, other.view, guess, int(turn)) for (one, other), guess, turn in begun]
    thumbnails = (np.stack([side.view.thumbnail for side in sides]) for sides in zip(*pairs, strict=True))
    return np.stack(overlays), differences(np.stack(overlays), *thumbnails)


def first_guesses(
    pairs: Sequence[tuple[PreparedPicture, PreparedPicture]],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return where to begin registering the second picture of each pair on the first.

    That is where most points agree if the first one asks for the second, else if the second one asks for the first; and
    where none do, the pictures lie on each other from side to side.

    Returns
    -------
    tuple
        What leads roughly from the second picture's frame to the first one's, shape (n, 2, 3), and the orientation (see
        `features.keypoints.orientations`) that this contains, shape (n,).
    """
    transform = np.stack([upright_guess(one.view, other.view) for one, other in pairs])
    orientation = np.full(len(pairs), UPRIGHT)
    found = _hough_peaks(pairs)
    transform[found.pair], orientation[found.pair] = found.guess, found.orientation
    rest = np.setdiff1d(np.arange(len(pairs)), found.pair)
    found = _hough_peaks([pairs[row][::-1] for row in rest])
    turned_back = rest[found.pair]
    transform[turned_back], orientation[turned_back] = affine.invert(found.guess), BETWEEN[found.orientation, UPRIGHT]
    return transform, orientation


def _hough_peaks(pairs: Sequence[tuple[PreparedPicture, PreparedPicture]]) -> HoughPeaks:
    """Return where the points of the second picture say that it lies in the first; of pairs in which some agree."""
    matches = [_matches(number, query, reference) for number, (query, reference) in enumerate(pairs)]
    return hough_voting(Matches(*map(np.concatenate, zip(NO_MATCHES, *matches, strict=True))), FEWEST_INLIERS)


def _matches(number: int, query: PreparedPicture, reference: PreparedPicture) -> Matches:
    """Compare every point of one picture, in each way it may be upright, with those by which the other is found."""
    point, turn, hashes = query.hypotheses
    reference_turn, reference_hashes = reference.indexed
    hypothesis, reference_point = compare_few(hashes, reference_hashes, RADIUS_BITS)
    query_point = point[hypothesis]
    return Matches(
        pair=np.full(len(hypothesis), number),
        query=query.view.keypoints.geometry[query_point],
        reference=reference.view.keypoints.geometry[reference_point],
        query_point=query_point,
        reference_point=reference_point,
        query_turn=turn[hypothesis],
        reference_turn=reference_turn[reference_point],
    )


_NONE = np.empty(0, np.int64)
NO_MATCHES = Matches(
    _NONE, np.empty((0, 3)), np.empty((0, 3)), _NONE, _NONE, np.empty(0, np.uint8), np.empty(0, np.uint8)
)
