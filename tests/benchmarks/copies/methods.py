"""What is compared: a method describes pictures, is given the catalog's descriptions, and answers with ranked hits."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import imagehash
import numpy as np

from .segments import find_segment_corners

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from PIL import Image

    Codes = NDArray[np.uint8]
    Encode = Callable[[Image.Image], NDArray[np.bool_]]

MOST_HITS = 8


class Hit(NamedTuple):
    """A picture of the catalog and how sure the method is that it is the same photo; larger is surer."""

    row: int
    score: float


class Method(Protocol):
    """A way of finding copies.

    ``describe`` is called in worker processes, once a picture, on methods made afresh by name; what it returns can be
    pickled. ``index`` is called once with the descriptions of the whole catalog, ``search`` then for every query.

    Attributes
    ----------
    name
        Column of the table.
    recipe
        What the descriptions depend on, for keeping them between runs as arrays; ``None`` forbids to keep them.
    """

    name: str
    recipe: str | None

    def describe(self, picture: Image.Image) -> Any:
        """Reduce a displayed RGB picture to what is kept of it."""

    def index(self, descriptions: Sequence[Any]) -> None:
        """Take the catalog, in the order of its rows."""

    def search(self, description: Any) -> list[Hit]:
        """Return the best hits, best first, each row once, at most `MOST_HITS`."""


@dataclass
class HashMethod:
    """Plain Hamming distance of whole hashes: a picture is as near as the nearest of its query's hashes.

    Parameters
    ----------
    name, recipe
        As for `Method`.
    encode
        From a picture to its bits, (hashes, bits) or (bits,); the catalog keeps the first hash alone.
    """

    name: str
    recipe: str | None
    encode: Encode

    def describe(self, picture: Image.Image) -> Codes:
        return np.packbits(np.atleast_2d(self.encode(picture)), axis=1)

    def index(self, descriptions: Sequence[Codes]) -> None:
        self.codes = np.stack([codes[0] for codes in descriptions])

    def search(self, description: Codes) -> list[Hit]:
        bits = np.bitwise_count(self.codes[:, None] ^ description).sum(axis=2, dtype=np.int64)
        return best_hits(-bits.min(axis=1).astype(np.float64))


class CropResistantHash:
    """ImageHash's segments: how many of the query's have a near one in the picture, less their mean distance."""

    name = "crop-resistant"
    recipe: str | None = f"ImageHash-{imagehash.__version__}"
    farthest_bits = 16
    """A quarter of the bits, the library's default."""

    def describe(self, picture: Image.Image) -> Codes:
        imagehash._find_all_segments = find_segment_corners
        segments = imagehash.crop_resistant_hash(picture).segment_hashes
        return np.stack([np.packbits(segment.hash) for segment in segments])

    def index(self, descriptions: Sequence[Codes]) -> None:
        self.codes = np.concatenate(descriptions)
        self.starts = np.cumsum([0, *(len(codes) for codes in descriptions[:-1])])

    def search(self, description: Codes) -> list[Hit]:
        bits = np.bitwise_count(self.codes[:, None] ^ description).sum(axis=2, dtype=np.int64)
        nearest = np.minimum.reduceat(bits, self.starts, axis=0)
        near = nearest <= self.farthest_bits
        matches = near.sum(axis=1)
        share_of_bits = (nearest * near).sum(axis=1) / (64 * np.maximum(matches, 1))
        return best_hits(matches - share_of_bits)


def best_hits(scores: NDArray[np.float64]) -> list[Hit]:
    best = np.argsort(-scores, kind="stable")[:MOST_HITS]
    return [Hit(int(row), float(scores[row])) for row in best]


def with_imagehash(name: str, function: Callable[[Image.Image], imagehash.ImageHash]) -> HashMethod:
    return HashMethod(name, f"ImageHash-{imagehash.__version__}", lambda picture: function(picture).hash.ravel())


def with_pdqhash(name: str, turned: bool) -> HashMethod:
    """Return PDQ; ``turned`` asks with the hashes of all eight orientations, which the library computes at once."""
    pdqhash = importlib.import_module("pdqhash")

    def encode(picture: Image.Image) -> NDArray[np.bool_]:
        pixels = np.asarray(picture)
        hashes = pdqhash.compute_dihedral(pixels)[0] if turned else [pdqhash.compute(pixels)[0]]
        return np.array(hashes, dtype=bool)

    return HashMethod(name, "pdqhash", encode)


def with_imagededup(name: str, encoder: str) -> HashMethod:
    """Return one of imagededup's hashes.

    The package imports its neural networks, and with them torch, wherever its hashes are imported; they use nothing of
    them, and empty modules stand in.
    """
    for module, attribute in (("methods.cnn", "CNN"), ("utils.models", "CustomModel")):
        network = ModuleType(f"imagededup.{module}")
        setattr(network, attribute, None)
        sys.modules.setdefault(network.__name__, network)
    hasher = getattr(importlib.import_module("imagededup.methods"), encoder)(verbose=False)

    def encode(picture: Image.Image) -> NDArray[np.bool_]:
        code = bytes.fromhex(hasher.encode_image(image_array=np.asarray(picture)))
        return np.unpackbits(np.frombuffer(code, np.uint8)).astype(bool)

    return HashMethod(name, "imagededup", encode)


METHODS: dict[str, Callable[[], Method]] = {
    "ahash": lambda: with_imagehash("aHash", imagehash.average_hash),
    "phash": lambda: with_imagehash("pHash", imagehash.phash),
    "dhash": lambda: with_imagehash("dHash", imagehash.dhash),
    "whash": lambda: with_imagehash("wHash", imagehash.whash),
    "colorhash": lambda: with_imagehash("colorhash", imagehash.colorhash),
    "phash256": lambda: with_imagehash("pHash 256 bit", lambda picture: imagehash.phash(picture, hash_size=16)),
    "dhash256": lambda: with_imagehash("dHash 256 bit", lambda picture: imagehash.dhash(picture, hash_size=16)),
    "crop_resistant": CropResistantHash,
    "pdq": lambda: with_pdqhash("PDQ", turned=False),
    "pdq_turned": lambda: with_pdqhash("PDQ, eight turns", turned=True),
    "dedup_ahash": lambda: with_imagededup("imagededup aHash", "AHash"),
    "dedup_phash": lambda: with_imagededup("imagededup pHash", "PHash"),
    "dedup_dhash": lambda: with_imagededup("imagededup dHash", "DHash"),
    "dedup_whash": lambda: with_imagededup("imagededup wHash", "WHash"),
}
"""The published methods by the name they are asked for; PDQ and imagededup need their packages."""


def method_named(name: str) -> Method:
    """Return one of `METHODS`, or an instance of any class given as ``package.module:Class``."""
    if name in METHODS:
        return METHODS[name]()
    module, _, attribute = name.partition(":")
    method: Method = getattr(importlib.import_module(module), attribute)()
    return method
