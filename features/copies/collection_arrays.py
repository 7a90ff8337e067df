"""A collection of pictures as plain arrays, in parts that never change: what is kept in files and opened in no time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from features.copies.candidates import INDEXED, TABLES, PointIndex, details_of, keys_of
from features.copies.collection import ID_TYPE, Collection, Pictures
from features.copies.near_duplicates import RADII
from features.facts import HASH_KINDS
from features.hamming import hamming_index, index_segment
from features.hamming.hamming_index import Index
from features.hamming.index_segment import layout_for
from features.keypoints.keypoints import KEYPOINT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from features.copies.collection import SketchReader

    Arrays = Mapping[str, NDArray[Any]]

FORMAT = f"pictures-2 {index_segment.FORMAT} {INDEXED} points"
"""Names what the arrays are; others cannot be read."""
POINTS = "points"
N_TABLES = {POINTS: TABLES}
"""Of indexes for which their number of keys does not decide it."""
ROWS = ("image_id", "hashes", "size", "informative", "details")
"""Arrays with so many values a picture, in the order of the pictures."""


def part(pictures: Pictures, points: NDArray[np.void], first: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of some pictures that follow on others.

    Parameters
    ----------
    pictures
        Their fingerprints.
    points
        Of their sketches, shape (n, 256). Those of pictures that hold too little to be recognised are not indexed.
    first
        How many pictures there are before.
    """
    usable = np.where(pictures.informative[:, None], points, np.zeros((), points.dtype))
    numbers = np.arange(first, first + len(points), dtype=np.uint32)
    indexes = {POINTS: keys_of(usable, first)}
    indexes |= {kind: (np.ascontiguousarray(pictures.hashes[:, HASH_KINDS.index(kind)]), numbers) for kind in RADII}
    built = {
        name: index_segment.build(*keys, layout_for(keys[0].size, N_TABLES.get(name))) for name, keys in indexes.items()
    }
    return {
        "image_id": pictures.image_id.astype(ID_TYPE).view(np.uint8),
        "hashes": pictures.hashes.ravel(),
        "size": pictures.size.ravel(),
        "informative": pictures.informative.astype(np.uint8),
        "details": details_of(usable),
        **{f"{name}.{key}": array for name, arrays in built.items() for key, array in arrays.items()},
    }


def merged(parts: Sequence[Arrays]) -> dict[str, NDArray[Any]]:
    """Return the arrays of consecutive parts as one."""
    rows = {name: np.concatenate([arrays[name] for arrays in parts]) for name in ROWS}
    indexes = {
        name: hamming_index.merge([_index(arrays, name) for arrays in parts], N_TABLES.get(name))
        for name in (POINTS, *RADII)
    }
    return rows | {f"{name}.{key}": array for name, arrays in indexes.items() for key, array in arrays.items()}


def collection(parts: Sequence[Arrays], read: SketchReader) -> Collection:
    """Return the collection that parts make together, the first one first; their indexes and details are not read."""
    empty = part(NO_PICTURES, np.zeros((0, 1), KEYPOINT), 0)
    image_id, hashes, size, informative = (
        np.concatenate([arrays[name] for arrays in (empty, *parts)]) for name in ROWS[:4]
    )
    return Collection(
        pictures=Pictures(image_id.view(ID_TYPE), hashes.reshape(-1, 5), size.reshape(-1, 2), informative.view(bool)),
        points=PointIndex(
            Index.of([_index(arrays, POINTS) for arrays in parts]), tuple(arrays["details"] for arrays in parts)
        ),
        nearest={kind: Index.of([_index(arrays, kind) for arrays in parts]) for kind in RADII},
        read=read,
    )


def extended(known: Collection, added: Arrays, read: SketchReader) -> Collection:
    """Return a collection with one more part behind it; what is known is not prepared again."""
    more = collection([added], read)
    columns = (np.concatenate(both) for both in zip(known.pictures, more.pictures, strict=True))
    return Collection(
        pictures=Pictures(*columns),
        points=PointIndex(_joined(known.points.index, more.points.index), known.points.details + more.points.details),
        nearest={kind: _joined(index, more.nearest[kind]) for kind, index in known.nearest.items()},
        read=read,
    )


def _joined(first: Index, second: Index) -> Index:
    return Index(first.segments + second.segments)


def _index(arrays: Arrays, name: str) -> dict[str, NDArray[Any]]:
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}


NO_PICTURES = Pictures(
    np.empty(0, ID_TYPE), np.empty((0, 5), np.uint64), np.empty((0, 2), np.uint32), np.empty(0, bool)
)
