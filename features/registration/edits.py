"""What lies between two pictures of one photo, in words.

A stored pair has no direction, and neither has what is seen of it: whether a corner was cut off one picture or painted
around the other, only time can tell. The words therefore hold for the pair, and are the same whichever picture asks.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.keypoints.orientations import EXCHANGE, MATRICES, MIRROR, UPRIGHT
from features.registration.block_correlation import AGREES
from features.registration.differences import DIFFERENCES
from features.registration.placement import placements

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

    from features.registration.placement import Placements


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
"""By how much more a lead may be squeezed by chance, shared by its matches."""
BENT_PIXELS = 1.3
"""Of the frame, beyond which points do not lie where an affine map leads them: a picture in perspective."""
FEWEST_TO_BEND = 20
"""Matches; fewer place their lead too loosely."""
TILT_DEGREES = 1.5
"""A lead of four matches is off by half a degree or so."""
INSET = 0.02
"""Share of a side from which a picture ends within the other; leads are off by up to 0.006."""
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
    asked_size: NDArray[np.float64],
    known_size: NDArray[np.float64],
    same_bytes: NDArray[np.bool_],
    seen: NDArray[np.void] | None = None,
) -> ExtensionArray:
    """Name what lies between the pictures of each pair.

    Parameters
    ----------
    overlays
        `features.registration.overlay.OVERLAY`, shape (n,). Where it tells no place, the sizes have to do.
    asked_size, known_size
        Widths and heights in pixels, shape (n, 2).
    same_bytes
        Shape (n,).
    seen
        `features.registration.differences.DIFFERENCES`, shape (n,). Without them there is no ``frame``, ``collage``,
        ``overlay`` and
        ``tone``, and ``crop`` stands for the first two of them.

    Returns
    -------
    pandas.api.extensions.ExtensionArray
        ``str``, shape (n,): words of `Edit` in their order, joined by ``+``, as in ``mirror+crop+overlay``; never
        missing.
    """
    seen = np.zeros(len(overlays), DIFFERENCES) if seen is None else seen
    place = placements(overlays, asked_size, known_size)
    words = {
        Edit.MIRROR: IS_MIRRORED[place.orientation],
        Edit.TURN: ~np.isin(place.orientation, (UPRIGHT, MIRROR)),
        Edit.TILT: np.abs(place.tilt_degrees) > TILT_DEGREES,
        Edit.RESHAPED: _is_reshaped(place, overlays),
        **_surroundings(place, overlays, seen),
        Edit.TONE: (np.abs(seen["lightness"]) > LIGHTER) | (np.abs(seen["contrast"]) > RICHER),
    }
    partly = np.any([words[word] for word in (Edit.TILT, Edit.RESHAPED, Edit.CROP, Edit.FRAME, Edit.COLLAGE)], axis=0)
    words[Edit.RESIZED] = np.where(partly, _is_scaled(place), _is_resized(place, asked_size, known_size))
    words[Edit.RECOMPRESSED] = ~np.any(list(words.values()), axis=0)
    told = {word: held & ~same_bytes for word, held in words.items()} | {Edit.NONE: same_bytes}
    return _joined(told)


def has(edit: pd.Series[str], word: Edit) -> pd.Series[bool]:
    """Return which edits hold a word, beside whatever else they hold; a missing edit holds none."""
    return (AND + edit + AND).str.contains(f"{AND}{word}{AND}", regex=False)


def _is_reshaped(place: Placements, overlays: NDArray[np.void]) -> NDArray[np.bool_]:
    matches = np.where(place.told, overlays["matches"], 0)
    loose = np.divide(LOOSENESS, matches, out=np.zeros(len(matches)), where=matches > 0)
    # Of a photo that is shown enlarged, what its points are off is enlarged as well.
    enlarged = np.maximum(1.0, np.sqrt(np.abs(np.linalg.det(place.lead[:, :, :2]))))
    bent = (matches >= FEWEST_TO_BEND) & (overlays["off_pixels"] > BENT_PIXELS * enlarged)
    reshaped: NDArray[np.bool_] = bent | (place.squeeze > RESHAPED_RATIO + loose)
    return reshaped


def _surroundings(
    place: Placements, overlays: NDArray[np.void], seen: NDArray[np.void]
) -> dict[Edit, NDArray[np.bool_]]:
    """Tell crops, frames and collages apart, and then what covers a part from what only stands beside it."""
    in_asked, in_known = place.known_inset > INSET, place.asked_inset > INSET
    seam_asked, seam_known = _has_seam(in_asked, seen["seam_asked"]), _has_seam(in_known, seen["seam_known"])
    busy_asked, busy_known = seen["busy_asked"] > BUSY, seen["busy_known"] > BUSY
    set_off = seam_asked | seam_known
    inner = _without_rims(seen["hidden"], overlays["correlation"] > AGREES).sum(axis=(1, 2))
    hidden = np.where(set_off, inner, seen["hidden"].sum(axis=(1, 2)))
    fewest = np.where(set_off, FEWEST_HIDDEN_WITHIN, FEWEST_HIDDEN)
    return {
        Edit.CROP: (in_asked.any(axis=1) & ~seam_asked) | (in_known.any(axis=1) & ~seam_known),
        Edit.FRAME: (seam_asked & ~busy_asked) | (seam_known & ~busy_known),
        Edit.COLLAGE: (seam_asked & busy_asked) | (seam_known & busy_known),
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
    place: Placements, asked_size: NDArray[np.float64], known_size: NDArray[np.float64]
) -> NDArray[np.bool_]:
    lying = place.orientation & EXCHANGE > 0
    resized: NDArray[np.bool_] = (asked_size != np.where(lying[:, None], known_size[:, ::-1], known_size)).any(axis=1)
    return resized


def _joined(words: dict[Edit, NDArray[np.bool_]]) -> ExtensionArray:
    """Join the words that hold; the few different texts are made once each."""
    code = sum(words[word].astype(np.int64) << bit for bit, word in enumerate(Edit))
    codes, number = np.unique(code, return_inverse=True)
    texts = [AND.join(word for bit, word in enumerate(Edit) if code >> bit & 1) for code in codes.tolist()]
    return pd.array(texts, dtype="str").take(number)
