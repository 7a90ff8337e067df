"""The files that are posted: edits of the catalog's photos, and foreign photos as they are or edited."""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING

from .edits import COLLAGES, EDITS, displayed, edits_with, generator, posted_jpeg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

    from .edits import Edit
    from .photos import Material, Photo

UNTOUCHED = "untouched"
FOREIGN = "foreign"
COMPANIONS = 40
"""How many foreign photos serve as the further panels of collages."""
EACH = ", each of its photos"


@dataclass(frozen=True, slots=True)
class Post:
    """A file to make and to ask for.

    Parameters
    ----------
    edit, group
        Row of the table; foreign posts have the group ``foreign`` and the name of the edit they went through.
    photos
        What it is made of, in order.
    targets
        Rows of the catalog that are to be found; none for a foreign post.
    """

    edit: str
    group: str
    photos: tuple[Photo, ...]
    targets: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """A file name of its own."""
        return hashlib.sha256(
            "/".join([self.edit, self.group, *(photo.name for photo in self.photos)]).encode()
        ).hexdigest()


def posts(material: Material, foreign: int, seed: int) -> list[Post]:
    """Return every edit of every photo asked for, collages of four and of two of them, and ``foreign`` other posts."""
    asked = [(material.catalog[row], row) for row in material.asked]
    single = [Post(name, group, (photo,), (row,)) for name, group in all_edits() for photo, row in asked]
    collages = [
        Post(
            collage.name + EACH,
            collage.group,
            *zip(*(asked[(first + n) % len(asked)] for n in range(collage.photos)), strict=True),
        )
        for collage in COLLAGES
        for first in range(len(asked))
    ]
    return single + collages + list(islice(foreign_posts(material, seed), foreign))


def all_edits() -> list[tuple[str, str]]:
    return [(edit.name, edit.group) for edit in EDITS] + [(collage.name, collage.group) for collage in COLLAGES]


def foreign_posts(material: Material, seed: int) -> Iterator[Post]:
    """Go through the foreign photos: untouched first, then again and again with an edit drawn for each."""
    for photo in material.foreign:
        yield Post(UNTOUCHED, FOREIGN, (photo,))
    names = [name for name, _ in all_edits()]
    drawn = {
        photo: generator(seed, "foreign edits", photo.name).sample(names, len(names)) for photo in material.foreign
    }
    for turn in range(len(names)):
        for photo in material.foreign:
            yield Post(drawn[photo][turn], FOREIGN, (photo,))


@cache
def edits_among(companions: tuple[Photo, ...]) -> dict[str, Edit]:
    return {edit.name: edit for edit in edits_with([photo.picture() for photo in companions])}


def posted(post: Post, companions: tuple[Photo, ...], seed: int) -> bytes:
    """Make the file."""
    pictures = [photo.picture() for photo in post.photos]
    rng = generator(seed, post.edit, *(photo.name for photo in post.photos))
    if post.edit == UNTOUCHED:
        return posted_jpeg(pictures[0], rng)
    for collage in COLLAGES:
        if post.edit == collage.name + EACH:
            return collage.file(pictures, rng)
    return edits_among(companions)[post.edit].file(pictures[0], rng)


def write_posts(material: Material, wanted: list[Post], folder: Path, seed: int, workers: int) -> list[Path]:
    """Write the files that the folder does not hold yet; return the path of every post."""
    folder.mkdir(parents=True, exist_ok=True)
    companions = tuple(material.foreign[:: max(1, len(material.foreign) // COMPANIONS)][:COMPANIONS])
    paths = [folder / post.name for post in wanted]
    missing = [(post, path) for post, path in zip(wanted, paths, strict=True) if not path.exists()]
    with ProcessPoolExecutor(workers) as pool:
        list(
            pool.map(partial(write_post, companions=companions, seed=seed), *zip(*missing, strict=True), chunksize=16)
            if missing
            else ()
        )
    return paths


def write_post(post: Post, path: Path, companions: tuple[Photo, ...], seed: int) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(posted(post, companions, seed))
    part.replace(path)


def opened(path: Path) -> Image.Image:
    return displayed(path.read_bytes())
