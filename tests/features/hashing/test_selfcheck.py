"""The compiled hashes are used only where they were found right, and somebody who waits is told."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from numba.core.errors import TypingError
from PIL import Image

from features.compiled import compiled
from features.hashing import compiled_hashes, fingerprint, selfcheck
from features.hashing.compiled_hashes import read_compiled
from features.hashing.hash_bits import Hashes
from features.hashing.pillow_hashes import read_by_pillow
from features.hashing.selfcheck import COMPILING, FastPath, disagreements, imagehash_hashes, read_by_imagehash, samples
from features.keypoints.difference_of_gaussians import blur_step, extrema
from features.keypoints.keypoints import BELLS, FIRST_BELL, find_keypoints
from features.keypoints.patches import low_frequencies
from tests.features.announcements import announcements
from tests.full_run import FULL

HASHES = Hashes._fields


def wrongly(image):
    decoded = read_compiled(image)
    return replace(decoded, hashes=decoded.hashes._replace(dhash=decoded.hashes.dhash ^ 1))


def test_both_ways_agree_with_imagehash():
    assert disagreements(read_compiled) == []
    assert disagreements(read_by_pillow) == []


def test_a_hash_that_differs_is_named():
    assert disagreements(wrongly) == ["dhash"]


def test_the_samples_hold_both_modes_and_a_tie():
    images = samples()
    assert {image.mode for image in images} == {"RGB", "L"}
    assert images[-1].getpixel((0, 0)) == (255, 255, 255)


def test_another_pillow_is_found_out_and_named(monkeypatch):
    monkeypatch.setattr("features.hashing.compiled_hashes.read_compiled", lambda image, tied=None: wrongly(image))
    path = FastPath()
    problem = path.warmup(lambda _: None)
    assert path.reader is read_by_pillow
    assert "dhash" in problem
    assert "Pillow" in problem


@pytest.mark.parametrize(
    ("kernel", "differing"),
    [("read_colors", ("ahash", "dhash", "phash", "shrinking", "whash")), ("block_sums", ("whash",))],
)
def test_a_kernel_that_errs_is_found_out_and_the_bits_stay_imagehash_s(monkeypatch, kernel, differing):
    right = getattr(compiled_hashes, kernel)

    def errs(pixels, *others):
        return right(pixels[::-1, ::-1], *others)

    monkeypatch.setattr(compiled_hashes, kernel, errs)
    monkeypatch.setattr(fingerprint, "FAST", FastPath())
    problem = fingerprint.FAST.warmup(lambda _: None)
    assert f"differs from ImageHash ({', '.join(differing)})" in problem
    for image in samples():
        result = fingerprint.fingerprint(image)
        assert {kind: getattr(result, kind) for kind in HASHES} == imagehash_hashes(image)._asdict()


def test_where_the_plain_way_differs_too_imagehash_does_all_the_work(monkeypatch):
    monkeypatch.setattr("features.hashing.compiled_hashes.read_compiled", lambda image, tied=None: wrongly(image))
    monkeypatch.setattr(selfcheck, "read_by_pillow", wrongly)
    path = FastPath()
    path.warmup(lambda _: None)
    assert path.reader is read_by_imagehash
    assert disagreements(path.reader) == []


def test_a_compiler_that_fails_is_no_reason_to_stop(monkeypatch):
    def fails():
        raise TypingError("no")

    monkeypatch.setattr(compiled_hashes, "must_compile", fails)
    path = FastPath()
    assert "TypingError" in path.warmup(lambda _: None)
    assert path.reader is read_by_pillow


def test_where_only_the_noise_of_ties_differs_imagehash_settles_ties(monkeypatch):
    def read(image, tied=None):
        decoded = read_compiled(image)
        is_framed = image.mode == "RGB" and image.getpixel((0, 0)) == (255, 255, 255)
        noise = 1 if tied is None and is_framed else 0
        return replace(decoded, hashes=decoded.hashes._replace(whash=decoded.hashes.whash ^ noise))

    monkeypatch.setattr("features.hashing.compiled_hashes.read_compiled", read)
    path = FastPath()
    assert path.warmup(lambda _: None) is None
    assert path.reader(samples()[-1]).hashes == imagehash_hashes(samples()[-1])


def test_without_the_compiler_pictures_are_hashed_the_plain_way(monkeypatch):
    monkeypatch.setitem(sys.modules, "features.hashing.compiled_hashes", None)
    monkeypatch.setattr(fingerprint, "FAST", FastPath())
    assert "compiler is not installed" in fingerprint.FAST.warmup(lambda _: None)
    image = samples()[0]
    assert fingerprint.fingerprint(image).phash == imagehash_hashes(image).phash


def test_nothing_is_compiled_before_somebody_asks(monkeypatch):
    monkeypatch.setattr(fingerprint, "FAST", FastPath())
    monkeypatch.setitem(sys.modules, "features.hashing.compiled_hashes", None)
    assert fingerprint.fingerprint(Image.new("RGB", (9, 9))).width == 9


def test_the_check_is_made_once(monkeypatch):
    calls = []
    monkeypatch.setattr(selfcheck, "_checked_reader", lambda say: calls.append(say) or (None, "no"))
    path = FastPath()
    assert [path.warmup(print) for _ in range(3)] == ["no"] * 3
    assert len(calls) == 1


def test_a_function_without_a_file_is_compiled_all_the_same():
    scope = {}
    exec("def double(x):\n    return 2 * x", scope)  # noqa: S102  code that has no file is the point
    assert compiled(scope["double"])(21) == 42


def test_no_picture_waits_for_the_kernels_of_keypoints():
    assert FastPath().warmup(lambda _: None) is None
    for shape in ((1, 1), (300, 200), (320, 320), (9, 5000)):
        grey = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        find_keypoints(grey)
        find_keypoints(grey.T)
    assert len(blur_step.signatures) == len({len(bell) for bell in (FIRST_BELL, *BELLS)})
    assert len(extrema.signatures) == len(low_frequencies.signatures) == 1


@pytest.mark.slow
def test_compiling_is_announced_and_done_once_a_machine(tmp_path):
    assert FastPath().warmup(lambda _: None) is None
    first, later = announcements("features.hashing.selfcheck", tmp_path)
    assert first == f"{COMPILING}\n" + FULL * "None\n"
    assert later == "None\n"
