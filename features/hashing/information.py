"""How much a picture holds: flat pictures agree with each other in every hash and prove nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

THUMBNAIL_SIDE = 64
GREY_STEP = 8
"""Grey levels to a step of brightness: sensor noise and JPEG rounding stay below half of it."""

LOW_INFORMATION = 0.5
"""Bits below which a picture is too empty to be recognised by its hashes.

Measured: flat, noisy, evenly shaded and two-coloured pictures, a dot or a small line of text reach 0.4 bits at most;
1,872 real photographs 1.06 and more (an aeroplane in a clear sky), studio pictures on white 1.8 and more. Placeholders
with large lettering or a symbol (0.9 to 2.6) are not told apart by this measure but by how many sellers share them.
"""


def information(image: Image.Image) -> float:
    """Return the entropy of a picture's brightness steps, in bits for each pixel of a 64×64 thumbnail.

    Every pixel of the grey thumbnail yields its difference to the right and to the pixel below, both rounded to
    steps of 8 grey levels; the measure is the Shannon entropy of these pairs. It is 0 for a flat picture, for a slow
    gradient and for faint noise, about 5 for a photograph and at most 12.
    """
    thumbnail = image.convert("L").resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX)
    return thumbnail_information(np.asarray(thumbnail))


def thumbnail_information(thumbnail: NDArray[np.uint8]) -> float:
    """Return `information` of a picture from its grey thumbnail, shape (64, 64)."""
    levels = thumbnail.astype(np.float64)
    across = np.rint(np.diff(levels, axis=1)[:-1] / GREY_STEP)
    down = np.rint(np.diff(levels, axis=0)[:, :-1] / GREY_STEP)
    _, counts = np.unique(across * 256 + down, return_counts=True)
    shares = counts / counts.sum()
    return float(-np.sum(shares * np.log2(shares)) + 0.0)
