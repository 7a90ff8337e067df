"""Two pictures laid over each other: how much of them is common, and how far that agrees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.registration.alignment import inverse
from features.registration.correlation_kernels import SAMPLES, block_correlations, halved

if TYPE_CHECKING:
    from numpy.typing import NDArray

AGREES = 0.6
"""Correlation above which a block of two pictures counts as the same."""
TEXTURED = 2.0
"""Grey levels of contrast above which a block can tell anything."""
SMALLEST_SHARE = 0.02
"""Of a side, below which two pictures have nothing in common."""
COARSEST_SIDE = 16
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
NOTHING = np.full((8, 8), np.nan, np.float32)


class Agreement(NamedTuple):
    """What laying two pictures over each other shows.

    Parameters
    ----------
    correlation
        Of each block of the common area, shape (8, 8), NaN where there is no telling: too little of the block lies in
        both pictures, or one of them is even there.
    box
        Left, top, right and bottom of that area in the known picture, in shares of its sides, shape (4,).
    """

    correlation: NDArray[np.float32]
    box: NDArray[np.float64]


def levels(thumbnail: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Return a thumbnail, shape (128, 128), in its own and ever half the size."""
    found = [thumbnail.astype(np.float32)]
    while len(found[-1]) > COARSEST_SIDE:
        found.append(halved(found[-1]))
    return found


def agreement(
    asked: list[NDArray[np.float32]], known: list[NDArray[np.float32]], lead: NDArray[np.float64]
) -> Agreement:
    """Compare two pictures block by block.

    Parameters
    ----------
    asked, known
        Their thumbnails; see `levels`.
    lead
        Leads from a place in the known picture to the same in the asked one, both in shares of the sides.
    """
    box = _common_box(lead)
    if min(box[2] - box[0], box[3] - box[1]) < SMALLEST_SHARE:
        return Agreement(NOTHING, box)
    step = max(box[2] - box[0], box[3] - box[1]) / SAMPLES
    scale = math.sqrt(abs(np.linalg.det(lead[:, :2])))
    correlation, contrast = block_correlations(_sampled(asked, step * scale), _sampled(known, step), lead, box)
    return Agreement(np.where(contrast > TEXTURED, correlation, np.nan).astype(np.float32), box)


def _common_box(lead: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the corners of the asked picture enclose in the known one, cut at its sides."""
    back = inverse(lead)
    corners = np.clip(CORNERS @ back[:, :2].T + back[:, 2], 0.0, 1.0)
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _sampled(pictures: list[NDArray[np.float32]], step: float) -> NDArray[np.float32]:
    """Choose the size whose pixels are nearest to a step, a share of the side."""
    halvings = round(math.log2(max(1.0, step * len(pictures[0]))))
    return pictures[min(halvings, len(pictures) - 1)]
