"""Known pictures with all that it takes to find copies among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import pandas as pd

from features.facts import HASH_KINDS, LOW_INFORMATION
from features.hamming.hamming_index import Index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

    from features.copies.candidates import PointIndex
    from features.keypoints.descriptor import Descriptor


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


def _beginnings(image_ids: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(image_ids).view(np.uint64)[:: ID_TYPE.itemsize // 8]


class SketchReader(Protocol):
    """Gives the sketches of pictures."""

    def __call__(self, image_ids: Sequence[str]) -> Mapping[str, Descriptor]:
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
