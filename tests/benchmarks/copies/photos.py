"""Which photos are in the catalog, which are copied, and which are new: a seeded split of real photographs."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from random import Random
from typing import TYPE_CHECKING

from . import silhouettes
from .edits import displayed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from PIL import Image

SET_ASIDE_SHARE = 0.4
"""Share of the takers of a collection whose photos ask; the others' photos may be trained on and fill the catalog."""
FOREIGN_SHARE = 0.5
SILHOUETTES = 600
TURNTABLES = "car_spin360"
CLOTHES = "clothing_cc0"
DRAWN = "silhouettes"
SCENES = "boofcv_multiview"
LOOK_ALIKES = frozenset({TURNTABLES, CLOTHES, DRAWN})


FULL_TURNS = frozenset({f"{TURNTABLES}/honda_civic/51.png", f"{TURNTABLES}/renault_kadjar/71.png"})
"""Last frames, on which the car has come round: pixel by pixel the first frames, under another name."""


class Condition(StrEnum):
    """What is in the catalog and asked for.

    ``plain``: photographs; what one person took is wholly in the catalog or wholly foreign; another view of one
    scene counts neither as found nor as a false alarm. ``look_alikes``: also frames of a turntable, 3 degrees apart,
    and catalogue pictures on white; frames of one car, and clothes of one person before the same wall, are in the
    catalog and foreign; whatever is not the very photo is a false alarm.
    """

    PLAIN = "plain"
    LOOK_ALIKES = "look_alikes"


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph: ``taker`` is the person, house, car or scene it belongs to; without ``path`` it is drawn."""

    name: str
    collection: str
    taker: str
    path: Path | None

    def picture(self) -> Image.Image:
        """Return the photograph as displayed, RGB."""
        if self.path is None:
            return silhouettes.draw(int(self.name.rpartition("/")[2]))
        return displayed(self.path.read_bytes())


@dataclass(frozen=True, slots=True)
class Material:
    """The photos of one run: ``asked`` are places in ``catalog`` of the photos that are copied."""

    condition: Condition
    catalog: list[Photo]
    asked: list[int]
    foreign: list[Photo]

    def lenient_rows(self, row: int) -> set[int]:
        """Return the catalog's other views of the same scene where those are no false alarms."""
        photo = self.catalog[row]
        if self.condition is Condition.LOOK_ALIKES or photo.collection != SCENES:
            return set()
        return {other for other, view in enumerate(self.catalog) if view.taker == photo.taker} - {row}


TAKERS: dict[str, Callable[[Path], str]] = {
    SCENES: lambda path: path.parent.name + path.stem.rstrip("0123456789"),
    TURNTABLES: lambda path: path.parent.name,
    "houses": lambda path: path.stem.split("_")[0],
    "stanford_cars_train_subset": lambda path: path.stem,
}


def photographs(folder: Path) -> list[Photo]:
    """List the distinct photographs below a folder of collections, in a fixed order."""
    with (folder / CLOTHES / "index.csv").open(encoding="utf-8") as table:
        senders = {row["file"]: row["sender_id"] for row in csv.DictReader(table)}
    takers = TAKERS | {CLOTHES: lambda path: senders[path.name]}
    photos: dict[str, Photo] = {}
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".jpg", ".png"}):
        name = path.relative_to(folder)
        photo = Photo(name.as_posix(), name.parts[0], f"{name.parts[0]}/{takers[name.parts[0]](path)}", path)
        photos.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), photo)
    return list(photos.values())


def drawn_photos(numbers: Iterable[int] = range(SILHOUETTES)) -> list[Photo]:
    """Return catalogue pictures, by default those of the collection; each is its own taker."""
    names = [f"{DRAWN}/{number:04d}" for number in numbers]
    return [Photo(name, DRAWN, name, None) for name in names]


def set_aside(photos: Sequence[Photo]) -> frozenset[str]:
    """Return the takers whose photos ask, the same two fifths of each collection for ever.

    Whatever is trained for the comparison may see the photos of the other takers only.
    """
    order = sorted({(photo.collection, shuffled_place(photo.taker), photo.taker) for photo in photos})
    aside: list[str] = []
    for _, entries in groupby(order, key=lambda entry: entry[0]):
        takers = [taker for *_, taker in entries]
        aside += takers[: round(SET_ASIDE_SHARE * len(takers))]
    return frozenset(aside)


def shuffled_place(name: str) -> str:
    return hashlib.sha256(f"place/{name}".encode()).hexdigest()


def is_foreign(key: str) -> bool:
    return int(shuffled_place(f"foreign/{key}")[:8], 16) < FOREIGN_SHARE * 16**8


def material(folder: Path, condition: Condition, asked: int, seed: int) -> Material:
    """Divide the photographs below ``folder``; ``asked`` is how many photos of the catalog are copied."""
    photos = [photo for photo in photographs(folder) if photo.name not in FULL_TURNS]
    if condition is Condition.PLAIN:
        photos = [photo for photo in photos if photo.collection != TURNTABLES]
    else:
        photos += drawn_photos()
    aside = set_aside(photos)
    apart = frozenset() if condition is Condition.PLAIN else LOOK_ALIKES
    foreign = [
        photo
        for photo in photos
        if photo.taker in aside and is_foreign(photo.name if photo.collection in apart else photo.taker)
    ]
    catalog = sorted(set(photos).difference(foreign), key=lambda photo: photo.name)
    candidates = [row for row, photo in enumerate(catalog) if photo.taker in aside]
    return Material(condition, catalog, drawn_rows(catalog, candidates, apart, asked, Random(seed)), foreign)


def drawn_rows(
    catalog: Sequence[Photo], candidates: Iterable[int], apart: frozenset[str], count: int, rng: Random
) -> list[int]:
    """Draw rows of the catalog, in turn from each of the look-alike collections and from all others together."""
    strata: dict[str, list[int]] = {}
    for row in candidates:
        collection = catalog[row].collection
        strata.setdefault(collection if collection in apart else "others", []).append(row)
    for rows in strata.values():
        rng.shuffle(rows)
    rounds = max(map(len, strata.values()))
    in_turn = [rows[step] for step in range(rounds) for rows in strata.values() if step < len(rows)]
    return in_turn[:count]
