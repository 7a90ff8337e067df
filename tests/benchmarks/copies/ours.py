"""Seenbefore's own search as a method of the benchmark."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.copies.collection import Pictures, collection, part
from features.copies.reverse_search import search
from features.facts import FINGERPRINT_COLUMNS, HASH_KINDS
from features.hashing.fingerprint import RECIPE, fingerprint_and_descriptor
from features.hashing.selfcheck import warmup

from .methods import MOST_HITS, Hit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL import Image

    from features.keypoints.descriptor import Descriptor

Description = tuple[dict[str, Any], "Descriptor"]


class Seenbefore:
    """Keypoints, Hough voting, and one picture registered on the other."""

    name = "Seenbefore"
    recipe = None

    def describe(self, picture: Image.Image) -> Description:
        warmup()
        found, sketch = fingerprint_and_descriptor(picture)
        return asdict(found) | {"format": "JPEG", "recipe": RECIPE}, sketch

    def index(self, descriptions: Sequence[Description]) -> None:
        ids = [f"{row:064x}" for row in range(len(descriptions))]
        sketches = dict(zip(ids, (sketch for _, sketch in descriptions), strict=True))
        points = np.stack([sketch.keypoints for sketch in sketches.values()])
        arrays = part(Pictures.of(prints([print_ for print_, _ in descriptions], ids)), points, 0)
        self._known = collection([arrays], lambda image_ids: {image_id: sketches[image_id] for image_id in image_ids})

    def search(self, description: Description) -> list[Hit]:
        print_, sketch = description
        asked = prints([print_], ["f" * 64])

        def read(image_ids: Sequence[str]) -> Mapping[str, Descriptor]:
            return dict.fromkeys(image_ids, sketch)

        hits = search(asked, read, self._known, min_probability=0.0, limit=MOST_HITS)
        return [Hit(int(row, 16), score) for row, score in zip(hits["image_id"], hits["same_photo"], strict=True)]


def prints(rows: Sequence[dict[str, Any]], ids: Sequence[str]) -> pd.DataFrame:
    """Return fingerprints as the frame that the search takes."""
    frame = pd.DataFrame([{name: row.get(name) for name in FINGERPRINT_COLUMNS} for row in rows])
    return frame.assign(image_id=pd.Series(ids, dtype="str")).astype(dict.fromkeys(HASH_KINDS, np.uint64))
