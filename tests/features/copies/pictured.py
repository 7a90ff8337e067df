"""Pictures as the search for copies takes them: fingerprints, sketches, and collections made of both."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.copies.collection import Pictures, collection, part
from features.facts import FINGERPRINT_COLUMNS, HASH_KINDS
from features.hashing.fingerprint import fingerprint_and_descriptor
from features.keypoints.keypoints import KEYPOINT, MOST_KEYPOINTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from features.copies.collection import Collection
    from features.keypoints.descriptor import Descriptor


def likeness(overlays: NDArray[np.void]) -> NDArray[np.float64]:
    """Stand in for the fitted probability: six points may match by chance, and from forty on it is almost sure."""
    return np.clip((overlays["matches"] - 6) / 34, 0.0, 0.999)


def cropped(image: Image.Image, left: float, upper: float, right: float, lower: float) -> Image.Image:
    """Cut a part out of a picture, given in shares of its sides."""
    width, height = image.size
    return image.crop((round(left * width), round(upper * height), round(right * width), round(lower * height)))


@dataclass(frozen=True, slots=True, eq=False)
class Pictured:
    """Fingerprints (``FINGERPRINT_COLUMNS``), and the sketches of the pictures that have one."""

    prints: pd.DataFrame
    sketches: Mapping[str, Descriptor]

    def read(self, image_ids: Sequence[str]) -> dict[str, Descriptor]:
        return {image_id: self.sketches[image_id] for image_id in image_ids if image_id in self.sketches}

    def of(self, image_ids: Sequence[str]) -> Pictured:
        """Return some of the pictures, in this order."""
        chosen = self.prints.set_index("image_id").loc[list(image_ids)].reset_index()
        return Pictured(chosen[list(FINGERPRINT_COLUMNS)], self.sketches)

    def part(self, start: int, stop: int) -> dict[str, NDArray[np.generic]]:
        """Return the pictures of some rows as they are kept."""
        rows = self.prints.iloc[start:stop]
        points = np.zeros((len(rows), MOST_KEYPOINTS), KEYPOINT)
        for row, image_id in enumerate(rows["image_id"]):
            if image_id in self.sketches:
                points[row] = self.sketches[image_id].keypoints
        return part(Pictures.of(rows), points, start)

    def parts(self, *cuts: int) -> list[dict[str, NDArray[np.generic]]]:
        """Return all of them as they are kept, parted at some rows."""
        return [self.part(*ends) for ends in pairwise([0, *cuts, len(self.prints)])]

    def collection(self, *cuts: int) -> Collection:
        """Return them as reference pictures."""
        return collection(self.parts(*cuts), self.read)


def pictured(images: Mapping[str, Image.Image]) -> Pictured:
    """Fingerprint and sketch pictures, each under a name that stands for its bytes."""
    made = {name: fingerprint_and_descriptor(image) for name, image in images.items()}
    rows = [{"image_id": name, "format": "JPEG"} | asdict(found) for name, (found, _) in made.items()]
    prints = pd.DataFrame(rows, columns=list(FINGERPRINT_COLUMNS)).astype(dict.fromkeys(HASH_KINDS, np.uint64))
    return Pictured(prints, {name: sketch for name, (_, sketch) in made.items()})
