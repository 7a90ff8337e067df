"""What the search for copies keeps of a picture beside its hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.windows import GREY_SIDE, window_hashes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.reading import Reading

THUMBNAIL_SIDE = GREY_SIDE // 2


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """A picture reduced to what finds and checks its copies.

    Parameters
    ----------
    windows
        Hashes of the whole picture and its windows, shape (44,), ``uint64`` (see `features.windows`).
    thumbnail
        Grey levels, shape (128, 128), ``uint8``: to lay two pictures over each other.
    """

    windows: NDArray[np.uint64]
    thumbnail: NDArray[np.uint8]


def sketch(reading: Reading) -> Sketch:
    """Reduce a picture that has been read."""
    grey = reading.shrink(GREY_SIDE)
    return Sketch(window_hashes(grey), _halve(grey))


def _halve(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average blocks of 2×2 pixels, halves rounded up."""
    tall = grey[0::2].astype(np.uint16) + grey[1::2]
    return ((tall[:, 0::2] + tall[:, 1::2] + 2) >> 2).astype(np.uint8)
