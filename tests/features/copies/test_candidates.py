"""The candidates for a copy are the pictures whose points, compared one by one, agree on a place for it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from features.copies.candidates import (
    CHUNK_RADIUS_BITS,
    FEWEST_INLIERS,
    INDEXED,
    MOST_CANDIDATES,
    PAIR_SHIFT,
    RADIUS_BITS,
    SHUFFLE,
    TABLES,
    Matches,
    PointIndex,
    details_of,
    keys_of,
)
from features.hamming.brute_force import within
from features.hamming.hamming_index import Index
from features.hamming.index_segment import build, layout_for
from features.keypoints.keypoints import KEYPOINT, MOST_KEYPOINTS
from features.keypoints.orientations import N_ORIENTATIONS, orientation_hypotheses, upright
from features.registration.affine import geometry
from tests.features.copies.sketched import photo, sketch_of
from tests.features.copies.slow_votes import peaks_slowly

KNOWN = range(8)
CHUNKS = np.array([(1 << 22) - 1 << 42, (1 << 21) - 1 << 21, (1 << 21) - 1], np.uint64)


def points_of(images):
    return np.stack([sketch_of(image).keypoints for image in images])


def index_of(points, parts=1):
    bounds = np.linspace(0, len(points), parts + 1).astype(int)
    pieces = [points[first:last] for first, last in pairwise(bounds)]
    indexed = [keys_of(piece, int(first)) for piece, first in zip(pieces, bounds, strict=False)]
    segments = [build(keys, items, layout_for(keys.size, TABLES)) for keys, items in indexed]
    return PointIndex(Index.of(segments), tuple(map(details_of, pieces)))


def copy_of(image):
    """The middle of it, mirrored."""
    width, height = image.size
    box = (width // 8, height // 10, width, height * 9 // 10)
    return image.crop(box).transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def shuffled(hashes):
    """Return hashes with their bits in the order of the index, the slow way."""
    texts = [f"{key:064b}" for key in hashes.tolist()]
    return np.array([int("".join(text[bit] for bit in SHUFFLE), 2) for text in texts], np.uint64)


def candidates_slowly(query, reference):
    """Each reading of a query point against each indexed one; then the best of what agrees twice at least."""
    query, used = query[query["size"] > 0], reference[:, :INDEXED]
    query_point, query_turn, hashes = orientation_hypotheses(query)
    parts = []
    for picture, points in enumerate(used):
        points = points[points["size"] > 0]
        reference_turn = points["turn"] % N_ORIENTATIONS
        hits = within(hashes, upright(points["hash"], reference_turn), RADIUS_BITS)
        differing = shuffled(hashes[hits.query_index] ^ upright(points["hash"], reference_turn)[hits.key_index])
        looked_up = (np.bitwise_count(differing[:, None] & CHUNKS) <= CHUNK_RADIUS_BITS).any(axis=1)
        hypothesis, point = hits.query_index[looked_up], hits.key_index[looked_up]
        matches = Matches(
            pair=np.full(len(point), picture),
            query=geometry(query[query_point[hypothesis]]),
            reference=geometry(points[point]),
            query_point=query_point[hypothesis],
            reference_point=point,
            query_turn=query_turn[hypothesis],
            reference_turn=reference_turn[point],
        )
        parts.append(matches)
    peaks = peaks_slowly(Matches(*map(np.concatenate, zip(*parts, strict=True))))
    enough = [(int(picture), count) for picture, count, _ in peaks if count >= FEWEST_INLIERS]
    return sorted(enough, key=lambda row: (-row[1], row[0]))[:MOST_CANDIDATES]


@pytest.fixture(scope="module")
def reference():
    return points_of([photo(number) for number in KNOWN])


@pytest.mark.parametrize("number", [1, 5])
@pytest.mark.parametrize("parts", [1, 3])
def test_candidates_are_the_votes_over_all_near_points(reference, number, parts):
    query = points_of([copy_of(photo(number))])
    found = index_of(reference, parts).candidates(query)
    assert list(zip(found.pair.tolist(), found.inliers.tolist(), strict=True)) == candidates_slowly(query[0], reference)
    assert found.pair[0] == number


def test_several_query_pictures_get_what_each_gets_alone(reference):
    index, query = index_of(reference), points_of([copy_of(photo(number)) for number in (0, 9, 3)])
    together = index.candidates(query)
    for row, points in enumerate(query):
        alone = index.candidates(points[None])
        mine = together.pair >> PAIR_SHIFT == row
        np.testing.assert_array_equal(together.pair[mine] & (1 << PAIR_SHIFT) - 1, alone.pair)
        for field in ("inliers", "guess", "orientation"):
            np.testing.assert_array_equal(getattr(together, field)[mine], getattr(alone, field))


def test_a_stranger_has_hardly_a_candidate(reference):
    found = index_of(reference).candidates(points_of([photo(number) for number in range(20, 24)]))
    assert (found.inliers <= 3).all()


def test_at_most_so_many_go_on_the_best_first(reference):
    crowd = np.repeat(reference[:1], 40, axis=0)
    crowd[25:30, 60:] = np.zeros((), KEYPOINT)
    found = index_of(crowd).candidates(reference[:1])
    assert len(found.pair) == MOST_CANDIDATES
    assert (np.diff(found.inliers) <= 0).all()
    assert found.inliers[0] == INDEXED
    assert found.pair.tolist() == list(range(MOST_CANDIDATES))


def test_pictures_without_points_are_no_candidates_and_have_none(reference):
    nothing = np.zeros((2, MOST_KEYPOINTS), KEYPOINT)
    assert len(index_of(reference).candidates(nothing).pair) == 0
    assert len(index_of(nothing).candidates(reference).pair) == 0
    assert len(index_of(reference).candidates(reference[:0]).pair) == 0


def test_keys_say_which_point_of_which_picture_they_are(reference):
    hashes, items = keys_of(reference, 100)
    picture, number = np.divmod(items.astype(int), INDEXED)
    points = reference[picture - 100, number]
    assert (points["size"] > 0).all()
    assert len(items) == np.count_nonzero(reference[:, :INDEXED]["size"])
    np.testing.assert_array_equal(hashes, shuffled(upright(points["hash"], points["turn"] % N_ORIENTATIONS)))
    assert sorted(SHUFFLE) == list(range(64))
