"""Our hashes are ImageHash's, bit for bit, on real photographs as they are displayed."""

from __future__ import annotations

import os
import random

import pytest

from data.images.decode import Picture, decode
from data.settings import DecodeSettings
from features.facts import HASH_KINDS
from features.hashing.fingerprint import fingerprint
from features.hashing.hex_digits import to_hex
from tests.features.hashing.imagehash_oracle import printed_hashes

SAMPLE = 150
ALL_PHOTOS = bool(os.environ.get("SEENBEFORE_ALL_PHOTOS"))


def picture_files(shared):
    folders = (shared / "photos", shared / "pairs")
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in files if path.suffix != ".csv"]


def differences(paths):
    """Return how many files are pictures, and which of them we hash unlike ImageHash."""
    pictures, differing = 0, {}
    for path in paths:
        picture = decode(path.read_bytes(), DecodeSettings())
        if not isinstance(picture, Picture):
            continue
        pictures += 1
        result, expected = fingerprint(picture.image), printed_hashes(picture.image)
        wrong = [kind for kind in HASH_KINDS if to_hex(kind, getattr(result, kind)) != expected[kind]]
        if wrong:
            differing[path.name] = wrong
    return pictures, differing


def test_a_sample_of_photos_hashes_as_imagehash_does(shared):
    files = random.Random(4).sample(picture_files(shared), SAMPLE)
    pictures, differing = differences(files)
    assert pictures >= SAMPLE - 2
    assert differing == {}


@pytest.mark.slow
@pytest.mark.skipif(not ALL_PHOTOS, reason="set SEENBEFORE_ALL_PHOTOS=1 to compare all photographs")
def test_all_photos_hash_as_imagehash_does(shared):
    pictures, differing = differences(picture_files(shared))
    print(f"{pictures} pictures compared with ImageHash, {len(differing)} differ")
    assert pictures > 1_900
    assert differing == {}
