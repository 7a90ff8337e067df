"""What the search for copies keeps of a picture beside its hashes, and its bytes: the same on every machine.

Whoever stores the bytes need not know what they mean. They come in few blobs, so that a search can read the keys of all
pictures without the thumbnails of any. A further array is a field of `Descriptor` and a line in ``LAYOUT``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from features.keypoints.keypoints import KEYPOINT, MOST_KEYPOINTS, find_keypoints, shrunk_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from features.hashing.hash_bits import DecodedPicture

THUMBNAIL_SIDE = 128
DESCRIPTOR_VERSION = 2
"""Part of the recipe: to be raised whenever the same pixels come to give other bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Descriptor:
    """A picture reduced to what finds and checks its copies.

    Parameters
    ----------
    keypoints
        The most useful first, then empty ones (size 0): shape (256,), of type `features.keypoints.keypoints.KEYPOINT`.
    thumbnail
        Grey levels, shape (128, 128), ``uint8``: to lay two pictures over each other.
    """

    keypoints: NDArray[np.void]
    thumbnail: NDArray[np.uint8]


def describe(decoded: DecodedPicture, width: int, height: int) -> Descriptor:
    """Reduce a picture whose pixels have been read; width and height in pixels."""
    grey = decoded.shrink(*shrunk_size(width, height))
    small = Image.fromarray(grey).resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BILINEAR)
    keypoints = np.zeros(MOST_KEYPOINTS, KEYPOINT)
    strongest = find_keypoints(grey)
    keypoints[: len(strongest)] = strongest
    return Descriptor(keypoints, np.asarray(small))


@dataclass(frozen=True, slots=True)
class Part:
    """Where an array of a descriptor is kept.

    Parameters
    ----------
    name
        The field of the descriptor.
    blob
        What it is kept in, behind the parts above it.
    dtype
        With its order of bytes.
    shape
        The same for every picture: an array with fewer values is to be filled up.
    """

    name: str
    blob: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def n_bytes(self) -> int:
        """How long it is."""
        return self.dtype.itemsize * math.prod(self.shape)


LAYOUT = (
    Part("keypoints", "search_keys", KEYPOINT, (MOST_KEYPOINTS,)),
    Part("thumbnail", "thumbnail", np.dtype("u1"), (THUMBNAIL_SIDE, THUMBNAIL_SIDE)),
)
BLOBS = tuple(dict.fromkeys(part.blob for part in LAYOUT))


def pack(descriptor: Descriptor) -> dict[str, bytes]:
    """Return the blobs of a descriptor by name.

    Raises
    ------
    ValueError
        An array has another shape than ``LAYOUT`` says.
    """
    blobs = dict.fromkeys(BLOBS, b"")
    for part in LAYOUT:
        array = getattr(descriptor, part.name)
        if array.shape != part.shape:
            raise ValueError(f"{part.name} of a descriptor has the shape {array.shape}: expected {part.shape}")
        blobs[part.blob] += array.astype(part.dtype, casting="equiv").tobytes()
    return blobs


def unpack(blobs: Mapping[str, bytes]) -> Descriptor:
    """Return the descriptor of one picture; its arrays are read-only.

    Parameters
    ----------
    blobs
        By name; others than ``BLOBS`` are left alone.

    Raises
    ------
    ValueError
        A blob has another length than ``LAYOUT`` says.
    """
    rows = {blob: np.frombuffer(blobs[blob], np.uint8)[np.newaxis] for blob in BLOBS}
    return Descriptor(**{name: array[0] for name, array in unpack_rows(rows).items()})


def unpack_rows(blobs: Mapping[str, NDArray[np.uint8]]) -> dict[str, NDArray[Any]]:
    """Return the arrays of many descriptors by the names of their fields, one row a picture.

    Parameters
    ----------
    blobs
        Some or all of ``BLOBS`` by name, each of shape (pictures, bytes); without pictures, bytes may be 0.

    Returns
    -------
    dict
        The arrays that are kept in these blobs, each with one more axis in front, of length pictures.

    Raises
    ------
    ValueError
        A blob has another length than ``LAYOUT`` says.
    """
    return {name: array for blob, rows in blobs.items() for name, array in _parts(blob, rows).items()}


def _parts(blob: str, rows: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    parts = [part for part in LAYOUT if part.blob == blob]
    ends = np.cumsum([part.n_bytes for part in parts])
    if len(rows) and rows.shape[1] != ends[-1]:
        raise ValueError(f"{blob} of a descriptor holds {rows.shape[1]} bytes: expected {ends[-1]}")
    pieces = np.split(rows.reshape(-1, ends[-1]), ends[:-1], axis=1)
    return {part.name: _values(part, piece) for part, piece in zip(parts, pieces, strict=True)}


def _values(part: Part, octets: NDArray[np.uint8]) -> NDArray[Any]:
    values = np.ascontiguousarray(octets).view(part.dtype).reshape(-1, *part.shape)
    return values.astype(part.dtype.newbyteorder("="), copy=False)
