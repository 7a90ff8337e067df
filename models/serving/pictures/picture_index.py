"""The known pictures as a collection that copies are looked for in, kept in files beside the catalog.

The files hold nothing that the catalog does not: a run adds what is new, and where they do not fit the catalog they are
made anew from it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from data.catalog.market.matches import compared_pictures, fingerprints, readable_pictures
from data.catalog.market.pictures import descriptors_of
from data.errors import SegmentsError
from data.progress import say
from data.segments.segment_store import SegmentStore
from features.copies.collection import FORMAT, Pictures, collection, extend, merge, part
from features.copies.near_duplicates import warmup
from features.hashing.fingerprint import RECIPE
from features.keypoints.descriptor import Descriptor, unpack_rows
from features.keypoints.keypoints import KEYPOINT, MOST_KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from data.settings import Settings
    from features.copies.collection import Collection
    from models.serving.context import Context

PART_PICTURES = 20_000
"""Pictures that are put into files at once when these are made anew: some 150 MB."""
NAMES = 64
"""Pictures whose names are looked up in the catalog to see that the files belong to it."""
NOTHING_WAITS = pd.DataFrame({"image_id": pd.Series(dtype="str")})


def open_index(context: Context, now: datetime) -> Collection:
    """Return the pictures that were compared so far, and perhaps some that are about to be.

    Parameters
    ----------
    now
        Aware UTC; by it files that were replaced are told from those in use.
    """
    return _opened(context, now).collection


def open_index_for_queries(context: Context, now: datetime) -> Collection:
    """Return what `open_index` does, for one question after the other in a process that lasts.

    The files are not opened again while nothing was added to them, and so not looked over for damage.
    """
    return _opened(context, now, _latest).collection


def index_with(context: Context, prints: pd.DataFrame, now: datetime) -> Collection:
    """Return the known pictures and some that are in the catalog, which from now on are known too.

    Parameters
    ----------
    prints
        ``FINGERPRINT_COLUMNS`` of the pictures.

    Raises
    ------
    SegmentsError
        Somebody has made the files anew in this moment; begin again.
    """
    known, generation = _opened(context, now)
    missing = prints[known.pictures.rows(prints["image_id"]) < 0]
    if missing.empty:
        return known
    store = index_store(context.settings)
    # Pictures are numbered through, so what is added fits on what was read, and on nothing else.
    store.append(_part(context, missing, first=len(known.pictures.image_id)), onto=generation)
    store.compact(merge, now=now)
    store.sweep(now=now)
    return _opened(context, now).collection


def index_beside(
    context: Context, prints: pd.DataFrame, sketches: Mapping[str, Descriptor], now: datetime
) -> Collection:
    """Return the known pictures and some that are in no catalog, for this once.

    Parameters
    ----------
    prints
        ``FINGERPRINT_COLUMNS`` of the pictures; those that are known already count once.
    sketches
        Theirs, by picture.
    """
    opened = open_index_for_queries(context, now)
    known = opened.pictures
    new = prints[known.rows(prints["image_id"]) < 0].drop_duplicates("image_id")
    points = np.zeros((len(new), MOST_KEYPOINTS), KEYPOINT)
    for row, image_id in enumerate(new["image_id"]):
        points[row] = sketches[image_id].keypoints

    def read(image_ids: Sequence[str]) -> Mapping[str, Descriptor]:
        stored = read_sketches(context, [image_id for image_id in image_ids if image_id not in sketches])
        return {**stored, **{image_id: sketches[image_id] for image_id in image_ids if image_id in sketches}}

    return extend(opened, part(Pictures.of(new), points, len(known.image_id)), read)


def rebuild_index(context: Context, now: datetime) -> None:
    """Make the files of the known pictures from the catalog, whatever they are like."""
    store = index_store(context.settings)
    store.rebuild(_all_parts(context), now=now)
    # A search asks every segment: a million pictures in fifty of them are found half as fast as in few.
    store.compact(merge, now=now)


def index_store(settings: Settings) -> SegmentStore:
    """Return where the files are: the catalog names the folder, so that no two ever share one."""
    name = hashlib.sha256(settings.resolved_catalog_url.encode()).hexdigest()[:16]
    return SegmentStore(settings.home / "index" / name, f"{FORMAT} of {RECIPE}")


def read_sketches(context: Context, image_ids: Sequence[str]) -> Mapping[str, Descriptor]:
    """Return sketches by picture, those of this recipe."""
    with context.catalog.read() as connection:
        stored = descriptors_of(connection, image_ids, RECIPE)
    arrays = unpack_rows(stored.blobs)
    return {
        image_id: Descriptor(**{name: array[row] for name, array in arrays.items()})
        for row, image_id in enumerate(stored.image_id)
    }


class _Opened(NamedTuple):
    """The known pictures, and the generation of the files that they were made of."""

    collection: Collection
    generation: int


_latest: dict[Path, _Opened] = {}
"""What was opened last, by folder: to prepare the files again for each question costs more than to answer it."""


def _opened(context: Context, now: datetime, kept: dict[Path, _Opened] | None = None) -> _Opened:
    """Open the files, making them anew if they cannot be used or do not fit the catalog.

    Parameters
    ----------
    kept
        What was opened before, to be taken where nothing was added since.
    """
    warmup(say)
    store = index_store(context.settings)
    try:
        while True:
            found = _prepared(context, store, {} if kept is None else kept)
            if _fits(context, found.collection):
                return found
            # A run may have added to both between one look and the other.
            if store.generation() == found.generation:
                break
    except SegmentsError:
        pass
    rebuild_index(context, now)
    return _prepared(context, store, {} if kept is None else kept)


def _prepared(context: Context, store: SegmentStore, kept: dict[Path, _Opened]) -> _Opened:
    found = kept.get(store.folder)
    if found is None or found.generation != store.generation():
        snapshot = store.open()
        found = _Opened(collection(snapshot.parts, partial(read_sketches, context)), snapshot.generation)
        kept.clear()
        kept[store.folder] = found
    return found._replace(collection=replace(found.collection, read=partial(read_sketches, context)))


def _fits(context: Context, found: Collection) -> bool:
    """Tell whether files hold the compared pictures, and beyond them only such as a run was about to compare.

    Numbers tell of pictures that came or went without the files; a few names tell of a catalog that took the place of
    the one that the files were made from.
    """
    held = found.pictures
    some = held.names(np.linspace(0, max(0, len(held.image_id) - 1), min(NAMES, len(held.image_id))).astype(np.int64))
    with context.catalog.read() as connection:
        more = len(held.image_id) - compared_pictures(connection, RECIPE)
        if more < 0 or readable_pictures(connection, RECIPE, some.tolist()) != len(some):
            return False
        waiting = fingerprints(connection, RECIPE, compared=False) if more else NOTHING_WAITS
    return int(np.count_nonzero(held.rows(waiting["image_id"]) >= 0)) == more


def _all_parts(context: Context) -> Iterator[dict[str, NDArray[Any]]]:
    first, after = 0, ""
    while True:
        with context.catalog.read() as connection:
            prints = fingerprints(connection, RECIPE, compared=True, after=after, limit=PART_PICTURES)
        if prints.empty:
            return
        yield _part(context, prints, first=first)
        first, after = first + len(prints), prints["image_id"].iloc[-1]


def _part(context: Context, prints: pd.DataFrame, *, first: int) -> dict[str, NDArray[Any]]:
    with context.catalog.read() as connection:
        stored = descriptors_of(connection, prints["image_id"], RECIPE, blobs=["search_keys"])
    points = np.zeros((len(prints), MOST_KEYPOINTS), KEYPOINT)
    rows = pd.Index(prints["image_id"]).get_indexer(stored.image_id)
    points[rows] = unpack_rows(stored.blobs)["keypoints"]
    return part(Pictures.of(prints), points, first)
