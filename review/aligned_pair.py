"""Two pictures brought into one frame: one as it is, the other turned back, moved and stretched onto it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST_AREA = 1e-3
"""Of the common part, as a share of the picture; below it the two are shown whole."""
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
GRID = 64
NOISE_LEVELS = 24
"""Grey levels by which saving again may change a pixel; less is not marked as a difference."""
JPEG_QUALITY = 85
OUTSIDE = (127, 127, 127)
IDENTITY = np.eye(2, 3)


@dataclass(frozen=True, slots=True, eq=False)
class AlignedPair:
    """Both pictures in the frame of the first.

    Parameters
    ----------
    own, other
        The common part of each, RGB, of one size.
    own_share, other_share
        Of each picture's area, that lies in the other.
    """

    own: Image.Image
    other: Image.Image
    own_share: float
    other_share: float

    def difference(self) -> Image.Image:
        """Return the own picture in grey with what differs marked: the brighter the red, the more."""
        differing = ImageChops.difference(self.own.convert("L"), self.other.convert("L"))
        calm = differing.filter(ImageFilter.MedianFilter(5))
        marks = calm.point([0 if level < NOISE_LEVELS else min(255, 90 + 2 * level) for level in range(256)])
        grey = self.own.convert("L").point([level // 2 + 64 for level in range(256)]).convert("RGB")
        return Image.composite(Image.new("RGB", self.own.size, (215, 30, 30)), grey, marks)


def align(own: Image.Image, other: Image.Image, transform: NDArray[np.float64]) -> AlignedPair:
    """Bring the other picture into the frame of the own one, and cut both to what they share.

    Parameters
    ----------
    own, other
        RGB.
    transform
        Affine, from a place in the own picture to the same in the other, in shares of the sides, shape (2, 3).
    """
    places = _grid()
    mapped = places @ transform[:, :2].T + transform[:, 2]
    inside = ((mapped >= 0) & (mapped <= 1)).all(axis=1)
    share = float(inside.mean())
    if share < SMALLEST_AREA:
        return AlignedPair(own, other.resize(own.size), 0.0, 0.0)
    left, upper = places[inside].min(axis=0)
    right, lower = places[inside].max(axis=0)
    size, others = np.array(own.size), np.array(other.size)
    # Pillow asks where a pixel of the result comes from: exactly what the transform says, in pixels.
    shape = others[:, None] * transform[:, :2] / size
    data = np.column_stack([shape, others * transform[:, 2]]).ravel()
    warped = other.transform(
        own.size, Image.Transform.AFFINE, tuple(data), Image.Resampling.BICUBIC, fillcolor=(127, 127, 127)
    )
    box = tuple(np.round(np.array([left, upper, right, lower]) * np.tile(size, 2)).astype(int))
    box = box[0], box[1], max(box[0] + 1, box[2]), max(box[1] + 1, box[3])
    other_share = min(1.0, share * abs(float(np.linalg.det(transform[:, :2]))))
    return AlignedPair(own.crop(box), warped.crop(box), share, other_share)


def transform_of(stored: str | None, *, inverse: bool) -> NDArray[np.float64]:
    """Return the transform that the catalog keeps of a pair; the identity where none is kept, or it has no inverse.

    Parameters
    ----------
    stored
        Two rows of three, as JSON.
    inverse
        Whether to return the way back.
    """
    transform = np.array(json.loads(stored), np.float64).reshape(2, 3) if stored else IDENTITY
    if abs(np.linalg.det(transform[:, :2])) < SMALLEST_AREA:
        return IDENTITY
    if not inverse:
        return transform
    back = np.linalg.inv(transform[:, :2])
    return np.column_stack([back, -back @ transform[:, 2]])


def open_jpeg(jpeg: bytes) -> Image.Image:
    """Return one of our own pictures."""
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        return image.convert("RGB")


def encode_jpeg(image: Image.Image) -> bytes:
    """Return a picture as the browser gets it."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


def _grid() -> NDArray[np.float64]:
    at = (np.arange(GRID) + 0.5) / GRID
    inner = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
    return np.concatenate([CORNERS, inner])
