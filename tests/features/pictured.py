"""Pictures as the search for copies takes them: fingerprints, sketches, and collections made of both."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.synthetic.pictures import Scene, draw_photo
from features.collection import Pictures
from features.facts import FINGERPRINT_COLUMNS, HASH_KINDS
from features.hashing import fingerprint_and_sketch
from features.stored import collection, part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL import Image

    from features.collection import Collection
    from features.sketch import Sketch


def photo(number: int) -> Image.Image:
    """One of many photos that have nothing to do with each other."""
    return draw_photo(Scene(category=number % 8, setting=1000 + number, item=2000 + number, view=3000 + number))


def cropped(image: Image.Image, left: float, upper: float, right: float, lower: float) -> Image.Image:
    """Cut a part out of a picture, given in shares of its sides."""
    width, height = image.size
    return image.crop((round(left * width), round(upper * height), round(right * width), round(lower * height)))


@dataclass(frozen=True, slots=True, eq=False)
class Pictured:
    """Fingerprints (``FINGERPRINT_COLUMNS``), and the sketches of these pictures."""

    prints: pd.DataFrame
    sketches: Mapping[str, Sketch]

    def read(self, image_ids: Sequence[str]) -> Mapping[str, Sketch]:
        return {image_id: self.sketches[image_id] for image_id in image_ids if image_id in self.sketches}

    def points(self, prints: pd.DataFrame) -> np.ndarray:
        return np.stack([self.sketches[image_id].points for image_id in prints["image_id"]])

    def of(self, image_ids: Sequence[str]) -> Pictured:
        """Return some of the pictures, in this order."""
        return Pictured(self.prints.set_index("image_id").loc[image_ids].reset_index(), self.sketches)

    def parts(self, *sizes: int) -> list[dict[str, np.ndarray]]:
        """Return stored parts of so many pictures each; the last one holds the rest."""
        edges = [0, *np.cumsum(sizes).tolist(), len(self.prints)]
        rows = [self.prints.iloc[start:stop] for start, stop in zip(edges[:-1], edges[1:], strict=True)]
        numbered = zip(rows, edges, strict=False)
        return [part(Pictures.of(each), self.points(each), first) for each, first in numbered if len(each)]

    def collection(self, *sizes: int) -> Collection:
        """Return them as known pictures, kept in parts of so many."""
        return collection(self.parts(*sizes), self.read)


def pictured(images: Mapping[str, Image.Image]) -> Pictured:
    """Fingerprint and sketch pictures, each under a name that stands for its bytes."""
    made = {name: fingerprint_and_sketch(image) for name, image in images.items()}
    rows = [{"image_id": name, "format": "JPEG"} | asdict(found) for name, (found, _) in made.items()]
    prints = pd.DataFrame(rows, columns=list(FINGERPRINT_COLUMNS)).astype(dict.fromkeys(HASH_KINDS, np.uint64))
    return Pictured(prints, {name: sketch for name, (_, sketch) in made.items()})
