"""Measure the search for copies as the catalog grows: speed, recall, and false matches at the operating point.

    python -m tests.benchmarks.growth ../shared/photos --sizes 1000 10000 100000

The catalog holds photographs and distractors up to the size asked for: first ``--rendered`` pictures (crops and
mixtures of photographs that nobody asks for, every fifth a drawn catalogue picture), then mixed ones. Of those each is
made of the points of two photographs, moved a little and some of their bits flipped, with one of the two thumbnails: as
crowded and as clustered as real ones, made a thousand times faster. Queries are posted files. A hit of a foreign
picture counts as false unless both are by one taker: neighbouring frames of one turntable do not grow with the catalog.
Times are CPU seconds of one thread; memory is the most that the process has held.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from data.segments.segment_store import SegmentStore
from features.copies.collection import FORMAT, ID_TYPE, Collection, Pictures, collection, merge, part
from features.copies.reverse_search import search
from features.facts import FINGERPRINT_COLUMNS, HASH_KINDS
from features.hashing.fingerprint import fingerprint_and_descriptor
from features.hashing.selfcheck import warmup
from features.keypoints.descriptor import Descriptor
from features.keypoints.keypoints import KEYPOINT
from features.registration.same_photo import PICTURES_PER_LISTING, operating_point

from .copies.distractors import sources, unrelated_rows, with_silhouettes
from .copies.edits import displayed
from .copies.photos import LOOK_ALIKES, Condition, material
from .copies.posts import COMPANIONS, posted, posts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from .copies.photos import Material, Photo

SEED = 4
FIRST_ASKED = 1 << 40
PART_PICTURES = 200_000
RENDERED_AT_ONCE = 500
LEVELS = (0.1, 0.5, 0.9)
FLIPPED_BITS = 3
MOVED = 64
"""Sixteenths of a pixel."""
ASKED_EDITS = (
    "jpeg 20", "mirror", "tilt 8", "perspective", "crop 50", "crop 30", "banner", "white border", "phone screenshot",
    "collage 2x2",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked for.

    Parameters
    ----------
    prints, sketches
        Of the queries.
    source
        Row of the catalog that each is a copy of, -1 if there is none, shape (n,).
    taker
        Of the photo that each was made of, shape (n,).
    """

    prints: pd.DataFrame
    sketches: dict[str, Descriptor]
    source: NDArray[np.int64]
    taker: NDArray[np.str_]

    def read(self, image_ids: Sequence[str]) -> Mapping[str, Descriptor]:
        """Return the sketches of some queries."""
        return {name: self.sketches[name] for name in image_ids}


def described(images: Iterable[Image.Image], first: int) -> tuple[pd.DataFrame, list[Descriptor]]:
    """Return fingerprints, named by numbers from ``first`` on, and sketches."""
    pairs = [fingerprint_and_descriptor(image) for image in images]
    frame = pd.DataFrame([{name: getattr(found, name, "JPEG") for name in FINGERPRINT_COLUMNS} for found, _ in pairs])
    names = pd.Series([f"{first + row:064x}" for row in range(len(pairs))], dtype="str")
    return frame.assign(image_id=names).astype(dict.fromkeys(HASH_KINDS, np.uint64)), [made for _, made in pairs]


class Catalog:
    """Real pictures first, then rendered ones, then as many mixed ones as are wanted.

    Parameters
    ----------
    photos
        The real ones.
    pool
        Rows of those that mixed ones are made of.
    rendered
        The rendered ones, some thousands at the most.
    """

    def __init__(self, photos: Sequence[Photo], pool: NDArray[np.int64], rendered: Iterator[Image.Image]) -> None:
        self.takers = np.array([photo.taker for photo in photos])
        self.pool = pool
        self.rendered = rendered
        self.grown: list[NDArray[np.void]] = []
        self.thumbnails: list[NDArray[np.uint8]] = []
        self.looks: list[NDArray[np.int64]] = []
        self.parts: list[Mapping[str, NDArray[Any]]] = []
        self.real = self._add(photo.picture() for photo in photos)
        self.points = self.grown[0]

    def __len__(self) -> int:
        return sum(map(len, self.looks))

    def grow(self, size: int, rng: np.random.Generator) -> None:
        """Add distractors."""
        while len(self) < size and (images := list(islice(self.rendered, min(RENDERED_AT_ONCE, size - len(self))))):
            self._add(images)
        while len(self) < size:
            self._mix(min(PART_PICTURES, size - len(self)), rng)

    def kin(self, rows: NDArray[np.int64], takers: NDArray[np.str_]) -> NDArray[np.bool_]:
        """Tell which rows are photos by these takers."""
        real = rows < len(self.takers)
        return np.asarray(real & (self.takers[np.where(real, rows, 0)] == takers))

    def _add(self, images: Iterable[Image.Image]) -> Pictures:
        prints, sketches = described(images, len(self))
        pictures, points = Pictures.of(prints), np.stack([made.keypoints for made in sketches])
        self.parts.append(part(pictures, points, len(self)))
        self.grown.append(points)
        self.looks.append(np.arange(len(sketches)))
        self.thumbnails.append(np.stack([made.thumbnail for made in sketches]))
        return pictures

    def _mix(self, count: int, rng: np.random.Generator) -> None:
        one, other = rng.choice(self.pool, (2, count))
        points = self._mixed(one, other, rng)
        drawn = Pictures(
            image_id=np.array([f"{len(self) + row:064x}".encode() for row in range(count)], ID_TYPE),
            hashes=self.real.hashes[one] ^ rng.integers(0, 1 << 42, (count, 5), np.uint64),
            size=self.real.size[one],
            informative=np.ones(count, dtype=bool),
        )
        self.parts.append(part(drawn, points, len(self)))
        self.grown.append(points)
        self.looks.append(one)
        self.thumbnails.append(self.thumbnails[0])

    def _mixed(self, one: NDArray[np.int64], other: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.void]:
        odd = np.arange(self.points.shape[1]) % 2 == 1
        points = np.where(odd, self.points[other], self.points[one])
        for _ in range(FLIPPED_BITS):
            points["hash"] ^= np.uint64(1) << rng.integers(0, 63, points.shape, np.uint64)
        points["place"] = np.maximum(
            points["place"].astype(np.int64) + rng.integers(-MOVED, MOVED, points["place"].shape), 0
        )
        points["hash"][points["size"] == 0] = 0
        return points.astype(KEYPOINT)

    def keep_in(self, folder: Path) -> None:
        """Have files hold what is searched, merged as a store merges them after a while."""
        store, now = SegmentStore(folder, FORMAT), datetime.now(UTC)
        store.rebuild([merge(self.parts)], now=now)
        self.parts = list(store.open().parts)
        store.sweep(now=now, grace=timedelta(0))

    def opened(self) -> Collection:
        bases = np.append(0, np.cumsum([len(look) for look in self.looks]))

        def read(image_ids: Sequence[str]) -> Mapping[str, Descriptor]:
            rows = np.array([int(name, 16) for name in image_ids], np.int64)
            owner = np.searchsorted(bases, rows, side="right") - 1
            return {
                name: Descriptor(
                    self.grown[own][row - bases[own]], self.thumbnails[own][self.looks[own][row - bases[own]]]
                )
                for name, row, own in zip(image_ids, rows, owner, strict=True)
            }

        return collection(self.parts, read)


def queries(given: Material, foreign: int) -> Asked:
    """Return copies of some photos of the catalog beside foreign ones."""
    asked = [post for post in posts(given, foreign, SEED) if post.edit in ASKED_EDITS or not post.targets]
    apart = [photo for photo in given.foreign if photo.collection not in LOOK_ALIKES]
    companions = tuple(apart[:: max(1, len(apart) // COMPANIONS)][:COMPANIONS])
    prints, sketches = described((displayed(posted(post, companions, SEED)) for post in asked), FIRST_ASKED)
    return Asked(
        prints,
        sketches=dict(zip(prints["image_id"], sketches, strict=True)),
        source=np.array([post.targets[0] if post.targets else -1 for post in asked]),
        taker=np.array([post.photos[0].taker for post in asked]),
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table."""

    pictures: int
    point: float
    recall: float
    false_matches: int
    per_1000_listings: float
    strangers_from: tuple[int, ...]
    candidates_ms: float
    search_ms: float
    opened_s: float


def measure(catalog: Catalog, asked: Asked) -> Measured:
    """Ask the catalog as it stands for all queries."""
    began_s = time.perf_counter()
    known = catalog.opened()
    opened_s = time.perf_counter() - began_s
    points = np.stack([asked.sketches[name].keypoints for name in asked.prints["image_id"]])
    known.points.candidates(points[:1])
    candidates_ms = cpu_ms(lambda: [known.points.candidates(points[at : at + 64]) for at in range(0, len(points), 64)])
    found: list[pd.DataFrame] = []
    whole_ms = cpu_ms(lambda: found.append(search(asked.prints, asked.read, known, min_probability=0.0)))
    point, foreign = operating_point(len(catalog)), int((asked.source < 0).sum())
    copies = len(asked.source) - foreign
    hits = found[0][["query", "same_photo"]].assign(row=found[0]["image_id"].map(lambda name: int(name, 16)))
    expected = asked.source[hits["query"]]
    right = hits.loc[(hits["row"] == expected) & (hits["same_photo"] >= point), "query"].nunique()
    strange = hits[(expected < 0) & ~catalog.kin(hits["row"].to_numpy(), asked.taker[hits["query"]])]
    likeliest = strange.groupby("query")["same_photo"].max()
    wrong = int((likeliest >= point).sum())
    return Measured(
        pictures=len(catalog),
        point=point,
        recall=right / copies,
        false_matches=wrong,
        per_1000_listings=1000 * PICTURES_PER_LISTING * wrong / foreign,
        strangers_from=tuple(int((likeliest >= level).sum()) for level in LEVELS),
        candidates_ms=candidates_ms / len(points),
        search_ms=whole_ms / len(points),
        opened_s=opened_s,
    )


def cpu_ms(work: Callable[[], object]) -> float:
    began_s = time.process_time()
    work()
    return (time.process_time() - began_s) * 1e3


def main() -> None:
    """Grow the catalog and print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--queries", type=int, default=30, help="photos that are edited in each of some ways")
    parser.add_argument("--foreign", type=int, default=700, help="posts of photos that are not in the catalog")
    parser.add_argument("--rendered", type=int, default=0, help="distractors that are pictures, before mixed ones")
    parser.add_argument("--condition", type=Condition, choices=list(Condition), default=Condition.PLAIN)
    parser.add_argument("--folder", type=Path, help="an empty one for files of what is searched, merged into one each")
    given = parser.parse_args()
    warmup(print)
    split = material(given.photos, given.condition, given.queries, SEED)
    rendered = islice(with_silhouettes(sources(split), SEED), given.rendered)
    with threadpool_limits(1):
        catalog = Catalog(split.catalog, np.array(unrelated_rows(split)), rendered)
        asked = queries(split, given.foreign)
        foreign = int((asked.source < 0).sum())
        print(f"{len(asked.source) - foreign} copies and {foreign} foreign pictures asked for, one thread")
        print(f"strangers: foreign pictures whose likeliest stranger has at least {LEVELS}")
        print("pictures | point | recall | foreign matched | per 1,000 listings | strangers | points, all ms | /s | GB")
        for size in given.sizes:
            catalog.grow(size, np.random.default_rng([SEED, size]))
            if given.folder:
                catalog.keep_in(given.folder)
            row = measure(catalog, asked)
            most_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            print(
                f"{row.pictures:>9,} | {row.point:.4f} | {row.recall:.1%} | {row.false_matches} | "
                f"{row.per_1000_listings:.1f} | {row.strangers_from} | {row.candidates_ms:.2f}, {row.search_ms:.2f} | "
                f"{1000 / row.search_ms:.0f} | {most_gb:.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
