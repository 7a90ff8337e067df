"""The candidates for a copy are the pictures whose points, compared one by one, agree on a place for it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from features.copies.candidates import (
    CHUNK_RADIUS_BITS,
    FEWEST_VOTES,
    INDEXED,
    MOST_CANDIDATES,
    PAIR_SHIFT,
    RADIUS_BITS,
    SHUFFLE,
    TABLES,
    PointIndex,
    details_of,
    keys_of,
)
from features.copies.hough_voting import Matches
from features.hamming.brute_force import within
from features.hamming.hamming_index import Index
from features.hamming.index_segment import build, layout_for
from features.keypoints.keypoints import KEYPOINT, MOST_KEYPOINTS
from features.keypoints.orientations import N_ORIENTATIONS, orientation_hypotheses, upright
from features.registration.alignment import geometry
from tests.features.copies.sketched import photo, sketch_of
from tests.features.copies.slow_votes import voted_slowly

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


def candidates_slowly(asked, known):
    """Each reading of an asked point against each indexed one; then the best of what agrees twice at least."""
    asked, used = asked[asked["size"] > 0], known[:, :INDEXED]
    asked_point, asked_turn, hashes = orientation_hypotheses(asked)
    parts = []
    for picture, points in enumerate(used):
        points = points[points["size"] > 0]
        known_turn = points["turn"] % N_ORIENTATIONS
        hits = within(hashes, upright(points["hash"], known_turn), RADIUS_BITS)
        differing = shuffled(hashes[hits.query_index] ^ upright(points["hash"], known_turn)[hits.key_index])
        looked_up = (np.bitwise_count(differing[:, None] & CHUNKS) <= CHUNK_RADIUS_BITS).any(axis=1)
        reading, point = hits.query_index[looked_up], hits.key_index[looked_up]
        matches = Matches(
            pair=np.full(len(point), picture),
            asked=geometry(asked[asked_point[reading]]),
            known=geometry(points[point]),
            asked_point=asked_point[reading],
            known_point=point,
            asked_turn=asked_turn[reading],
            known_turn=known_turn[point],
        )
        parts.append(matches)
    votes = voted_slowly(Matches(*map(np.concatenate, zip(*parts, strict=True))))
    enough = [(int(picture), count) for picture, count, _ in votes if count >= FEWEST_VOTES]
    return sorted(enough, key=lambda row: (-row[1], row[0]))[:MOST_CANDIDATES]


@pytest.fixture(scope="module")
def known():
    return points_of([photo(number) for number in KNOWN])


@pytest.mark.parametrize("number", [1, 5])
@pytest.mark.parametrize("parts", [1, 3])
def test_candidates_are_the_votes_over_all_near_points(known, number, parts):
    asked = points_of([copy_of(photo(number))])
    found = index_of(known, parts).candidates(asked)
    assert list(zip(found.pair.tolist(), found.agreeing.tolist(), strict=True)) == candidates_slowly(asked[0], known)
    assert found.pair[0] == number


def test_several_asked_pictures_get_what_each_gets_alone(known):
    index, asked = index_of(known), points_of([copy_of(photo(number)) for number in (0, 9, 3)])
    together = index.candidates(asked)
    for row, points in enumerate(asked):
        alone = index.candidates(points[None])
        mine = together.pair >> PAIR_SHIFT == row
        np.testing.assert_array_equal(together.pair[mine] & (1 << PAIR_SHIFT) - 1, alone.pair)
        for field in ("agreeing", "guess", "orientation"):
            np.testing.assert_array_equal(getattr(together, field)[mine], getattr(alone, field))


def test_a_stranger_has_hardly_a_candidate(known):
    found = index_of(known).candidates(points_of([photo(number) for number in range(20, 24)]))
    assert (found.agreeing <= 3).all()


def test_at_most_so_many_go_on_the_best_first(known):
    crowd = np.repeat(known[:1], 40, axis=0)
    crowd[25:30, 60:] = np.zeros((), KEYPOINT)
    found = index_of(crowd).candidates(known[:1])
    assert len(found.pair) == MOST_CANDIDATES
    assert (np.diff(found.agreeing) <= 0).all()
    assert found.agreeing[0] == INDEXED
    assert found.pair.tolist() == list(range(MOST_CANDIDATES))


def test_pictures_without_points_are_no_candidates_and_have_none(known):
    nothing = np.zeros((2, MOST_KEYPOINTS), KEYPOINT)
    assert len(index_of(known).candidates(nothing).pair) == 0
    assert len(index_of(nothing).candidates(known).pair) == 0
    assert len(index_of(known).candidates(known[:0]).pair) == 0


def test_keys_say_which_point_of_which_picture_they_are(known):
    hashes, items = keys_of(known, 100)
    picture, number = np.divmod(items.astype(int), INDEXED)
    points = known[picture - 100, number]
    assert (points["size"] > 0).all()
    assert len(items) == np.count_nonzero(known[:, :INDEXED]["size"])
    np.testing.assert_array_equal(hashes, shuffled(upright(points["hash"], points["turn"] % N_ORIENTATIONS)))
    assert sorted(SHUFFLE) == list(range(64))
