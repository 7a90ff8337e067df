"""What lies between two pictures of one photo, in words.

A stored pair has no direction, and neither has what is seen of it: whether a corner was cut off one picture or painted
around the other, only time can tell. The words therefore hold for the pair, and are the same whichever picture is the
query.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from features.keypoints.orientations import EXCHANGE, MATRICES, MIRROR, UPRIGHT
from features.registration import affine
from features.registration.thumbnail_comparison import AGREES, DIFFERENCES, is_located

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray


class Edit(StrEnum):
    """A word for what lies between two pictures of one photo."""

    NONE = "none"
    """The same bytes."""
    RECOMPRESSED = "recompressed"
    """Other bytes, and nothing else to be seen."""
    MIRROR = "mirror"
    """Seen in a mirror; upside down together with ``turn``."""
    TURN = "turn"
    """A quarter turn or half a turn."""
    TILT = "tilt"
    """Turned by an angle beyond that."""
    RESHAPED = "reshaped"
    """Squeezed, slanted or in perspective; of another shape for a reason that nothing tells."""
    CROP = "crop"
    """One goes on where the other ends."""
    FRAME = "frame"
    """Something plain is around one of them."""
    COLLAGE = "collage"
    """Something else stands beside one of them: other photos, a page, an advertisement."""
    OVERLAY = "overlay"
    """Something covers a part of one of them."""
    TONE = "tone"
    """One is lighter, or richer in contrast."""
    RESIZED = "resized"
    """The photo is larger in one of them, in pixels."""


AND = "+"
IS_MIRRORED = np.linalg.det(MATRICES) < 0
"""Of each orientation."""

RESHAPED_RATIO = 1.02
"""Change of the aspect ratio beyond which a picture counts as reshaped; rounding to whole pixels stays below."""
LOOSENESS = 0.3
"""By how much more a transform may be squeezed by chance, shared by its matches."""
BENT_PIXELS = 1.3
"""Of the frame, beyond which points do not lie where an affine map leads them: a picture in perspective."""
FEWEST_TO_BEND = 20
"""Matches; fewer place their transform too loosely."""
TILT_DEGREES = 1.5
"""A transform of four matches is off by half a degree or so."""
INSET = 0.02
"""Share of a side from which a picture ends within the other; transforms are off by up to 0.006."""
RESIZED_SCALE = 1.05
"""Of a photo that is only a part of one picture, where the sizes of the files do not tell."""
SEAM = 0.5
"""Middle of the mean and the largest share of seam on the sides within the other; 99 % of crops stay below."""
BUSY = 0.35
"""Borders and polaroids stay below, other photos above; a screenshot may be either."""
LIGHTER, RICHER = 7.0, np.log(1.12)
"""Grey levels, and factor of the contrast; compression and another size stay below 3 and 1.05."""
FEWEST_HIDDEN, FEWEST_HIDDEN_WITHIN = 1, 5
"""Blocks: of a picture as large as the other, and of one that is only a part of it, where they are coarser."""


def edits(
    overlays: NDArray[np.void],
    query_size: NDArray[np.float64],
    reference_size: NDArray[np.float64],
    same_bytes: NDArray[np.bool_],
    differences: NDArray[np.void] | None = None,
) -> ExtensionArray:
    """Name what lies between the pictures of each pair.

    Parameters
    ----------
    overlays
        `features.registration.registration.OVERLAY`, shape (n,). Where it tells no place, the sizes have to do.
    query_size, reference_size
        Widths and heights in pixels, shape (n, 2).
    same_bytes
        Shape (n,).
    differences
        `features.registration.thumbnail_comparison.DIFFERENCES`, shape (n,). Without them there is no ``frame``,
        ``collage``, ``overlay`` and ``tone``, and ``crop`` stands for the first two of them.

    Returns
    -------
    pandas.api.extensions.ExtensionArray
        ``str``, shape (n,): words of `Edit` in their order, joined by ``+``, as in ``mirror+crop+overlay``; never
        missing.
    """
    differences = np.zeros(len(overlays), DIFFERENCES) if differences is None else differences
    place = placements(overlays, query_size, reference_size)
    words = {
        Edit.MIRROR: IS_MIRRORED[place.orientation],
        Edit.TURN: ~np.isin(place.orientation, (UPRIGHT, MIRROR)),
        Edit.TILT: np.abs(place.tilt_degrees) > TILT_DEGREES,
        Edit.RESHAPED: _is_reshaped(place, overlays),
        **_surroundings(place, overlays, differences),
        Edit.TONE: (np.abs(differences["lightness"]) > LIGHTER) | (np.abs(differences["contrast"]) > RICHER),
    }
    partly = np.any([words[word] for word in (Edit.TILT, Edit.RESHAPED, Edit.CROP, Edit.FRAME, Edit.COLLAGE)], axis=0)
    words[Edit.RESIZED] = np.where(partly, _is_scaled(place), _is_resized(place, query_size, reference_size))
    words[Edit.RECOMPRESSED] = ~np.any(list(words.values()), axis=0)
    located = {word: held & ~same_bytes for word, held in words.items()} | {Edit.NONE: same_bytes}
    return _joined(located)


def has(edit: pd.Series[str], word: Edit) -> pd.Series[bool]:
    """Return which edits hold a word, beside whatever else they hold; a missing edit holds none."""
    return (AND + edit + AND).str.contains(f"{AND}{word}{AND}", regex=False)


def _is_reshaped(place: Placements, overlays: NDArray[np.void]) -> NDArray[np.bool_]:
    matches = np.where(place.located, overlays["matches"], 0)
    loose = np.divide(LOOSENESS, matches, out=np.zeros(len(matches)), where=matches > 0)
    # Of a photo that is shown enlarged, what its points are off is enlarged as well.
    enlarged = np.maximum(1.0, np.sqrt(np.abs(np.linalg.det(place.transform[:, :, :2]))))
    bent = (matches >= FEWEST_TO_BEND) & (overlays["off_pixels"] > BENT_PIXELS * enlarged)
    reshaped: NDArray[np.bool_] = bent | (place.squeeze > RESHAPED_RATIO + loose)
    return reshaped


def _surroundings(
    place: Placements, overlays: NDArray[np.void], differences: NDArray[np.void]
) -> dict[Edit, NDArray[np.bool_]]:
    """Tell crops, frames and collages apart, and then what covers a part from what only stands beside it."""
    in_query, in_reference = place.reference_inset > INSET, place.query_inset > INSET
    seam_query, seam_reference = (
        _has_seam(in_query, differences["seam_query"]),
        _has_seam(in_reference, differences["seam_reference"]),
    )
    busy_query, busy_reference = differences["busy_query"] > BUSY, differences["busy_reference"] > BUSY
    set_off = seam_query | seam_reference
    inner = _without_rims(differences["hidden"], overlays["correlation"] > AGREES).sum(axis=(1, 2))
    hidden = np.where(set_off, inner, differences["hidden"].sum(axis=(1, 2)))
    fewest = np.where(set_off, FEWEST_HIDDEN_WITHIN, FEWEST_HIDDEN)
    return {
        Edit.CROP: (in_query.any(axis=1) & ~seam_query) | (in_reference.any(axis=1) & ~seam_reference),
        Edit.FRAME: (seam_query & ~busy_query) | (seam_reference & ~busy_reference),
        Edit.COLLAGE: (seam_query & busy_query) | (seam_reference & busy_reference),
        Edit.OVERLAY: (hidden >= fewest) & (hidden < overlays["agreeing"]),
    }


def _has_seam(within: NDArray[np.bool_], seam: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether an inner picture is set off from the outer one, given its sides that end there, shape (n, 4)."""
    shares = np.where(within, seam, 0.0)
    mean = shares.sum(axis=1) / np.maximum(within.sum(axis=1), 1)
    has_seam: NDArray[np.bool_] = (mean + shares.max(axis=1)) / 2 > SEAM
    return has_seam


def _without_rims(hidden: NDArray[np.bool_], agrees: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave out hidden rows of blocks along the sides: what else stands there has cut off what jutted out."""
    inner = hidden.copy()
    mostly = hidden.astype(np.int64) - agrees
    for axis in (1, 2):
        for inwards in (slice(None), slice(None, None, -1)):
            rim = np.logical_and.accumulate(mostly.sum(axis=3 - axis)[:, inwards] >= 0, axis=1)
            np.moveaxis(inner, axis, 1)[:, inwards][rim] = False
    return inner


def _is_scaled(place: Placements) -> NDArray[np.bool_]:
    scaled: NDArray[np.bool_] = np.abs(np.log(place.scale)) > np.log(RESIZED_SCALE)
    return scaled


def _is_resized(
    place: Placements, query_size: NDArray[np.float64], reference_size: NDArray[np.float64]
) -> NDArray[np.bool_]:
    lying = place.orientation & EXCHANGE > 0
    resized: NDArray[np.bool_] = (query_size != np.where(lying[:, None], reference_size[:, ::-1], reference_size)).any(
        axis=1
    )
    return resized


def _joined(words: dict[Edit, NDArray[np.bool_]]) -> ExtensionArray:
    """Join the words that hold; the few different texts are made once each."""
    code = sum(words[word].astype(np.int64) << bit for bit, word in enumerate(Edit))
    codes, number = np.unique(code, return_inverse=True)
    texts = [AND.join(word for bit, word in enumerate(Edit) if code >> bit & 1) for code in codes.tolist()]
    return pd.array(texts, dtype="str").take(number)


SIDES = np.array([[0.0, 0.5], [0.5, 0.0], [1.0, 0.5], [0.5, 1.0]])
"""Middles of the left, upper, right and lower side. A tilt about the centre leaves them at the border."""
AS_IT_IS = np.eye(2, 3)


class Placements(NamedTuple):
    """How the reference pictures of some pairs lie in the queries.

    Parameters
    ----------
    located
        Whether points or blocks tell it at all; else it is as if one were the other from side to side. Shape (n,).
    transform, back
        Lead from a place in the reference picture to the same in the query and back, in shares of the sides; shapes
        (n, 2, 3).
    orientation
        The nearest of the eight (see `features.keypoints.orientations`), shape (n,).
    tilt_degrees
        How far the reference picture is turned clockwise beyond that, from -45 to 45, shape (n,).
    scale
        Sides of the query picture's objects by those of the reference's, in pixels of the files, shape (n,).
    squeeze
        How much longer everything became in one direction than in another, from 1 up, shape (n,).
    reference_inset, query_inset
        How far each side (left, upper, right, lower) of the reference picture lies inside the query, and the other way
        round: shares of the outer one's sides, negative where a side lies outside; shapes (n, 4).
    """

    located: NDArray[np.bool_]
    transform: NDArray[np.float64]
    back: NDArray[np.float64]
    orientation: NDArray[np.int64]
    tilt_degrees: NDArray[np.float64]
    scale: NDArray[np.float64]
    squeeze: NDArray[np.float64]
    reference_inset: NDArray[np.float64]
    query_inset: NDArray[np.float64]


def placements(
    overlays: NDArray[np.void], query_size: NDArray[np.float64], reference_size: NDArray[np.float64]
) -> Placements:
    """Read off how pictures lie in each other.

    Parameters
    ----------
    overlays
        `features.registration.registration.OVERLAY`, shape (n,).
    query_size, reference_size
        Widths and heights in pixels, shape (n, 2).
    """
    located = is_located(overlays)
    transform = np.where(located[:, None, None], overlays["transform"], AS_IT_IS)
    back = affine.invert(transform)
    shape = transform[:, :, :2] * query_size[:, :, None] / reference_size[:, None, :]
    # The orientation whose matrix has the largest product with the shape is the one with the smallest angle to it.
    orientation = np.einsum("nij,oij->no", shape, MATRICES).argmax(axis=1)
    upright = shape @ MATRICES[orientation].transpose(0, 2, 1)
    sine, cosine = upright[:, 1, 0] - upright[:, 0, 1], upright[:, 0, 0] + upright[:, 1, 1]
    long, short = np.linalg.svd(upright, compute_uv=False).T
    return Placements(
        located=located,
        transform=transform,
        back=back,
        orientation=orientation,
        tilt_degrees=np.degrees(np.arctan2(sine, cosine)),
        scale=np.sqrt(long * short),
        squeeze=long / short,
        reference_inset=_insets(transform),
        query_inset=_insets(back),
    )


def _insets(transform: NDArray[np.float64]) -> NDArray[np.float64]:
    middles = affine.apply(transform, SIDES)
    insets: NDArray[np.float64] = np.minimum(middles, 1 - middles).min(axis=2)
    return insets
