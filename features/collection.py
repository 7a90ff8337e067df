"""Known pictures with all that it takes to find copies among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import pandas as pd

from features.facts import HASH_KINDS
from features.information import LOW_INFORMATION
from features.overlays import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from features.sketch import Sketch
    from features.votes import Votes


class Pictures(NamedTuple):
    """Fingerprints as arrays.

    Parameters
    ----------
    image_id
        Shape (n,), numbered from 0.
    hashes
        Shape (n, 5), in the order of ``HASH_KINDS``.
    size
        Width and height in pixels, shape (n, 2).
    informative
        Whether they hold enough to be recognised, shape (n,).
    """

    image_id: pd.Series[str]
    hashes: NDArray[np.uint64]
    size: NDArray[np.float64]
    informative: NDArray[np.bool_]

    @classmethod
    def of(cls, fingerprints: pd.DataFrame) -> Pictures:
        """Take them from a frame with ``FINGERPRINT_COLUMNS``."""
        return cls(
            image_id=fingerprints["image_id"].reset_index(drop=True),
            hashes=fingerprints[list(HASH_KINDS)].to_numpy(np.uint64),
            size=fingerprints[["width", "height"]].to_numpy(np.float64),
            informative=fingerprints["information"].to_numpy(np.float64) >= LOW_INFORMATION,
        )


class Lookup(Protocol):
    """Finds known pictures by the points of an asked one."""

    def candidates(self, points: NDArray[np.void]) -> Votes:
        """Return the pictures, by their rows in the collection, that the points agree on; the best first."""


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
    lookup
        Finds rows by points.
    read
        Reads their sketches.
    """

    pictures: Pictures
    lookup: Lookup
    read: SketchReader


def views(pictures: Pictures, rows: NDArray[np.int64], read: SketchReader) -> dict[int, View]:
    """Return some pictures ready to be laid over others, by row; those without a sketch are left out."""
    wanted = np.unique(rows)
    ids = pictures.image_id.take(wanted).tolist()
    sketches = read(ids)
    return {
        int(row): View.of(sketches[image_id], *pictures.size[row])
        for row, image_id in zip(wanted, ids, strict=True)
        if image_id in sketches
    }
