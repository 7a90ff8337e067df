"""Bright and dark spots of a picture, looked for at many sizes (differences of Gaussians, after Lowe 2004)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.keypoints.kernels.difference_of_gaussians import blur_step, spots

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_BLUR = 1.6
CAMERA_BLUR = 0.5
"""Pixels; what the pixels themselves are taken to blur."""
STEPS = 3
"""Sizes of spots from one octave to the next."""
OCTAVES = 5
SMALLEST_SIDE = 12
FAINTEST = 0.8
"""Grey levels."""
LONGEST = 10.0
REACH = 3.0
"""Blurs on either side that a bell goes on for."""

SPOT = np.dtype(
    [
        ("x", np.float64),
        ("y", np.float64),
        ("blur", np.float64),
        ("strength", np.float64),
        ("picture", np.int64),
        ("pixel", np.float64),
    ]
)
"""Place and blur in pixels of the first picture, signed strength in grey levels, in which blurred picture the spot was
found, and how many pixels of the first picture a pixel of that one is wide."""


class ScaleSpace(NamedTuple):
    """A picture at many sizes.

    Parameters
    ----------
    blurred
        The pictures that spots were found in, from the sharpest on; each octave has half as many pixels a side.
    found
        `SPOT`, shape (n,).
    """

    blurred: list[NDArray[np.float32]]
    found: NDArray[np.void]


def _bell(sigma: float) -> tuple[np.float32, ...]:
    """Return the middle of a Gaussian kernel and what follows it."""
    weights = np.exp(-(np.arange(math.ceil(REACH * sigma) + 1) ** 2) / (2 * sigma**2))
    return tuple((weights / (2 * weights.sum() - weights[0])).astype(np.float32))


GROWTH = 2.0 ** (1 / STEPS)
BLURS = FIRST_BLUR * GROWTH ** np.arange(STEPS + 3)
FIRST_BELL = _bell(math.sqrt(FIRST_BLUR**2 - CAMERA_BLUR**2))
BELLS = tuple(_bell(math.sqrt(after**2 - before**2)) for before, after in pairwise(BLURS))


def scale_space(picture: NDArray[np.float32]) -> ScaleSpace:
    """Blur a picture in steps and octaves, and find the spots that stand out at some step.

    Parameters
    ----------
    picture
        Grey levels, shape (height, width); without spots if a side is shorter than `SMALLEST_SIDE`.
    """
    kept: list[NDArray[np.float32]] = []
    found: list[NDArray[np.float32]] = []
    base, _ = blur_step(picture, FIRST_BELL)
    for _ in range(OCTAVES):
        if min(base.shape) < SMALLEST_SIDE:
            break
        blurred, differences = [base], []
        for bell in BELLS:
            coarser, difference = blur_step(blurred[-1], bell)
            blurred.append(coarser)
            differences.append(difference)
        consecutive = zip(differences, differences[1:], differences[2:], strict=False)
        found += [spots(*three, FAINTEST, LONGEST) for three in consecutive]
        kept += blurred[1 : STEPS + 1]
        base = np.ascontiguousarray(blurred[STEPS][::2, ::2])
    return ScaleSpace(kept, _spots(found))


NOTHING = np.empty((0, 4), np.float32)


def _spots(found: list[NDArray[np.float32]]) -> NDArray[np.void]:
    """Bring what was found in each picture to pixels of the first one."""
    picture = np.repeat(np.arange(len(found)), [len(part) for part in found])
    octave, step = np.divmod(picture, STEPS)
    raw = np.concatenate([NOTHING, *found]).astype(np.float64)
    out = np.empty(len(raw), SPOT)
    out["picture"], out["pixel"], out["strength"] = picture, 2.0**octave, raw[:, 3]
    # Every second pixel is kept from octave to octave, so that pixel numbers just double.
    out["x"], out["y"] = raw[:, 0] * out["pixel"] + 0.5, raw[:, 1] * out["pixel"] + 0.5
    out["blur"] = BLURS[1 + step] * GROWTH ** raw[:, 2] * out["pixel"]
    return out
