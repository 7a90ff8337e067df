"""The thumbnails of two registered pictures compared: what they share block by block, and what they do not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from features.registration import affine
from features.registration.correlation_kernels import SAMPLES, block_correlations, halve

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCKS = (8, 8)
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
    """What registering two pictures on each other shows.

    Parameters
    ----------
    correlation
        Of each block of the common area, shape (8, 8), NaN where there is no telling: too little of the block lies in
        both pictures, or one of them is even there.
    box
        Left, top, right and bottom of that area in the reference picture, in shares of its sides, shape (4,).
    """

    correlation: NDArray[np.float32]
    box: NDArray[np.float64]


def levels(thumbnail: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Return a thumbnail, shape (128, 128), in its own and ever half the size."""
    found = [thumbnail.astype(np.float32)]
    while len(found[-1]) > COARSEST_SIDE:
        found.append(halve(found[-1]))
    return found


def agreement(
    query: list[NDArray[np.float32]], reference: list[NDArray[np.float32]], transform: NDArray[np.float64]
) -> Agreement:
    """Compare two pictures block by block.

    Parameters
    ----------
    query, reference
        Their thumbnails; see `levels`.
    transform
        Leads from a place in the reference picture to the same in the query, both in shares of the sides.
    """
    box = _common_box(transform)
    if min(box[2] - box[0], box[3] - box[1]) < SMALLEST_SHARE:
        return Agreement(NOTHING, box)
    step = max(box[2] - box[0], box[3] - box[1]) / SAMPLES
    scale = math.sqrt(abs(np.linalg.det(transform[:, :2])))
    correlation, contrast = block_correlations(_sampled(query, step * scale), _sampled(reference, step), transform, box)
    return Agreement(np.where(contrast > TEXTURED, correlation, np.nan).astype(np.float32), box)


def _common_box(transform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the corners of the query picture enclose in the reference, cut at its sides."""
    back = affine.invert(transform)
    corners = np.clip(affine.apply(back, CORNERS), 0.0, 1.0)
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _sampled(pictures: list[NDArray[np.float32]], step: float) -> NDArray[np.float32]:
    """Choose the size whose pixels are nearest to a step, a share of the side."""
    halvings = round(math.log2(max(1.0, step * len(pictures[0]))))
    return pictures[min(halvings, len(pictures) - 1)]


FEWEST_MATCHES = 4
"""Three fix a transform, whatever they are; the fourth confirms it."""
FEWEST_AGREEING = 4
"""Blocks; below that two pictures may agree by chance."""
SMALLEST_AREA = 1e-6

DIFFERENCES = np.dtype(
    [
        ("lightness", np.float64),
        ("contrast", np.float64),
        ("hidden", np.bool_, BLOCKS),
        ("seam_query", np.float64, (4,)),
        ("seam_reference", np.float64, (4,)),
        ("busy_query", np.float64),
        ("busy_reference", np.float64),
    ]
)
"""One pair of pictures; all zero where nothing could be compared.

``lightness``, ``contrast``
    Grey levels by which the query picture is lighter, and natural logarithm of how many times its contrast is that of
    the reference, both in the blocks that surely agree.
``hidden``
    Blocks of the common area (as in `features.registration.registration.OVERLAY`) where one picture shows
    something else.
``seam_query``
    How much of each side of the reference picture (left, upper, right, lower) is an edge in the query that neither
    what lies inside nor outside of it explains: shares, 0 also where the side is not in the query picture.
``seam_reference``
    The same of the query picture's sides in the reference.
``busy_query``, ``busy_reference``
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
OFF = 8.0
"""Grey levels by which a block that does not agree is off where hidden; noise and a loose transform do but one."""
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
    overlays: NDArray[np.void], query_thumbnails: NDArray[np.uint8], reference_thumbnails: NDArray[np.uint8]
) -> NDArray[np.void]:
    """Compare what two pictures show in the area they share, and around it.

    Parameters
    ----------
    overlays
        `features.registration.registration.OVERLAY`, shape (n,).
    query_thumbnails, reference_thumbnails
        Grey levels, shape (n, 128, 128).

    Returns
    -------
    numpy.ndarray
        `DIFFERENCES`, shape (n,).
    """
    found = np.zeros(len(overlays), DIFFERENCES)
    rows = np.flatnonzero(is_located(overlays))
    for start in range(0, len(rows), PAIRS_AT_ONCE):
        part = rows[start : start + PAIRS_AT_ONCE]
        found[part] = _differences(overlays[part], query_thumbnails[part], reference_thumbnails[part])
    return found


def _differences(
    overlays: NDArray[np.void], query: NDArray[np.uint8], reference: NDArray[np.uint8]
) -> NDArray[np.void]:
    transform = overlays["transform"]
    back = affine.invert(transform)
    out = np.zeros(len(overlays), DIFFERENCES)
    query_level, reference_level = _block_levels(overlays, query, reference)
    out["lightness"], out["contrast"], out["hidden"] = _light(overlays["correlation"], query_level, reference_level)
    out["seam_query"], out["seam_reference"] = _seams(query, transform), _seams(reference, back)
    out["busy_query"], out["busy_reference"] = _busy(query, back), _busy(reference, transform)
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
    overlays: NDArray[np.void], query: NDArray[np.uint8], reference: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean grey level of each block in both pictures, NaN where not wholly in both, shape (n, 8, 8)."""
    box = overlays["box"]
    places = box[:, None, :2] + _grid(BLOCKS[0] * BLOCK_SAMPLES) * (box[:, 2:] - box[:, :2])[:, None]
    query_level = _read(query, affine.apply(overlays["transform"], places))
    reference_level = np.where(np.isnan(query_level), np.nan, _read(reference, places))
    blocks = (len(overlays), BLOCKS[0], BLOCK_SAMPLES, BLOCKS[1], BLOCK_SAMPLES)
    return query_level.reshape(blocks).mean(axis=(2, 4)), reference_level.reshape(blocks).mean(axis=(2, 4))


def _light(
    correlation: NDArray[np.float32], query: NDArray[np.float64], reference: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Compare lightness and contrast where two pictures agree, and find the blocks that do not follow."""
    sure = (correlation > SURE) & ~np.isnan(query)
    query_mean, query_spread = _mean_and_deviation(query, sure)
    reference_mean, reference_spread = _mean_and_deviation(reference, sure)
    tells = np.minimum(query_spread, reference_spread) > LEAST_SPREAD
    gain = np.divide(query_spread, reference_spread, out=np.ones(len(query)), where=tells)
    foretold = query_mean + gain * (reference.T - reference_mean)
    foretold = np.clip(foretold.T, 0, 255)
    off = np.abs(query - foretold)
    cut_off = (np.fmin(query, foretold) > LIGHTEST) | (np.fmax(query, foretold) < DARKEST)
    hidden = ~cut_off & (((correlation < AGREES) & (off > OFF)) | (~(correlation > SURE) & (off > FAR_OFF)))
    return query_mean - reference_mean, np.log(gain), hidden & sure.any(axis=(1, 2), keepdims=True)


def _mean_and_deviation(
    levels: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of the chosen blocks of each pair, 0 where none is, shape (n,)."""
    count = np.maximum(chosen.sum(axis=(1, 2)), 1)
    mean = np.where(chosen, levels, 0.0).sum(axis=(1, 2)) / count
    squares = np.where(chosen, (levels - mean[:, None, None]) ** 2, 0.0).sum(axis=(1, 2)) / count
    return mean, np.sqrt(squares)


def _seams(outer: NDArray[np.uint8], transform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each side of the inner picture that is a seam in the outer one, shape (n, 4).

    In a photo that goes on, the step across a line is as often as not smaller than one of its neighbours.
    """
    count = len(outer)
    along = affine.apply(transform, _sides()).reshape(count, 4, len(ALONG), 2)
    outwards = OUTWARDS @ transform[:, :, :2].transpose(0, 2, 1)
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
    within = affine.apply(back, places)
    around = ((within < -APART) | (within > 1 + APART)).any(axis=2)
    shift = TEXTURE_PIXELS / outer.shape[1]
    here, right, below = (_read(outer, np.minimum(places + step, 1.0)) for step in ((0, 0), (shift, 0), (0, shift)))
    textured = np.maximum(np.abs(right - here), np.abs(below - here)) > TEXTURE
    share: NDArray[np.float64] = (textured & around).sum(axis=1) / np.maximum(around.sum(axis=1), 1)
    return share


def is_located(overlays: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return whether what the points and blocks of each pair say of its place can be believed, shape (n,)."""
    agreeing = overlays["agreeing"]
    believed = (overlays["matches"] >= FEWEST_MATCHES) | (2 * agreeing >= overlays["textured"])
    return believed & (agreeing >= FEWEST_AGREEING) & (np.abs(_area(overlays["transform"])) > SMALLEST_AREA)


def _area(transform: NDArray[np.float64]) -> NDArray[np.float64]:
    return transform[:, 0, 0] * transform[:, 1, 1] - transform[:, 0, 1] * transform[:, 1, 0]
