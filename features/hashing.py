"""The fingerprint of a picture: five perceptual hashes, bit for bit those of ImageHash at its default sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagehash
import PIL

from features.fast_path import FAST
from features.information import THUMBNAIL_SIDE, thumbnail_information
from features.plain_hashes import read_plainly
from features.sketch import Sketch, sketch

if TYPE_CHECKING:
    from PIL import Image

    from features.reading import Reading

RECIPE = f"seenbefore-1 ImageHash-{imagehash.__version__} Pillow-{PIL.__version__}"
"""Names everything the bits depend on; hashes of two recipes are never compared."""

FAST_MODES = frozenset({"L", "RGB"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What is kept of a picture to know it again.

    Parameters
    ----------
    ahash, phash, dhash, whash
        64-bit hashes, the first bit (top left) highest.
    colorhash
        The 42-bit colour hash, in the low bits.
    width, height
        Size of the displayed picture in pixels.
    information
        Information content in bits (see `features.information`); small means flat.
    """

    ahash: int
    phash: int
    dhash: int
    whash: int
    colorhash: int
    width: int
    height: int
    information: float


def fingerprint(image: Image.Image) -> Fingerprint:
    """Fingerprint a picture as it is displayed: turned upright, transparency laid on white.

    Parameters
    ----------
    image
        A loaded picture of any mode that ImageHash takes and any size from 1×1 up.
    """
    return _fingerprint(image, _read(image))


def fingerprint_and_sketch(image: Image.Image) -> tuple[Fingerprint, Sketch]:
    """Fingerprint a picture, and in the same pass reduce it to what the search for copies needs.

    Parameters
    ----------
    image
        As for `fingerprint`.
    """
    reading = _read(image)
    return _fingerprint(image, reading), sketch(reading)


def _read(image: Image.Image) -> Reading:
    """Read a picture the fast way where that is ready (see `features.fast_path.warm`), else the plain way."""
    if FAST.reader is not None and image.mode in FAST_MODES:
        return FAST.reader(image)
    return read_plainly(image)


def _fingerprint(image: Image.Image, reading: Reading) -> Fingerprint:
    return Fingerprint(
        **reading.hashes._asdict(),
        width=image.width,
        height=image.height,
        information=thumbnail_information(reading.shrink(THUMBNAIL_SIDE)),
    )
