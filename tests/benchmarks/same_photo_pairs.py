"""Every query, with each picture of the catalog registered on it that the search for copies would look at."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.copies.candidates import PAIR_SHIFT, PointIndex, details_of, keys_of
from features.copies.collection import RADII
from features.hamming.hamming_index import Index
from features.keypoints.descriptor import Descriptor
from features.registration.registration import OVERLAY, View, overlay, upright_guess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from same_photo_material import Described

NEAR_BITS = (RADII["phash"], RADII["dhash"])
"""Of ``phash`` and ``dhash``: pictures that near are registered on each other without any inlier."""
PAIR = np.dtype([("photo", np.int64), ("edit", np.int64), ("reference", np.int64), ("overlay", OVERLAY)])
"""``photo`` and ``edit`` name the query (edit 0: the photo as it is), ``reference`` what is registered on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """Reference pictures, ready to be searched.

    Parameters
    ----------
    number
        Of each, in the list of all photos, ascending, shape (n,).
    points, near, views
        Their points, two hashes (n, 2), and what it takes to lay them over others.
    """

    number: NDArray[np.int64]
    points: PointIndex
    near: NDArray[np.uint64]
    views: list[View]

    @classmethod
    def of(cls, photos: list[Described], number: NDArray[np.int64]) -> Catalog:
        points = np.stack([photos[n].points[0] for n in number])
        near = np.stack([photos[n].near[0] for n in number])
        found_by_points = PointIndex(Index.of_keys(*keys_of(points, 0)), (details_of(points),))
        return cls(number, found_by_points, near, [view_of(photos[n], 0) for n in number])

    def overlays(self, photo: Described) -> Iterator[tuple[int, int, NDArray[np.void]]]:
        """Register each candidate on a photo and its edits: number of the edit, row of the reference, `OVERLAY`."""
        views = [view_of(photo, edit) for edit in range(len(photo.size))]
        peaks = self.points.candidates(photo.points)
        edits, rows = peaks.pair >> PAIR_SHIFT, peaks.pair & ((1 << PAIR_SHIFT) - 1)
        for edit, row, guess, orientation in zip(edits, rows, peaks.guess, peaks.orientation, strict=True):
            yield edit, row, overlay(views[edit], self.views[row], guess, int(orientation))
        differing = np.bitwise_count(self.near ^ photo.near[:, None])
        near = (differing <= NEAR_BITS).any(axis=2)
        near[edits, rows] = False
        for edit, row in np.argwhere(near):
            yield edit, row, overlay(views[edit], self.views[row], upright_guess(views[edit], self.views[row]), 0)


def view_of(photo: Described, edit: int) -> View:
    return View.of(Descriptor(photo.points[edit], photo.thumbnail[edit]), *photo.size[edit])


_shared: list[tuple[list[Described], Catalog]] = []
"""What a worker process works with; it is sent once."""


def _share(photos: list[Described], catalog: Catalog) -> None:
    _shared[:] = [(photos, catalog)]


def pairs_of_photo(number: int) -> NDArray[np.void]:
    """Ask for a photo as it is, which must not find itself, and for each of its edits."""
    photos, catalog = _shared[0]
    found = [(number, edit, catalog.number[row], measured) for edit, row, measured in catalog.overlays(photos[number])]
    pairs = np.array(found, PAIR)
    return pairs[(pairs["edit"] > 0) | (pairs["reference"] != number)]


def all_pairs(
    photos: list[Described], queries: NDArray[np.int64], references: NDArray[np.int64], workers: int
) -> NDArray[np.void]:
    """Return `PAIR` records for the photos ``queries`` in a catalog of the ``references`` (numbers)."""
    catalog = Catalog.of(photos, references)
    with ProcessPoolExecutor(workers, initializer=_share, initargs=(photos, catalog)) as pool:
        return np.concatenate(list(pool.map(pairs_of_photo, queries.tolist(), chunksize=8)))
