"""Fit ``features/registration/same_photo.json`` on edits of real photographs, and measure it on photographs set aside.

    python tests/benchmarks/fit_same_photo.py ../shared/photos --kept-in FOLDER

Positives: a photograph and an edit of it, through the bytes of a file. Negatives: a photograph or an edit, and every
other picture that the search for copies lays over it: other views of the scene, neighbouring frames of a turntable,
other clothes on the same hanger, drawn catalogue pictures. Photographs are divided by who took them (sender, house,
car, scene) into those for training, for calibration, and set aside. How often chance scores high is measured with
further catalogue pictures as well, the worst look-alikes there are: without them the tail would have to be guessed from
far fewer pairs.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from copies.photos import DRAWN, drawn_photos
from same_photo_curves import fit, recalibration, tail_of
from same_photo_material import UNTOUCHED, Material, Side, all_edits, describe_all, material
from same_photo_pairs import all_pairs

from features.hashing.fingerprint import RECIPE
from features.registration.same_photo import (
    COEFFICIENTS_FILE,
    FALSE_MATCHES_PER_LISTING,
    PICTURES_PER_LISTING,
    SamePhoto,
    Tail,
    probability,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from same_photo_material import Described

PROVENANCE = (
    "Edits of real photographs: second-hand clothes, homes, cars, cars on a turntable, scenes seen from several sides; "
    "and drawn catalogue pictures. Only these numbers were kept; they hold no part of any picture."
)
REPEATED_MEAN, REPEATED_POINTS = 0.985, 0.8
"""Correlation, and share of the points, from which two photographs are taken for one photo."""
STRANGERS_WEIGHT = 50.0
"""Strangers count so much more while the curves are fitted: they are what grows with the catalog."""
CATALOG_PICTURES = 1000
CHANCE_DRAWN = range(600, 3_000)
"""Numbers of the catalogue pictures that only measure the tail of chance: none of them is in the collection."""
CHANCE_CATALOG = 600
DRAWN_SHARE = 0.25
"""Share of catalogue pictures that a catalog, and what is asked for, is taken to have."""
GROWING_SIZES = (300, 600, 1_200, 2_400)
GROWING_LEVELS = (0.1, 0.5, 0.9)
SEED = 7
CATALOG_SIZES = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the search for copies looks at when the photos of one side and their edits are asked for.

    Parameters
    ----------
    pairs
        One row for each pair: ``photo`` and ``reference`` (numbers), ``edit``, ``group``, ``collection`` of the photo,
        ``true`` (one photo), ``kin`` (another one of the same taker), ``both_drawn`` (catalogue pictures).
    overlays
        `features.registration.registration.OVERLAY` of each.
    asked
        One row for each edited picture: ``edit``, ``group``, ``collection``.
    strangers
        How many pictures were asked for, times the pictures of other takers in the catalog.
    """

    pairs: pd.DataFrame
    overlays: NDArray[np.void]
    asked: pd.DataFrame
    strangers: int

    @classmethod
    def of(cls, source: Material, found: NDArray[np.void], side: Side, known: NDArray[np.int64]) -> Answers:
        photos = photo_table(source)
        edits = photos["edits"].to_numpy()
        groups = {UNTOUCHED: UNTOUCHED} | {edit.name: edit.group for edit in all_edits(())}
        pairs = pd.DataFrame({"photo": found["photo"], "reference": found["reference"]})
        pairs["edit"] = [edits[photo][edit] for photo, edit in zip(found["photo"], found["edit"], strict=True)]
        pairs["group"] = pairs["edit"].map(groups)
        pairs["collection"] = photos["collection"].to_numpy()[found["photo"]]
        pairs["true"] = pairs["photo"] == pairs["reference"]
        taker = photos["taker"].to_numpy()
        pairs["kin"] = ~pairs["true"] & (taker[found["photo"]] == taker[found["reference"]])
        drawn = (photos["collection"] == DRAWN).to_numpy()
        pairs["both_drawn"] = drawn[found["photo"]] & drawn[found["reference"]]
        asked = photos[source.side == side]
        kin = photos.iloc[known]["taker"].value_counts()
        strangers = asked["edits"].str.len() * (len(known) - asked["taker"].map(kin).fillna(0))
        named = asked[["edits", "collection"]].explode("edits").rename(columns={"edits": "edit"})
        named = named[named["edit"] != UNTOUCHED].assign(group=lambda rows: rows["edit"].map(groups))
        return cls(pairs, found["overlay"], named, int(strangers.sum()))

    def without(self, repeated: set[tuple[int, int]]) -> Answers:
        """Leave out pairs of photos that are one photo twice; their numbers in ascending order."""
        numbers = np.sort(self.pairs[["photo", "reference"]].to_numpy(), axis=1)
        kept = np.array([tuple(pair) not in repeated for pair in numbers.tolist()], dtype=bool)
        return Answers(self.pairs[kept], self.overlays[kept], self.asked, self.strangers)

    @property
    def true(self) -> NDArray[np.bool_]:
        return self.pairs["true"].to_numpy()

    @property
    def strange(self) -> NDArray[np.bool_]:
        return ~self.true & ~self.pairs["kin"].to_numpy()

    @property
    def drawn(self) -> NDArray[np.bool_]:
        """Tell which pairs are of two catalogue pictures."""
        return np.asarray(self.pairs["both_drawn"])

    def weights(self, strangers_weight: float = 1.0) -> NDArray[np.float64]:
        """Weigh pairs: half for true ones, every edit the same; a quarter for kin and one for strangers."""
        by_edit = self.pairs.groupby(["true", "edit"])["edit"].transform("size").to_numpy()
        kin = self.pairs["kin"].to_numpy()
        edits = self.pairs.loc[self.true, "edit"].nunique()
        others = np.where(kin, 0.25 / max(1, kin.sum()), strangers_weight * 0.25 / max(1, self.strange.sum()))
        return np.where(self.true, 0.5 / edits / by_edit, others)


def photo_table(source: Material) -> pd.DataFrame:
    """List the photos: ``collection``, ``taker``, and in ``edits`` what each is asked for with, untouched first."""
    rows = [(photo.collection, photo.taker) for photo in source.photos]
    table = pd.DataFrame(rows, columns=["collection", "taker"])
    return table.assign(edits=[(UNTOUCHED, *names) for names in source.edits])


def repeated_photos(found: NDArray[np.void]) -> set[tuple[int, int]]:
    """Find photos that are in a collection twice, or might as well be: no one could tell them apart."""
    overlays = found["overlay"]
    alike = (overlays["mean"] >= REPEATED_MEAN) & (overlays["repeated"] >= REPEATED_POINTS)
    alike &= (found["edit"] == 0) & (found["photo"] != found["reference"])
    return {(min(pair), max(pair)) for pair in found[["photo", "reference"]][alike].tolist()}


def look_alikes(kept_in: Path, workers: int) -> NDArray[np.void]:
    """Ask for catalogue pictures in catalogs of others; return the `OVERLAY` of each pair."""
    drawn = drawn_photos(CHANCE_DRAWN)
    photos = describe_all(Material(drawn, np.zeros(len(drawn), np.int64), [()] * len(drawn), ()), kept_in, workers)
    everything = np.arange(len(photos))
    catalogs = [everything[first : first + CHANCE_CATALOG] for first in range(0, len(photos), CHANCE_CATALOG)]
    return np.concatenate([all_pairs(photos, everything, known, workers)["overlay"] for known in catalogs])


def fitted(training: Answers, calibration: Answers, drawn: NDArray[np.void]) -> SamePhoto:
    """Fit curves on one side; on the other, and on catalogue pictures, make them probabilities and note the tail."""
    shape = fit(training.overlays, training.true, training.weights(STRANGERS_WEIGHT))
    raw = SamePhoto(*shape, NO_TAIL).log_odds(calibration.overlays)
    function = SamePhoto(*shape.stretched(*recalibration(raw, calibration.true, calibration.weights())), NO_TAIL)
    strange = calibration.overlays[calibration.strange & ~calibration.drawn]
    asked = len(CHANCE_DRAWN)
    per_pair = np.repeat(
        [1 / calibration.strangers, DRAWN_SHARE**2 / (asked * (asked - 1))], [len(strange), len(drawn)]
    )
    tail = tail_of(function.log_odds(np.concatenate([strange, drawn])), per_pair, CATALOG_PICTURES)
    return SamePhoto(function.intercept, function.curves, tail)


NO_TAIL = Tail(CATALOG_PICTURES, np.ones(1), np.zeros(1), 1.0)


def performance(model: SamePhoto, aside: Answers) -> dict[str, object]:
    """Measure recall and false matches on photographs set aside, at the operating points of several catalogs."""
    points = {size: model.operating_point(size) for size in CATALOG_SIZES}
    judged = aside.pairs.assign(probability=probability(model.log_odds(aside.overlays)))
    found = {str(size): judged[judged["probability"] >= point] for size, point in points.items()}
    looked_at = {"looked_at": judged}
    return {
        "operating_point": {str(size): round(point, 4) for size, point in points.items()},
        "asked": len(aside.asked),
        "recall": recall(found | looked_at, aside.asked, "edit").mean().round(4).to_dict(),
        **{
            f"recall_by_{column}": recall(found | looked_at, aside.asked, column).round(3).T.to_dict()
            for column in ("collection", "group", "edit")
        },
        "strange_pairs": aside.strangers,
        "false_matches": {size: false_matches(hits) for size, hits in found.items()},
    }


def drawn_matches(model: SamePhoto, drawn: NDArray[np.void]) -> dict[str, object]:
    """Count the pairs of further catalogue pictures above the operating points, and those that the budget allows."""
    asked, log_odds = len(CHANCE_DRAWN), model.log_odds(drawn)
    points = {size: model.operating_point(size) for size in CATALOG_SIZES}
    pairs = asked * (asked - 1)
    budget = FALSE_MATCHES_PER_LISTING / PICTURES_PER_LISTING * pairs / DRAWN_SHARE**2
    return {
        "pictures": asked,
        "pairs": pairs,
        "matched": {str(size): int((probability(log_odds) >= point).sum()) for size, point in points.items()},
        "budget": {str(size): round(budget / size, 3) for size in CATALOG_SIZES},
    }


def recall(found: dict[str, pd.DataFrame], asked: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return which share of what was asked for is among the true hits, a column for each set of hits."""
    counts = {
        name: hits.loc[hits["true"], by].value_counts() / asked[by].value_counts() for name, hits in found.items()
    }
    return pd.DataFrame(counts).fillna(0.0)


def false_matches(hits: pd.DataFrame) -> dict[str, object]:
    """Count what is not the same photo: of other takers and of the same, by the collection of the picture asked for."""
    wrong = hits[~hits["true"]]
    return {
        name: {"pictures": len(part.drop_duplicates(["photo", "edit"])), **part["collection"].value_counts().to_dict()}
        for name, part in (("strangers", wrong[~wrong["kin"]]), ("kin", wrong[wrong["kin"]]))
    }


def calibrated(model: SamePhoto, aside: Answers) -> dict[str, object]:
    """Compare probabilities with shares of true pairs: Brier score, expected error, and a table by tenths."""
    predicted, weight = probability(model.log_odds(aside.overlays)), aside.weights()
    table = pd.DataFrame({"tenth": np.minimum((predicted * 10).astype(int), 9), "weight": weight})
    table = table.assign(predicted=predicted * weight, true=aside.true * weight).groupby("tenth").sum()
    means = table[["predicted", "true"]].div(table["weight"], axis=0)
    error = float((means["predicted"] - means["true"]).abs() @ table["weight"]) / weight.sum()
    brier = float(weight @ (predicted - aside.true) ** 2) / weight.sum()
    rows = means.assign(weight=table["weight"]).round(4).T.to_dict("list")
    return {"brier": round(brier, 4), "expected_error": round(error, 4), "tenths_predicted_true_weight": rows}


def growth(
    model: SamePhoto, source: Material, photos: list[Described], repeated: set[tuple[int, int]], workers: int
) -> list[dict[str, float]]:
    """Count false matches of strangers in catalogs of several sizes, asked for with what is set aside."""
    everything = np.arange(len(photos))
    shuffled = np.random.default_rng(SEED).permutation(everything)
    rows = []
    for size in GROWING_SIZES:
        known = np.sort(shuffled[:size])
        found = all_pairs(photos, np.flatnonzero(source.side == Side.SET_ASIDE), known, workers)
        answers = Answers.of(source, found, Side.SET_ASIDE, known).without(repeated)
        odds = model.log_odds(answers.overlays[answers.strange])
        asked = (source.side == Side.SET_ASIDE).sum() + len(answers.asked)
        rows.append(
            {"pictures": len(known), "asked": int(asked)}
            | {f"from_{level}": int((probability(odds) >= level).sum()) for level in GROWING_LEVELS}
        )
    return rows


def stored(model: SamePhoto) -> dict[str, object]:
    """Return what `SamePhoto.read` takes."""
    tail = model.tail
    return {
        "intercept": model.intercept,
        "curves": {
            name: {"knots": curve.knots.tolist(), "log_odds": curve.log_odds.tolist()}
            for name, curve in model.curves.items()
        },
        "false_matches": {
            "pictures": tail.pictures,
            "per_query": [float(f"{rate:.4g}") for rate in tail.per_query],
            "log_odds": tail.log_odds.tolist(),
            "scale": tail.scale,
        },
    }


def main() -> None:
    """Fit, measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="folder of collections of photographs")
    parser.add_argument("--kept-in", type=Path, required=True, help="folder where described photographs are kept")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    source = material(arguments.photos)
    photos = describe_all(source, arguments.kept_in, arguments.workers)
    catalogs = {side: np.flatnonzero(source.side <= side) for side in Side}
    found = {
        side: all_pairs(photos, np.flatnonzero(source.side == side), known, arguments.workers)
        for side, known in catalogs.items()
    }
    repeated = repeated_photos(np.concatenate(list(found.values())))
    answers = {side: Answers.of(source, found[side], side, catalogs[side]).without(repeated) for side in Side}
    drawn = look_alikes(arguments.kept_in, arguments.workers)
    model = fitted(answers[Side.TRAINING], answers[Side.CALIBRATION], drawn)
    aside = answers[Side.SET_ASIDE]
    measured = {
        "recipe": RECIPE,
        "fitted_on": datetime.now(UTC).date().isoformat(),
        "fitted_by": "tests/benchmarks/fit_same_photo.py",
        "provenance": PROVENANCE,
        "photos": dict(zip(["training", "calibration", "set_aside"], np.bincount(source.side).tolist(), strict=True)),
        "repeated_photos_left_out": len(repeated),
        "set_aside": performance(model, aside),
        "calibration": calibrated(model, aside),
        "drawn_matches": drawn_matches(model, drawn),
        "growth": growth(model, source, photos, repeated, arguments.workers),
    }
    text = json.dumps(stored(model) | measured, indent=2)
    COEFFICIENTS_FILE.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
