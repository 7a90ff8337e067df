"""Fit ``features/same_photo.json`` on edits of real photographs and print how it does on photographs set aside.

    python tests/benchmarks/fit_same_photo.py ../shared/photos

Positives: a photograph and an edit of it. Negatives: an edit (or the photograph itself) and every other photograph
within the candidate radii; views of one scene and neighbouring frames of a turntable count as other photographs.
Photographs are divided by who took them (sender, house, car, scene), so that no source is on both sides.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps
from scipy.optimize import minimize

from data.images.decode import Picture, decode
from data.settings import DecodeSettings
from features.alike import RADII
from features.comparison import candidate_blocks
from features.facts import HASH_KINDS
from features.hashing import RECIPE, fingerprint
from features.same_photo import COEFFICIENTS_FILE, SamePhoto

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

EDITED_PHOTOS = 600
TRAINING_SHARE = 0.6
SEED = 20
PROVENANCE = (
    "Edits of real photographs: second-hand clothes, homes, cars, cars on a turntable, scenes seen from several sides. "
    "Only these coefficients and counts were kept; they hold no part of any picture."
)
MAX_FALSE_MATCHES = 1 / 200
"""Largest share of chance candidates at the operating point, every collection weighing the same."""


def encoded(image: Image.Image, image_format: str, quality: int) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, image_format, quality=quality)
    return Image.open(buffer).convert("RGB")


def scaled(image: Image.Image, across: float, down: float) -> Image.Image:
    size = (max(1, round(image.width * across)), max(1, round(image.height * down)))
    return image.resize(size, Image.Resampling.BICUBIC)


def thumbnail(image: Image.Image) -> Image.Image:
    return encoded(ImageOps.contain(image, (160, 160)), "JPEG", 75)


def cropped(image: Image.Image, share_of_side: float) -> Image.Image:
    across, down = round(image.width * share_of_side), round(image.height * share_of_side)
    return image.crop((across, down, image.width - across, image.height - down))


def watermarked(image: Image.Image) -> Image.Image:
    overlay = Image.new("RGBA", image.size, (0, 0, 0, 0))
    font = ImageFont.load_default(max(8, image.width // 12))
    middle = (image.width / 2, image.height * 0.8)
    ImageDraw.Draw(overlay).text(middle, "seller-market.example", fill=(255, 255, 255, 150), anchor="mm", font=font)
    return Image.alpha_composite(image.convert("RGBA"), overlay).convert("RGB")


def reposted(image: Image.Image) -> Image.Image:
    return encoded(ImageEnhance.Brightness(scaled(image, 0.6, 0.6)).enhance(1.06), "JPEG", 60)


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "untouched": lambda image: image,
    "jpeg 90": lambda image: encoded(image, "JPEG", 90),
    "jpeg 50": lambda image: encoded(image, "JPEG", 50),
    "jpeg 15": lambda image: encoded(image, "JPEG", 15),
    "webp 50": lambda image: encoded(image, "WEBP", 50),
    "half size": lambda image: scaled(image, 0.5, 0.5),
    "enlarged 1.4": lambda image: scaled(image, 1.4, 1.4),
    "thumbnail 160 px": thumbnail,
    "squeezed 7 %": lambda image: scaled(image, 1.0, 0.93),
    "palette of 64": lambda image: image.quantize(64).convert("RGB"),
    "brightness +20 %": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "brightness -20 %": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "contrast +30 %": lambda image: ImageEnhance.Contrast(image).enhance(1.3),
    "saturation +50 %": lambda image: ImageEnhance.Color(image).enhance(1.5),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "blur": lambda image: image.filter(ImageFilter.GaussianBlur(max(image.size) / 400)),
    "crop 1 % of each length": lambda image: cropped(image, 0.005),
    "crop 2 % of each length": lambda image: cropped(image, 0.01),
    "crop 4 % of each length": lambda image: cropped(image, 0.02),
    "watermark": watermarked,
    "resized, brightened, jpeg 60": reposted,
}


def displayed(path: Path) -> Image.Image:
    """Open a photograph as a person sees it."""
    picture = decode(path.read_bytes(), DecodeSettings())
    assert isinstance(picture, Picture), path
    return picture.image.convert("RGB")


def hashes_of(image: Image.Image) -> list[int]:
    taken = fingerprint(image)
    return [getattr(taken, kind) for kind in HASH_KINDS]


def hash_photo(path: Path) -> list[int]:
    return hashes_of(displayed(path))


def hash_edits(path: Path) -> list[list[int]]:
    image = displayed(path)
    return [hashes_of(edit(image)) for edit in EDITS.values()]


TAKERS: dict[str, Callable[[Path], str]] = {
    "boofcv_multiview": lambda path: path.parent.name + path.stem.rstrip("0123456789"),
    "car_spin360": lambda path: path.parent.name,
    "houses": lambda path: path.stem.split("_")[0],
    "stanford_cars_train_subset": lambda path: path.stem,
}
"""What the photographs of a collection that belong together have in common: scene, car, house."""


def photographs(folder: Path) -> pd.DataFrame:
    """List the distinct photographs: ``path``, ``collection`` and ``training`` (whether on the training side)."""
    senders = pd.read_csv(folder / "clothing_cc0" / "index.csv", dtype="str").set_index("file")["sender_id"]
    takers = TAKERS | {"clothing_cc0": lambda path: senders[path.name]}
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in {".jpg", ".png"}]
    photos = pd.DataFrame({"path": paths, "collection": [path.relative_to(folder).parts[0] for path in paths]})
    photos["taker"] = [takers[collection](path) for path, collection in photos.itertuples(index=False)]
    photos["sha256"] = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    photos = photos.drop_duplicates("sha256")
    sides = photos[["collection", "taker"]].drop_duplicates().sample(frac=1, random_state=SEED)
    place = sides.groupby("collection").cumcount()
    takers_of_collection = sides.groupby("collection")["taker"].transform("size")
    sides["training"] = place < (takers_of_collection * TRAINING_SHARE).round()
    return photos.merge(sides, on=["collection", "taker"])


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidate pairs: ``distances`` (n, 5), ``edit`` (n,) numbers in ``EDITS``, ``collection`` (n,) of the query."""

    distances: NDArray[np.uint8]
    edit: NDArray[np.int64]
    collection: NDArray[np.str_]
    tried: int


@dataclass(frozen=True, slots=True)
class Side:
    """The photographs of one side: hashes of all as they are (n, 5), and of the edits of some (m, edits, 5)."""

    originals: NDArray[np.uint64]
    edited: NDArray[np.uint64]
    photo: NDArray[np.int64]
    collection: NDArray[np.str_]

    def same(self) -> Pairs:
        """Pair each photograph with its edits."""
        distances = np.bitwise_count(self.edited[:, 1:] ^ self.originals[self.photo][:, None]).reshape(-1, 5)
        edit = np.tile(np.arange(1, len(EDITS)), len(self.edited))
        collection = np.repeat(self.collection[self.photo], len(EDITS) - 1)
        near = np.logical_or.reduce([distances[:, HASH_KINDS.index(kind)] <= r for kind, r in RADII.items()])
        return Pairs(distances[near], edit[near], collection[near], len(near))

    def different(self) -> Pairs:
        """Pair each edit with every other photograph that looks like it."""
        queries = self.edited.reshape(-1, 5)
        blocks = candidate_blocks(queries, self.originals, RADII)
        query, key = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        other = self.photo[query // len(EDITS)] != key
        query, key = query[other], key[other]
        return Pairs(
            np.bitwise_count(queries[query] ^ self.originals[key]),
            query % len(EDITS),
            self.collection[self.photo[query // len(EDITS)]],
            len(queries) * (len(self.originals) - 1),
        )


def equal_weights(collection: NDArray[np.str_]) -> NDArray[np.float64]:
    """Weigh rows so that every collection counts the same; the weights add up to 1."""
    _, number, size = np.unique(collection, return_inverse=True, return_counts=True)
    return 1.0 / (len(size) * size[number])


def fit(same: Pairs, different: Pairs) -> tuple[float, NDArray[np.float64]]:
    """Return intercept and change per bit of the most likely logistic function that never rises with a distance."""
    distances = np.vstack([same.distances, different.distances]).astype(np.float64)
    sign = np.repeat([1.0, -1.0], [len(same.distances), len(different.distances)])
    weight = np.concatenate([equal_weights(same.collection), equal_weights(different.collection)]) / 2

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (parameters[0] + distances @ parameters[1:])
        slope = -sign * weight * np.exp(-np.logaddexp(0.0, margin))
        value = float(weight @ np.logaddexp(0.0, -margin))
        return value, np.concatenate([[slope.sum()], slope @ distances])

    found = minimize(loss, np.array([5.0] + [-0.3] * 5), jac=True, bounds=[(None, None)] + [(None, 0.0)] * 5)
    return float(found.x[0]), found.x[1:] + 0.0


def false_matches(model: SamePhoto, different: Pairs, threshold: float) -> float:
    """Return the share of chance candidates at or above the threshold, every collection weighing the same."""
    return float(equal_weights(different.collection) @ (model.probability(different.distances) >= threshold))


def operating_point(model: SamePhoto, different: Pairs) -> float:
    """Return the lowest whole percentage with few enough false matches."""
    thresholds = np.arange(50, 100) / 100
    return float(next(t for t in thresholds if false_matches(model, different, t) <= MAX_FALSE_MATCHES))


def performance(model: SamePhoto, same: Pairs, different: Pairs) -> dict[str, object]:
    """Measure the operating point on photographs set aside."""
    matched = model.probability(same.distances) >= model.operating_point
    false = model.probability(different.distances) >= model.operating_point
    edits = list(EDITS)
    tried = same.tried // (len(edits) - 1)
    return {
        "true_pairs": same.tried,
        "recall": round(matched.sum() / same.tried, 4),
        "recall_by_edit": {edits[n]: round(matched[same.edit == n].sum() / tried, 3) for n in range(1, len(edits))},
        "different_pairs": different.tried,
        "different_candidates": len(false),
        "false_matches": int(false.sum()),
        "false_match_rate_by_collection": {
            str(name): round(float(false[different.collection == name].mean()), 4)
            for name in np.unique(different.collection)
        },
        "false_match_rate_of_candidates": round(false_matches(model, different, model.operating_point), 4),
    }


def calibration(model: SamePhoto, same: Pairs, different: Pairs) -> list[list[float]]:
    """Return mean probability and weighted share of true pairs for each fifth of the probabilities."""
    probability = np.concatenate([model.probability(same.distances), model.probability(different.distances)])
    true = np.repeat([1.0, 0.0], [len(same.distances), len(different.distances)])
    weight = np.concatenate([equal_weights(same.collection), equal_weights(different.collection)])
    fifth = np.minimum((probability * 5).astype(int), 4)
    total = np.bincount(fifth, weight, minlength=5)
    return [
        [round(float(v), 3) for v in np.bincount(fifth, weight * values, minlength=5) / total]
        for values in (probability, true)
    ]


def sides(folder: Path, workers: int) -> tuple[Side, Side]:
    """Hash all photographs and the edits of a sample; return the training side and the side set aside."""
    photos = photographs(folder)
    sample = photos.sample(EDITED_PHOTOS, random_state=SEED).index.sort_values()
    with ProcessPoolExecutor(workers) as pool:
        originals = np.array(list(pool.map(hash_photo, photos["path"], chunksize=16)), dtype=np.uint64)
        edited = np.array(list(pool.map(hash_edits, photos["path"][sample], chunksize=4)), dtype=np.uint64)

    def side(chosen: NDArray[np.bool_]) -> Side:
        here = chosen[sample]
        photo = (np.cumsum(chosen) - 1)[sample[here]]
        return Side(originals[chosen], edited[here], photo, photos["collection"].to_numpy(str)[chosen])

    training = photos["training"].to_numpy()
    return side(training), side(~training)


def main() -> None:
    """Fit, measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="folder of collections of photographs")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    training, aside = sides(arguments.photos, arguments.workers)
    same, different = training.same(), training.different()
    intercept, per_bit = (np.round(part, 4) for part in fit(same, different))
    model = SamePhoto(intercept=float(intercept), per_bit=per_bit, operating_point=1.0)
    model = replace(model, operating_point=operating_point(model, different))
    aside_same, aside_different = aside.same(), aside.different()
    stored = {
        "intercept": model.intercept,
        "per_bit": dict(zip(HASH_KINDS, per_bit.tolist(), strict=True)),
        "operating_point": model.operating_point,
        "recipe": RECIPE,
        "fitted_on": datetime.now(UTC).date().isoformat(),
        "fitted_by": "tests/benchmarks/fit_same_photo.py",
        "provenance": PROVENANCE,
        "radii": dict(RADII),
        "training": {
            "photos": len(training.originals),
            "edited_photos": len(training.edited),
            "true_candidates": len(same.distances),
            "different_candidates": len(different.distances),
        },
        "set_aside": {
            "photos": len(aside.originals),
            "edited_photos": len(aside.edited),
            **performance(model, aside_same, aside_different),
        },
        "calibration_of_fifths": calibration(model, aside_same, aside_different),
    }
    COEFFICIENTS_FILE.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(stored, indent=2))


if __name__ == "__main__":
    main()
