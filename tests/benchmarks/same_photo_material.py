"""Which photos the likeness of copies is learned from, edited how, and on which side each of them is."""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, partial
from itertools import cycle, islice
from typing import TYPE_CHECKING

import numpy as np
from copies import geometry, layouts, retouching
from copies.edits import EDITS, TURN, Edit, chain, edits_with, generator
from copies.photos import drawn_photos, photographs, set_aside, shuffled_place

from features.hashing.fingerprint import RECIPE, fingerprint_and_descriptor
from features.hashing.selfcheck import warmup

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from copies.photos import Photo
    from copies.retouching import Change, Encoder
    from numpy.typing import NDArray
    from PIL import Image

SEED = 4
EDITED_PHOTOS = 600
EDITS_OF_EACH = 12
CALIBRATION_SHARE = 0.3
"""Of the takers whose photos are not set aside."""
COMPANIONS = 30
"""Photos that fill the other panels of collages, and are in no catalog."""
UNTOUCHED = "untouched"
MIRRORS = (TURN.FLIP_LEFT_RIGHT, TURN.ROTATE_180, TURN.TRANSPOSE)


class Side(IntEnum):
    """What the photos of one taker are for: nobody's photos are on two sides."""

    TRAINING = 0
    CALIBRATION = 1
    SET_ASIDE = 2


def at_random(image: Image.Image, rng: Random) -> Image.Image:
    """Change several things at once, none of them by an amount that is in the table of edits."""
    changes = rng.sample(
        (
            geometry.cropped(rng.uniform(0.3, 0.95)),
            geometry.tilted(rng.uniform(0.5, 9.0)),
            geometry.in_perspective,
            retouching.brightness(rng.uniform(0.6, 1.4)),
            retouching.contrast(rng.uniform(0.6, 1.6)),
            retouching.gamma(rng.uniform(0.6, 1.6)),
            retouching.resized(rng.uniform(0.3, 1.4)),
            retouching.logoed,
            retouching.price_tagged,
            layouts.bordered(retouching.vivid(rng), rng.uniform(0.02, 0.2)),
            geometry.transposed(rng.choice(MIRRORS)),
        ),
        rng.randint(2, 3),
    )
    return chain(*changes)(image, rng)


def any_jpeg(image: Image.Image, rng: Random) -> bytes:
    return retouching.jpeg(rng.randint(10, 95))(image, rng)


def with_strength(
    name: str, group: str, make: Callable[[float], Change], low: float, high: float, encode: Encoder = any_jpeg
) -> Edit:
    """Return an edit whose strength is drawn for each photo."""
    return Edit(name, group, lambda image, rng: make(rng.uniform(low, high))(image, rng), encode)


DRAWN_EDITS = (
    with_strength("any crop", "crop", geometry.cropped, 0.25, 0.98),
    with_strength("any tilt", "turn", geometry.tilted, 0.5, 11.0),
    with_strength("any brightness", "tone", retouching.brightness, 0.5, 1.5),
    with_strength("any contrast", "tone", retouching.contrast, 0.5, 1.8),
    with_strength("any size", "encode", retouching.resized, 0.2, 1.5),
    *(Edit(f"several at random {number}", "combination", at_random, any_jpeg) for number in (1, 2, 3)),
)


@dataclass(frozen=True, slots=True)
class Material:
    """The photos of one fit.

    Parameters
    ----------
    photos
        All that are in the catalog.
    side
        Of each, shape (n,), `Side`.
    edits
        Of each, the names of those that it is asked for with; none for most.
    companions
        Photos beside them.
    """

    photos: list[Photo]
    side: NDArray[np.int64]
    edits: list[tuple[str, ...]]
    companions: tuple[Photo, ...]


def material(folder: Path) -> Material:
    """Divide the photos below a folder and draw edits for some, from each collection as its size is."""
    everything = photographs(folder) + drawn_photos()
    aside = set_aside(everything)
    by_chance = sorted(everything, key=lambda photo: shuffled_place(f"asked/{photo.name}"))
    companions = [photo for photo in by_chance if photo.path is not None and photo.taker not in aside][-COMPANIONS:]
    asked = {photo.name: turn for turn, photo in enumerate(by_chance[:EDITED_PHOTOS])}
    names = [edit.name for edit in all_edits(())]
    in_turn = list(islice(cycle(generator(SEED, "edits").sample(names, len(names))), EDITED_PHOTOS * EDITS_OF_EACH))
    photos = [photo for photo in everything if photo not in companions]
    side = [Side.SET_ASIDE if photo.taker in aside else learning_side(photo.taker) for photo in photos]
    edits = [tuple(in_turn[asked[p.name] :: EDITED_PHOTOS]) if p.name in asked else () for p in photos]
    return Material(photos, np.array(side), edits, tuple(companions))


def learning_side(taker: str) -> Side:
    is_for_calibration = int(shuffled_place(f"calibration/{taker}")[:8], 16) < CALIBRATION_SHARE * 16**8
    return Side.CALIBRATION if is_for_calibration else Side.TRAINING


@cache
def all_edits(companions: tuple[Photo, ...]) -> tuple[Edit, ...]:
    return edits_with([photo.picture() for photo in companions]) + DRAWN_EDITS


@dataclass(frozen=True, slots=True)
class Described:
    """A photo, first as it is and then as its edits show it.

    Parameters
    ----------
    points, thumbnail
        See `features.keypoints.descriptor.Descriptor`, shapes (k, 256) and (k, 128, 128).
    size
        Width and height in pixels, shape (k, 2).
    near
        ``phash`` and ``dhash``, shape (k, 2), ``uint64``.
    """

    points: NDArray[np.void]
    thumbnail: NDArray[np.uint8]
    size: NDArray[np.float64]
    near: NDArray[np.uint64]


def describe_all(of: Material, kept_in: Path, workers: int) -> list[Described]:
    """Describe every photo; what the folder holds already is taken from there."""
    kept_in.mkdir(parents=True, exist_ok=True)
    assert len({edit.name for edit in all_edits(())}) == len(EDITS) + len(DRAWN_EDITS) + 3
    with ProcessPoolExecutor(workers) as pool:
        work = partial(described, companions=of.companions, kept_in=kept_in)
        return list(pool.map(work, of.photos, of.edits, chunksize=8))


def described(photo: Photo, names: tuple[str, ...], companions: tuple[Photo, ...], kept_in: Path) -> Described:
    digest = hashlib.sha256("/".join([RECIPE, photo.name, *names]).encode()).hexdigest()
    path = kept_in / f"{digest[:32]}.npz"
    if not path.exists():
        np.savez(path, **described_anew(photo, names, companions))
    with np.load(path) as kept:
        return Described(**kept)


def described_anew(
    photo: Photo, names: tuple[str, ...], companions: tuple[Photo, ...]
) -> dict[str, NDArray[np.generic]]:
    warmup()
    picture = photo.picture()
    edits = {edit.name: edit for edit in all_edits(companions)} if names else {}
    shown = [picture] + [edits[name].apply(picture, generator(SEED, name, photo.name)) for name in names]
    prints, sketches = zip(*map(fingerprint_and_descriptor, shown), strict=True)
    return {
        "points": np.stack([sketch.keypoints for sketch in sketches]),
        "thumbnail": np.stack([sketch.thumbnail for sketch in sketches]),
        "size": np.array([image.size for image in shown], np.float64),
        "near": np.array([(taken.phash, taken.dhash) for taken in prints], np.uint64),
    }
