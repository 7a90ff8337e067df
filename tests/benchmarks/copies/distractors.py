"""Pictures that fill a catalog up to any size: crops, tones, mirror images and mixtures of real photographs.

    python -m tests.benchmarks.copies.distractors ../shared/photos --count 2000

They are grey and small, about a millisecond each, as what is hashed and compared is small and grey as well. None is
made of a photo that is asked for, of another view of its scene, or of a foreign one: a crop of those would be a copy.
"""

from __future__ import annotations

import argparse
from itertools import count, islice
from pathlib import Path
from random import Random
from time import process_time
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from . import silhouettes
from .photos import Condition, material

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from .photos import Material

SIDE_PX = 256
SOURCE_PX = 400
"""Longer side of the photographs that crops are taken from."""
SMALLEST_CROP = 0.35
"""Side of the smallest crop, as a share of the photograph's."""
SILHOUETTE_EVERY, FIRST_SILHOUETTE = 5, 10_000
"""Which distractors are catalogue pictures, and the number of the first: none that is asked for or fitted on."""


def sources(given: Material) -> list[Image.Image]:
    """Return the photographs of the catalog that distractors may be made of, grey and small."""
    photos = [given.catalog[row] for row in unrelated_rows(given)]
    return [ImageOps.contain(photo.picture().convert("L"), (SOURCE_PX, SOURCE_PX)) for photo in photos]


def unrelated_rows(given: Material) -> list[int]:
    """Return the rows of the catalog's photos whose takers took nothing that is asked for, copied or foreign."""
    takers = {given.catalog[row].taker for row in given.asked} | {photo.taker for photo in given.foreign}
    return [row for row, photo in enumerate(given.catalog) if photo.taker not in takers]


def distractors(photographs: Sequence[Image.Image], seed: int) -> Iterator[Image.Image]:
    """Yield grey pictures of 256 by 256 without end; the same seed yields the same ones.

    Half are a crop of one photograph, a quarter shine through each other, a quarter are two that meet along an edge.
    """
    rng = Random(seed)
    making = (cut, cut, blended, joined)
    while True:
        yield rng.choice(making)(photographs, rng)


def with_silhouettes(photographs: Sequence[Image.Image], seed: int) -> Iterator[Image.Image]:
    """Yield distractors without end, every `SILHOUETTE_EVERY`-th a catalogue picture that no collection holds."""
    made = distractors(photographs, seed)
    for turn in count(1):
        yield silhouettes.draw(FIRST_SILHOUETTE + turn) if turn % SILHOUETTE_EVERY == 0 else next(made)


def batches(pictures: Iterable[Image.Image], size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures as arrays of (size, 256, 256), the last one shorter."""
    left = iter(pictures)
    while batch := list(islice(left, size)):
        yield np.stack([np.asarray(picture) for picture in batch])


def cut(photographs: Sequence[Image.Image], rng: Random) -> Image.Image:
    """Take a crop of any shape, mirrored or not, in other tones."""
    photograph = rng.choice(photographs)
    width, height = (side * rng.uniform(SMALLEST_CROP, 1) for side in photograph.size)
    left, top = rng.uniform(0, photograph.width - width), rng.uniform(0, photograph.height - height)
    box = (left, top, left + width, top + height)
    picture = photograph.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR, box)
    if rng.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    exponent, gain = rng.uniform(0.6, 1.6), rng.uniform(0.75, 1.0)
    return picture.point([round(255 * gain * (value / 255) ** exponent) for value in range(256)])


def blended(photographs: Sequence[Image.Image], rng: Random) -> Image.Image:
    return Image.blend(cut(photographs, rng), cut(photographs, rng), rng.uniform(0.2, 0.5))


def joined(photographs: Sequence[Image.Image], rng: Random) -> Image.Image:
    """Let one picture cover one side of another, up to a half, as a collage or a wide banner does."""
    picture, cover = cut(photographs, rng), cut(photographs, rng)
    edge = round(SIDE_PX * rng.uniform(0.2, 0.5))
    picture.paste(cover.crop((0, 0, SIDE_PX, edge) if rng.random() < 0.5 else (0, 0, edge, SIDE_PX)))
    return picture


def main() -> None:
    """Make some and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="folder of collections of photographs")
    parser.add_argument("--condition", type=Condition, choices=list(Condition), default=Condition.PLAIN)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheet", type=Path, help="file for a picture of the first hundred")
    given = parser.parse_args()
    photographs = sources(material(given.photos, given.condition, asked=100, seed=given.seed))
    started = process_time()
    made = np.concatenate(list(batches(islice(distractors(photographs, given.seed), given.count), 256)))
    each_ms = 1000 * (process_time() - started) / given.count
    print(f"{len(made)} distractors of {len(photographs)} photographs, {each_ms:.2f} ms of CPU each")
    if given.sheet:
        shown = made[: min(100, len(made) // 10 * 10)].reshape(-1, 10, SIDE_PX, SIDE_PX)
        Image.fromarray(np.vstack([np.hstack(list(line)) for line in shown])).resize((1280, 128 * len(shown))).save(
            given.sheet
        )


if __name__ == "__main__":
    main()
