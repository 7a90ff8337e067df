"""What two pictures laid over each other do not share: their light, blocks hidden in one, what stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.registration.overlay import BLOCKS
from features.registration.placement import inverses, is_told, led

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIFFERENCES = np.dtype(
    [
        ("lightness", np.float64),
        ("contrast", np.float64),
        ("hidden", np.bool_, BLOCKS),
        ("seam_asked", np.float64, (4,)),
        ("seam_known", np.float64, (4,)),
        ("busy_asked", np.float64),
        ("busy_known", np.float64),
    ]
)
"""One pair of pictures; all zero where nothing could be compared.

``lightness``, ``contrast``
    Grey levels by which the asked picture is lighter, and natural logarithm of how many times its contrast is that of
    the known one, both in the blocks that surely agree.
``hidden``
    Blocks of the common area (as in `features.registration.overlay.OVERLAY`) where one picture shows something else.
``seam_asked``
    How much of each side of the known picture (left, upper, right, lower) is an edge in the asked one that neither
    what lies inside nor outside of it explains: shares, 0 also where the side is not in the asked picture.
``seam_known``
    The same of the asked picture's sides in the known one.
``busy_asked``, ``busy_known``
    Share with any texture of what each picture shows around the other.
"""

PAIRS_AT_ONCE = 64
"""So that what is read of them stays in the cache."""
BLOCK_SAMPLES = 4
"""Along each side of a block."""
SURE = 0.8
"""Correlation of blocks from which the light of both is compared."""
LEAST_SPREAD = 5.0
"""Grey levels between blocks, below which their contrast tells nothing."""
AGREES, OFF = 0.6, 8.0
"""A block below this correlation that is this many grey levels off is hidden; noise and a loose lead do but one."""
FAR_OFF = 25.0
"""Grey levels from which a block is hidden unless it surely agrees: an even sticker correlates with nothing."""
DARKEST, LIGHTEST = 15.0, 235.0
"""Where both pictures are beyond them a change of tone has cut levels off, and other blocks do not foretell them."""

ALONG = 0.1 + 0.8 * (np.arange(24) + 0.5) / 24
ACROSS_PIXELS = (-4.0, -1.0, 1.0, 4.0, 7.0)
"""Of the thumbnail, outwards. The next outer step begins behind a thin line that may separate two photos."""
STEP = 4.0
"""Grey levels by which the step across a seam exceeds those beside it."""
SMALLEST_SHIFT = 1e-9
OUTWARDS = np.array([[-1.0, 0.0], [0.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
AROUND = 16
"""Places along each side of a picture at which its surroundings are looked for."""
APART = 0.03
"""Shares of a picture's sides that what is around it stays away from it."""
TEXTURE_PIXELS, TEXTURE = 3, 6.0
"""Within so many pixels of the thumbnail so many grey levels of difference are texture."""


def differences(
    overlays: NDArray[np.void], asked_thumbnails: NDArray[np.uint8], known_thumbnails: NDArray[np.uint8]
) -> NDArray[np.void]:
    """Compare what two pictures show in the area they share, and around it.

    Parameters
    ----------
    overlays
        `features.registration.overlay.OVERLAY`, shape (n,).
    asked_thumbnails, known_thumbnails
        Grey levels, shape (n, 128, 128).

    Returns
    -------
    numpy.ndarray
        `DIFFERENCES`, shape (n,).
    """
    found = np.zeros(len(overlays), DIFFERENCES)
    rows = np.flatnonzero(is_told(overlays))
    for start in range(0, len(rows), PAIRS_AT_ONCE):
        part = rows[start : start + PAIRS_AT_ONCE]
        found[part] = _differences(overlays[part], asked_thumbnails[part], known_thumbnails[part])
    return found


def _differences(overlays: NDArray[np.void], asked: NDArray[np.uint8], known: NDArray[np.uint8]) -> NDArray[np.void]:
    lead = overlays["lead"]
    back = inverses(lead)
    out = np.zeros(len(overlays), DIFFERENCES)
    asked_level, known_level = _block_levels(overlays, asked, known)
    out["lightness"], out["contrast"], out["hidden"] = _light(overlays["correlation"], asked_level, known_level)
    out["seam_asked"], out["seam_known"] = _seams(asked, lead), _seams(known, back)
    out["busy_asked"], out["busy_known"] = _busy(asked, back), _busy(known, lead)
    return out


def _grid(count: int) -> NDArray[np.float64]:
    """Return places spread evenly over a square, row by row, shape (count², 2)."""
    at = (np.arange(count) + 0.5) / count
    return np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)


def _read(pictures: NDArray[np.uint8], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read each picture between its pixels, at places (n, p, 2) in shares of the sides; NaN outside, shape (n, p)."""
    side = pictures.shape[1]
    pixels = np.clip(places * side - 0.5, 0, side - 1)
    first = np.minimum(pixels.astype(np.int64), side - 2)
    across, down = np.moveaxis(pixels - first, -1, 0)
    level, picture = pictures.ravel(), np.arange(len(pictures))[:, None]
    at = (picture * side + first[:, :, 1]) * side + first[:, :, 0]
    upper = level[at] * (1 - across) + level[at + 1] * across
    lower = level[at + side] * (1 - across) + level[at + side + 1] * across
    inside = ((places >= 0) & (places <= 1)).all(axis=2)
    return np.where(inside, upper * (1 - down) + lower * down, np.nan)


def _block_levels(
    overlays: NDArray[np.void], asked: NDArray[np.uint8], known: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean grey level of each block in both pictures, NaN where not wholly in both, shape (n, 8, 8)."""
    box = overlays["box"]
    places = box[:, None, :2] + _grid(BLOCKS[0] * BLOCK_SAMPLES) * (box[:, 2:] - box[:, :2])[:, None]
    asked_level = _read(asked, led(overlays["lead"], places))
    known_level = np.where(np.isnan(asked_level), np.nan, _read(known, places))
    blocks = (len(overlays), BLOCKS[0], BLOCK_SAMPLES, BLOCKS[1], BLOCK_SAMPLES)
    return asked_level.reshape(blocks).mean(axis=(2, 4)), known_level.reshape(blocks).mean(axis=(2, 4))


def _light(
    correlation: NDArray[np.float32], asked: NDArray[np.float64], known: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Compare lightness and contrast where two pictures agree, and find the blocks that do not follow."""
    sure = (correlation > SURE) & ~np.isnan(asked)
    asked_mean, asked_spread = _moments(asked, sure)
    known_mean, known_spread = _moments(known, sure)
    tells = np.minimum(asked_spread, known_spread) > LEAST_SPREAD
    gain = np.divide(asked_spread, known_spread, out=np.ones(len(asked)), where=tells)
    foretold = asked_mean + gain * (known.T - known_mean)
    foretold = np.clip(foretold.T, 0, 255)
    off = np.abs(asked - foretold)
    cut_off = (np.fmin(asked, foretold) > LIGHTEST) | (np.fmax(asked, foretold) < DARKEST)
    hidden = ~cut_off & (((correlation < AGREES) & (off > OFF)) | (~(correlation > SURE) & (off > FAR_OFF)))
    return asked_mean - known_mean, np.log(gain), hidden & sure.any(axis=(1, 2), keepdims=True)


def _moments(levels: NDArray[np.float64], chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of the chosen blocks of each pair, 0 where none is, shape (n,)."""
    count = np.maximum(chosen.sum(axis=(1, 2)), 1)
    mean = np.where(chosen, levels, 0.0).sum(axis=(1, 2)) / count
    squares = np.where(chosen, (levels - mean[:, None, None]) ** 2, 0.0).sum(axis=(1, 2)) / count
    return mean, np.sqrt(squares)


def _seams(outer: NDArray[np.uint8], lead: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each side of the inner picture that is a seam in the outer one, shape (n, 4).

    In a photo that goes on, the step across a line is as often as not smaller than one of its neighbours.
    """
    count = len(outer)
    along = led(lead, _sides()).reshape(count, 4, len(ALONG), 2)
    outwards = OUTWARDS @ lead[:, :, :2].transpose(0, 2, 1)
    outwards /= np.maximum(np.linalg.norm(outwards, axis=2, keepdims=True), SMALLEST_SHIFT) * outer.shape[1]
    inner, inside, outside, behind, far = (
        _read(outer, (along + pixels * outwards[:, :, None]).reshape(count, -1, 2)).reshape(along.shape[:3])
        for pixels in ACROSS_PIXELS
    )
    beside = np.fmax(np.abs(inside - inner), np.abs(far - behind))
    shares: NDArray[np.float64] = (np.abs(outside - inside) > beside + STEP).mean(axis=2)
    return shares


def _sides() -> NDArray[np.float64]:
    """Return places along the left, upper, right and lower side, shape (4 × 24, 2)."""
    low, high = np.zeros_like(ALONG), np.ones_like(ALONG)
    return np.concatenate(
        [np.column_stack(side) for side in ((low, ALONG), (ALONG, low), (high, ALONG), (ALONG, high))]
    )


def _busy(outer: NDArray[np.uint8], back: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much of what lies around the inner picture has texture, 0 where nothing does, shape (n,)."""
    places = np.broadcast_to(_grid(AROUND), (len(outer), AROUND**2, 2))
    within = led(back, places)
    around = ((within < -APART) | (within > 1 + APART)).any(axis=2)
    shift = TEXTURE_PIXELS / outer.shape[1]
    here, right, below = (_read(outer, np.minimum(places + step, 1.0)) for step in ((0, 0), (shift, 0), (0, shift)))
    textured = np.maximum(np.abs(right - here), np.abs(below - here)) > TEXTURE
    share: NDArray[np.float64] = (textured & around).sum(axis=1) / np.maximum(around.sum(axis=1), 1)
    return share
