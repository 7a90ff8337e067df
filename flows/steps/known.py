"""The known pictures as a collection that copies are looked for in, kept in files beside the catalog.

The files hold nothing that the catalog does not: what is missing is added from it, and where they do not fit it they are
made anew.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.catalog.matches import compared_pictures, fingerprints
from data.catalog.sketches import sketches_of
from data.errors import SegmentsError
from data.segments.store import SegmentStore
from features.collection import ID_TYPE, Pictures
from features.hashing import RECIPE
from features.packing import unpack_rows
from features.points import MOST_POINTS, POINT
from features.sketch import Sketch
from features.stored import FORMAT, collection, merged, part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from features.collection import Collection
    from flows.context import Context

PART_PICTURES = 20_000
"""Pictures that are put into files at once when these are made anew: some 130 MB."""


def known_pictures(context: Context) -> Collection:
    """Return the pictures that were compared so far, and perhaps some that are about to be."""
    store = _store(context)
    with context.catalog.read() as connection:
        count = compared_pictures(connection, RECIPE)
    try:
        found = _opened(context, store)
    except SegmentsError:
        found = None
    if found is None or not _fits(context, found, count):
        store.rebuild(_all_parts(context), mark=0, now=datetime.now(UTC))
        found = _opened(context, store)
    return found


def with_pictures(context: Context, known: Collection, prints: pd.DataFrame) -> Collection:
    """Add pictures that are in the catalog, unless they are there already.

    Parameters
    ----------
    known
        From `known_pictures`.
    prints
        ``FINGERPRINT_COLUMNS`` of the pictures.
    """
    missing = prints[~np.isin(prints["image_id"].to_numpy(ID_TYPE), known.pictures.image_id)]
    if missing.empty:
        return known
    store = _store(context)
    store.append(_part(context, missing, first=len(known.pictures.image_id)), mark=0)
    store.compact(merged, now=datetime.now(UTC))
    return _opened(context, store)


def rows_of(known: Collection, image_ids: pd.Series[str]) -> NDArray[np.int64]:
    """Return the rows of pictures that are in a collection."""
    order = np.argsort(known.pictures.image_id)
    return order[np.searchsorted(known.pictures.image_id, image_ids.to_numpy(ID_TYPE), sorter=order)]


def read_sketches(context: Context, image_ids: Sequence[str]) -> Mapping[str, Sketch]:
    """Return sketches by picture, those of this recipe."""
    with context.catalog.read() as connection:
        stored = sketches_of(connection, image_ids, RECIPE)
    arrays = unpack_rows(stored.blobs)
    return {
        image_id: Sketch(**{name: array[row] for name, array in arrays.items()})
        for row, image_id in enumerate(stored.image_id)
    }


def _store(context: Context) -> SegmentStore:
    """Return where the files are: the catalog and the recipe name the folder, so that no two ever share one."""
    name = hashlib.sha256(f"{context.settings.resolved_catalog_url} {RECIPE}".encode()).hexdigest()[:16]
    return SegmentStore(context.settings.home / "index" / name, FORMAT)


def _opened(context: Context, store: SegmentStore) -> Collection:
    return collection(store.open().parts, partial(read_sketches, context))


def _fits(context: Context, found: Collection, count: int) -> bool:
    """Tell whether files hold the compared pictures, and beyond them only such as a killed run was about to compare."""
    more = len(found.pictures.image_id) - count
    if more <= 0:
        return more == 0
    with context.catalog.read() as connection:
        waiting = fingerprints(connection, RECIPE, compared=False)["image_id"].to_numpy(ID_TYPE)
    return int(np.isin(waiting, found.pictures.image_id).sum()) == more


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
        stored = sketches_of(connection, prints["image_id"], RECIPE, blobs=["search_keys"])
    points = np.zeros((len(prints), MOST_POINTS), POINT)
    rows = pd.Index(prints["image_id"]).get_indexer(stored.image_id)
    points[rows] = unpack_rows(stored.blobs)["points"]
    return part(Pictures.of(prints), points, first)
