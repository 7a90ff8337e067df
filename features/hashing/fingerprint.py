"""The fingerprint of a picture: five perceptual hashes, bit for bit those of ImageHash at its default sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagehash
import numpy as np
import PIL

from features.hashing.pillow_hashes import read_by_pillow
from features.hashing.selfcheck import FAST
from features.keypoints.descriptor import DESCRIPTOR_VERSION, Descriptor, describe

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from features.hashing.hash_bits import DecodedPicture

RECIPE = f"seenbefore-1 sketch-{DESCRIPTOR_VERSION} ImageHash-{imagehash.__version__} Pillow-{PIL.__version__}"
"""Names everything the bits depend on; hashes and descriptors of two recipes are never compared."""

FAST_MODES = frozenset({"L", "RGB"})

THUMBNAIL_SIDE = 64
"""Of the grey picture by which `information` is measured."""
GREY_STEP = 8
"""Grey levels to a step of brightness: sensor noise and JPEG rounding stay below half of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What is kept of a picture to know it again.

    Parameters
    ----------
    ahash, phash, dhash, whash
        64-bit hashes, the first bit (top left) highest.
    colorhash
        The 42-bit color hash, in the low bits.
    width, height
        Size of the displayed picture in pixels.
    information
        Information content in bits (see `information`); small means flat.
    untransposed_phash
        ``phash`` of the picture as its file holds it; ``None`` where that is how it is displayed. A tag that turns a
        picture is quickly set or removed, and the copy would else be another picture.
    """

    ahash: int
    phash: int
    dhash: int
    whash: int
    colorhash: int
    width: int
    height: int
    information: float
    untransposed_phash: int | None


def fingerprint(image: Image.Image, untransposed: Image.Image | None = None) -> Fingerprint:
    """Fingerprint a picture as it is displayed: turned upright, transparency laid on white.

    Parameters
    ----------
    image
        A loaded picture of any mode that ImageHash takes and any size from 1×1 up.
    untransposed
        The same as its file holds it, if it was turned or mirrored to be displayed.
    """
    return _fingerprint(image, _read(image), untransposed)


def fingerprint_and_descriptor(
    image: Image.Image, untransposed: Image.Image | None = None
) -> tuple[Fingerprint, Descriptor]:
    """Fingerprint a picture, and in the same pass reduce it to what the search for copies needs.

    Parameters
    ----------
    image, untransposed
        As for `fingerprint`.
    """
    decoded = _read(image)
    return _fingerprint(image, decoded, untransposed), describe(decoded, *image.size)


def _read(image: Image.Image) -> DecodedPicture:
    """Read a picture the fast way once `features.hashing.selfcheck.warmup` has found it right, else the plain way."""
    if FAST.reader is not None and image.mode in FAST_MODES:
        return FAST.reader(image)
    return read_by_pillow(image)


def _fingerprint(image: Image.Image, decoded: DecodedPicture, untransposed: Image.Image | None) -> Fingerprint:
    return Fingerprint(
        **decoded.hashes._asdict(),
        width=image.width,
        height=image.height,
        information=information(decoded.shrink(THUMBNAIL_SIDE, THUMBNAIL_SIDE)),
        # All five hashes the fast way take less time than ImageHash's one.
        untransposed_phash=None if untransposed is None else _read(untransposed).hashes.phash,
    )


def information(thumbnail: NDArray[np.uint8]) -> float:
    """Measure how much a picture holds: flat ones agree with each other in every hash and prove nothing.

    Every pixel of the grey thumbnail yields its difference to the right and to the pixel below, both rounded to
    steps of 8 grey levels; the measure is the Shannon entropy of these pairs. It is 0 for a flat picture, for a slow
    gradient and for faint noise, about 5 for a photograph and at most 12.

    Parameters
    ----------
    thumbnail
        Grey levels, shape (64, 64), ``uint8``, each the mean of the pixels it covers.

    Returns
    -------
    float
        Bits for each pixel of the thumbnail.
    """
    levels = thumbnail.astype(np.float64)
    across = np.rint(np.diff(levels, axis=1)[:-1] / GREY_STEP)
    down = np.rint(np.diff(levels, axis=0)[:, :-1] / GREY_STEP)
    _, counts = np.unique(across * 256 + down, return_counts=True)
    shares = counts / counts.sum()
    return float(-np.sum(shares * np.log2(shares)) + 0.0)
