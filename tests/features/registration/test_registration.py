"""One picture registered on the other: begun where their points agree from either side, alike for every caller."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from features.copies.collection import Pictures
from features.copies.pairs import without_inliers
from features.hamming.bucket_scan import LANES, compare
from features.keypoints.keypoints import frame_size
from features.keypoints.orientations import MATRICES, UPRIGHT
from features.registration import affine, registration
from features.registration.registration import OVERLAY, PreparedPicture, first_guesses, register, upright_guess
from tests.features.copies.pictured import cropped, pictured
from tests.features.copies.sketched import photo, sketch_of

NEAR_PIXELS = 16.0
"""Of the frame: what is found at first is rough."""
INSIDE = np.array([[0.2, 0.2], [0.8, 0.2], [0.5, 0.5], [0.3, 0.8]])


def ready(image):
    return PreparedPicture.of(sketch_of(image), np.array(image.size, np.uint32))


def off_pixels(transform, whole, part, expected):
    """How far a guess leads some places of a part from where they are in the whole, given in shares of its sides."""
    at = INSIDE * frame_size(*part.size)
    return np.hypot(*(affine.apply(transform[None], at)[0] - expected(INSIDE) * frame_size(*whole.size)).T).max()


def test_a_mirrored_part_is_first_put_where_it_is_from_both_sides():
    whole, part = photo(1), ImageOps.mirror(cropped(photo(1), 0.25, 0.25, 0.95, 0.9))
    pair = ready(whole), ready(part)
    (there, back), (turn, turn_back) = first_guesses([pair, pair[::-1]])

    def in_whole(places):
        return np.array([0.25, 0.25]) + np.stack([1 - places[:, 0], places[:, 1]], axis=1) * [0.7, 0.65]

    def in_part(places):
        moved = (places - 0.25) / [0.7, 0.65]
        return np.stack([1 - moved[:, 0], moved[:, 1]], axis=1)

    assert off_pixels(there, whole, part, in_whole) < NEAR_PIXELS
    assert off_pixels(back, part, whole, in_part) < NEAR_PIXELS / 0.65
    assert (MATRICES[turn] == MATRICES[turn_back]).all()
    assert (MATRICES[turn] == np.diag([-1, 1])).all()


def test_where_only_the_second_picture_finds_the_first_its_answer_is_turned_back():
    one, other = ready(photo(2)), ready(photo(2).transpose(Image.Transpose.ROTATE_90))
    (expected,), (turn,) = first_guesses([(one, other)])
    mute = PreparedPicture(one.view, one.points)
    vars(mute)["hypotheses"] = tuple(part[:0] for part in one.hypotheses)
    (found,), (turn_found,) = first_guesses([(mute, other)])
    corners = np.array([[0.0, 0.0], [300.0, 0.0], [0.0, 300.0]])
    np.testing.assert_allclose(
        affine.apply(found[None], corners), affine.apply(expected[None], corners), atol=NEAR_PIXELS
    )
    assert turn_found == turn != UPRIGHT


def test_pictures_whose_points_do_not_agree_lie_on_each_other_from_side_to_side():
    flat = Image.new("RGB", (300, 200), "white")
    pair = ready(photo(0)), ready(flat)
    (transform,), (turn,) = first_guesses([pair])
    assert (transform == upright_guess(pair[0].view, pair[1].view)).all()
    assert turn == UPRIGHT


@pytest.fixture(scope="module")
def gallery():
    images = {
        "0": photo(0),
        "1": photo(1),
        "0 part": cropped(photo(0), 0.1, 0.1, 0.8, 0.8),
        "1 mirrored": ImageOps.mirror(photo(1)),
    }
    return pictured(images)


PAIRS = [(0, 2), (2, 0), (1, 3), (0, 1), (3, 3), (3, 0)]


def registered(gallery, pairs=PAIRS, read=None):
    pictures = Pictures.of(gallery.prints)
    rows = without_inliers(*np.array(pairs, np.int64).reshape(-1, 2).T)
    return register(rows, pictures, read or gallery.read, pictures, gallery.read)


def test_a_pair_is_laid_alike_alone_and_among_others(gallery, monkeypatch):
    together = registered(gallery)
    for row, pair in enumerate(PAIRS):
        assert registered(gallery, [pair]).overlays[0].tobytes() == together.overlays[row].tobytes()
        assert registered(gallery, [pair]).differences[0].tobytes() == together.differences[row].tobytes()
    monkeypatch.setattr(registration, "PAIRS_AT_ONCE", 4)
    assert registered(gallery).overlays.tobytes() == together.overlays.tobytes()
    assert together.overlays["matches"][[0, 1, 2, 4]].min() > 40 > 10 > together.overlays["matches"][[3, 5]].max()


def test_of_a_picture_without_a_sketch_nothing_is_seen(gallery):
    found = registered(gallery, read=lambda image_ids: gallery.read([name for name in image_ids if name != "0"]))
    blind = [row for row, (query, _) in enumerate(PAIRS) if query == 0]
    assert (found.overlays[blind] == np.zeros(len(blind), OVERLAY)).all()
    assert (np.delete(found.overlays["matches"], blind) > 0).sum() >= 3


def test_no_pairs_are_laid_over_nothing(gallery):
    assert len(registered(gallery, []).overlays) == len(registered(gallery, []).differences) == 0


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 40])
def test_few_keys_are_compared_as_counting_their_bits_compares_them(count):
    rng = np.random.default_rng(count)
    queries, keys = (rng.integers(0, 1 << 12, n).astype(np.uint64) for n in (50, count))
    found = compare(queries, np.append(keys, np.zeros(LANES, np.uint64)), np.uint64(4))
    expected = np.argwhere(np.bitwise_count(queries[:, None] ^ keys) <= 4)
    assert np.column_stack([found >> np.uint64(32), found & np.uint64(0xFFFFFFFF)]).tolist() == expected.tolist()
