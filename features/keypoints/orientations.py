"""The eight orientations of a square: what mirroring and quarter turns do to places, and to hashes of keypoints.

An orientation is a number below 8: bit 0 mirrors left and right, bit 1 top and bottom, bit 2 then exchanges columns and
rows. Mirroring changes the sign of the odd frequencies and exchanging transposes them, so that the hash of a turned
picture follows from the hash of the picture itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIRROR, FLIP, EXCHANGE = 1, 2, 4
UPRIGHT = 0
N_ORIENTATIONS = 8


def _matrix(orientation: int) -> NDArray[np.int64]:
    mirrored = np.diag([-1 if orientation & MIRROR else 1, -1 if orientation & FLIP else 1])
    return mirrored[::-1] if orientation & EXCHANGE else mirrored


MATRICES = np.stack([_matrix(orientation) for orientation in range(N_ORIENTATIONS)])
"""What an orientation does to a vector (right, down), shape (8, 2, 2)."""


def _number(matrix: NDArray[np.int64]) -> int:
    return int(np.flatnonzero((matrix == MATRICES).all(axis=(1, 2)))[0])


AFTER = np.array(
    [[_number(MATRICES[b] @ MATRICES[a]) for a in range(N_ORIENTATIONS)] for b in range(N_ORIENTATIONS)], np.uint8
)
"""``AFTER[b, a]`` does ``a`` and then ``b``."""
BETWEEN = np.array(
    [[_number(MATRICES[b].T @ MATRICES[a]) for a in range(N_ORIENTATIONS)] for b in range(N_ORIENTATIONS)], np.uint8
)
"""``BETWEEN[b, a]`` leads from a square to one that looks the same once ``a`` is done to the first and ``b`` to the
other."""

ODD_COLUMNS = np.uint64(0x5555555555555555)
ODD_ROWS = np.uint64(0x00FF00FF00FF00FF)


def turned(hashes: NDArray[np.uint64], orientation: int) -> NDArray[np.uint64]:
    """Return the hashes of pictures in another orientation.

    Parameters
    ----------
    hashes
        Which of 8×8 frequencies are positive, ``uint64``: row by row, vertical frequency first, the lowest highest.
    orientation
        Below 8.
    """
    if orientation & MIRROR:
        hashes = hashes ^ ODD_COLUMNS
    if orientation & FLIP:
        hashes = hashes ^ ODD_ROWS
    return _exchanged(hashes) if orientation & EXCHANGE else hashes


def upright(hashes: NDArray[np.uint64], orientations: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return hashes after each was brought into an orientation of its own, shape (n,)."""
    out = hashes.copy()
    for orientation in range(1, N_ORIENTATIONS):
        chosen = orientations == orientation
        out[chosen] = turned(hashes[chosen], orientation)
    return out


def orientation_hypotheses(
    keypoints: NDArray[np.void],
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint64]]:
    """Return every way in which keypoints may be upright.

    Parameters
    ----------
    keypoints
        Of type `features.keypoints.keypoints.KEYPOINT`, shape (n,).

    Returns
    -------
    tuple
        Number of the keypoint, orientation and upright hash. A keypoint without doubt is there once, any other up to
        eight times, first in the orientation that its ``turn`` names.
    """
    surest, doubtful = keypoints["turn"] % N_ORIENTATIONS, keypoints["turn"] // N_ORIENTATIONS
    change = np.arange(N_ORIENTATIONS, dtype=np.uint8)
    number, after = np.nonzero((change & ~doubtful[:, None]) == 0)
    orientation = AFTER[after, surest[number]]
    return number, orientation, upright(keypoints["hash"][number], orientation)


def _exchanged(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Transpose 8×8 bits, by exchanging ever larger blocks (Warren, Hacker's Delight, 7-3)."""
    for shift, mask in ((7, 0x00AA00AA00AA00AA), (14, 0x0000CCCC0000CCCC), (28, 0x00000000F0F0F0F0)):
        moved = (hashes ^ (hashes >> np.uint64(shift))) & np.uint64(mask)
        hashes = hashes ^ moved ^ (moved << np.uint64(shift))
    return hashes
