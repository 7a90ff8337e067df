"""Known pictures with all that it takes to find copies among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import pandas as pd

from features.facts import HASH_KINDS
from features.index.search import Index
from features.information import LOW_INFORMATION
from features.overlays import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pandas.api.extensions import ExtensionArray

    from features.candidates import PointIndex
    from features.sketch import Sketch


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

    def names(self, rows: NDArray[np.int64]) -> ExtensionArray:
        """Return the ids of some pictures as text."""
        return pd.array(self.image_id[rows].astype("U64"), dtype="str")


class SketchReader(Protocol):
    """Gives the sketches of pictures."""

    def __call__(self, image_ids: Sequence[str]) -> Mapping[str, Sketch]:
        """Return the sketches by picture; one that has none is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """Known pictures.

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
    read: SketchReader

    def by_hash(self, kind: str) -> Index:
        """Return what finds rows by one kind of hash; made on the spot where it is not kept."""
        if kind in self.nearest:
            return self.nearest[kind]
        return Index.of_keys(np.ascontiguousarray(self.pictures.hashes[:, HASH_KINDS.index(kind)]))


def views(pictures: Pictures, rows: NDArray[np.int64], read: SketchReader) -> dict[int, View]:
    """Return some pictures ready to be laid over others, by row; those without a sketch are left out."""
    wanted = np.unique(rows)
    ids = pictures.names(wanted).tolist()
    sketches = read(ids)
    return {
        int(row): View.of(sketches[image_id], *pictures.size[row])
        for row, image_id in zip(wanted, ids, strict=True)
        if image_id in sketches
    }
