"""The fingerprint of a picture: five perceptual hashes, bit for bit those of ImageHash at its default sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagehash
import PIL

from features.hashing.information import THUMBNAIL_SIDE, thumbnail_information
from features.hashing.pillow_hashes import read_plainly
from features.hashing.selfcheck import FAST
from features.keypoints.descriptor import Sketch, sketch
from features.keypoints.serialization import SKETCH_VERSION

if TYPE_CHECKING:
    from PIL import Image

    from features.hashing.decoded_picture import Reading

RECIPE = f"seenbefore-1 sketch-{SKETCH_VERSION} ImageHash-{imagehash.__version__} Pillow-{PIL.__version__}"
"""Names everything the bits depend on; hashes and sketches of two recipes are never compared."""

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
        Information content in bits (see `features.hashing.information`); small means flat.
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


def fingerprint_and_sketch(image: Image.Image, untransposed: Image.Image | None = None) -> tuple[Fingerprint, Sketch]:
    """Fingerprint a picture, and in the same pass reduce it to what the search for copies needs.

    Parameters
    ----------
    image, untransposed
        As for `fingerprint`.
    """
    reading = _read(image)
    return _fingerprint(image, reading, untransposed), sketch(reading, *image.size)


def _read(image: Image.Image) -> Reading:
    """Read a picture the fast way where that is ready (see `features.hashing.selfcheck.warm`), else the plain way."""
    if FAST.reader is not None and image.mode in FAST_MODES:
        return FAST.reader(image)
    return read_plainly(image)


def _fingerprint(image: Image.Image, reading: Reading, untransposed: Image.Image | None) -> Fingerprint:
    return Fingerprint(
        **reading.hashes._asdict(),
        width=image.width,
        height=image.height,
        information=thumbnail_information(reading.shrink(THUMBNAIL_SIDE, THUMBNAIL_SIDE)),
        # All five hashes the fast way take less time than ImageHash's one.
        untransposed_phash=None if untransposed is None else _read(untransposed).hashes.phash,
    )
