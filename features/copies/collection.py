"""The reference pictures with all that it takes to find copies among them, kept as plain arrays in parts."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from features.copies.candidates import INDEXED, TABLES, PointIndex, details_of, keys_of
from features.facts import HASH_KINDS, LOW_INFORMATION
from features.hamming import hamming_index, index_segment
from features.hamming.hamming_index import Index
from features.hamming.index_segment import layout_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

    from features.keypoints.descriptor import Descriptor

    Arrays = Mapping[str, NDArray[Any]]

FORMAT = f"pictures-2 {index_segment.FORMAT} {INDEXED} points"
"""Names what the arrays are; others cannot be read."""
POINTS = "points"
N_TABLES = {POINTS: TABLES}
"""Of indexes for which their number of keys does not decide it."""
ROWS = ("image_id", "hashes", "size", "informative", "details")
"""Arrays with so many values a picture, in the order of the pictures."""

RADII: Mapping[str, int] = MappingProxyType({"phash": 10, "dhash": 8})
"""Most differing bits, for each kind of hash, at which a pair is looked at; within one of them is enough.

They find copies of pictures that have too few points. Measured on 1,737,075 pairs of different real photographs: 45
lie within 10 bits by phash, 85 within 8 by dhash. The other kinds are too weak alone: 92 pairs within 2 by ahash, 132
within 2 by whash, 15,177 with equal colorhash.
"""

ID_TYPE = np.dtype("S64")


class Pictures(NamedTuple):
    """Fingerprints as arrays.

    Parameters
    ----------
    image_id
        SHA-256 in hex, as bytes, shape (n,).
    hashes
        Shape (n, 5), in the order of ``HASH_KINDS``.
    size
        Width and height in pixels, shape (n, 2).
    informative
        Whether they hold enough to be recognised, shape (n,).
    """

    image_id: NDArray[np.bytes_]
    hashes: NDArray[np.uint64]
    size: NDArray[np.uint32]
    informative: NDArray[np.bool_]

    @classmethod
    def of(cls, fingerprints: pd.DataFrame) -> Pictures:
        """Take them from a frame with ``FINGERPRINT_COLUMNS``."""
        return cls(
            image_id=fingerprints["image_id"].to_numpy(ID_TYPE),
            hashes=fingerprints[list(HASH_KINDS)].to_numpy(np.uint64),
            size=fingerprints[["width", "height"]].to_numpy(np.uint32),
            informative=fingerprints["information"].to_numpy(np.float64) >= LOW_INFORMATION,
        )

    def rows(self, names: pd.Series[str]) -> NDArray[np.int64]:
        """Return the row of each of some pictures, -1 for one that is not among these."""
        wanted = names.to_numpy(ID_TYPE)
        # Eight letters tell almost all pictures apart, and as numbers they are compared ten times as fast as texts.
        held = np.flatnonzero(np.isin(_beginnings(self.image_id), _beginnings(wanted)))
        if not held.size:
            return np.full(len(wanted), -1)
        order = held[np.argsort(self.image_id[held])]
        row = order[np.searchsorted(self.image_id[order[:-1]], wanted)]
        return np.where(self.image_id[row] == wanted, row, -1)

    def names(self, rows: NDArray[np.int64]) -> ExtensionArray:
        """Return the ids of some pictures as text."""
        return pd.array(self.image_id[rows].astype("U64"), dtype="str")


NO_PICTURES = Pictures(
    np.empty(0, ID_TYPE), np.empty((0, 5), np.uint64), np.empty((0, 2), np.uint32), np.empty(0, bool)
)


def _beginnings(image_ids: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(image_ids).view(np.uint64)[:: ID_TYPE.itemsize // 8]


class DescriptorReader(Protocol):
    """Gives the sketches of pictures."""

    def __call__(self, image_ids: Sequence[str]) -> Mapping[str, Descriptor]:
        """Return the sketches by picture; one that has none is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """Reference pictures.

    Parameters
    ----------
    pictures
        Their fingerprints, one row each.
    points
        Finds rows by points.
    nearest
        Find rows by hashes, by kind; what each key belongs to is its row.
    read
        Reads sketches.
    """

    pictures: Pictures
    points: PointIndex
    nearest: Mapping[str, Index]
    read: DescriptorReader

    def by_hash(self, kind: str) -> Index:
        """Return what finds rows by one kind of hash; made on the spot where it is not kept."""
        if kind in self.nearest:
            return self.nearest[kind]
        return Index.of_keys(np.ascontiguousarray(self.pictures.hashes[:, HASH_KINDS.index(kind)]))


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
        **_rows(pictures),
        "details": details_of(usable),
        **{f"{name}.{key}": array for name, arrays in built.items() for key, array in arrays.items()},
    }


def _rows(pictures: Pictures) -> dict[str, NDArray[Any]]:
    return {
        "image_id": pictures.image_id.astype(ID_TYPE).view(np.uint8),
        "hashes": pictures.hashes.ravel(),
        "size": pictures.size.ravel(),
        "informative": pictures.informative.astype(np.uint8),
    }


def merge(parts: Sequence[Arrays]) -> dict[str, NDArray[Any]]:
    """Return the arrays of consecutive parts as one."""
    rows = {name: np.concatenate([arrays[name] for arrays in parts]) for name in ROWS}
    indexes = {
        name: hamming_index.merge([_index(arrays, name) for arrays in parts], N_TABLES.get(name))
        for name in (POINTS, *RADII)
    }
    return rows | {f"{name}.{key}": array for name, arrays in indexes.items() for key, array in arrays.items()}


def collection(parts: Sequence[Arrays], read: DescriptorReader) -> Collection:
    """Return the collection that parts make together, the first one first; their indexes and details are not read."""
    empty = _rows(NO_PICTURES)
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


def extend(reference: Collection, added: Arrays, read: DescriptorReader) -> Collection:
    """Return a collection with one more part behind it; what is known is not prepared again."""
    more = collection([added], read)
    both: Iterable[tuple[Any, Any]] = zip(reference.pictures, more.pictures, strict=True)
    columns = [np.concatenate(pair) for pair in both]
    return Collection(
        pictures=Pictures(*columns),
        points=PointIndex(
            _concatenated(reference.points.index, more.points.index), reference.points.details + more.points.details
        ),
        nearest={kind: _concatenated(index, more.nearest[kind]) for kind, index in reference.nearest.items()},
        read=read,
    )


def _concatenated(first: Index, second: Index) -> Index:
    return Index(first.segments + second.segments)


def _index(arrays: Arrays, name: str) -> dict[str, NDArray[Any]]:
    return {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}
