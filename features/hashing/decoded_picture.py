"""What one pass over a picture yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from features.hashing.hash_bits import Hashes


@dataclass(frozen=True, slots=True)
class Reading:
    """The hashes of a picture, and its grey levels at hand for what else is wanted.

    Parameters
    ----------
    hashes
        The five hashes.
    shrink
        Gives the grey picture in some width and height, each pixel the mean of those it covers (Pillow's ``BOX``).
    """

    hashes: Hashes
    shrink: Callable[[int, int], NDArray[np.uint8]]
