"""Two references for every result: what can be had without any photo, and with the truth about every photo.

A market in which the first is high gives its thieves away by other things than photos; one in which the second is
near 1 leaves nothing to doubt. Neither is a market one could learn anything from.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from data.synthetic.market import make_market
from features.point_in_time.feature_frame import SPECS
from features.spec import FeatureSpec
from models.dataset.splits import prequential_folds
from models.evaluation.metrics import average_precision
from models.serving.demo_market import DAYS, START, Recipe
from models.serving.learning.train_model import gather
from models.training.out_of_fold import divisions_of, out_of_fold

from .homes import filled, without_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from data.settings import ModelSettings
    from models.training.out_of_fold import Division

WITHOUT_PHOTOS = "without any photo"
TOLD_THE_TRUTH = "told the truth about photos"
BARS = {WITHOUT_PHOTOS: 0.55, TOLD_THE_TRUTH: 0.95}
"""Average precision that each should stay below."""

PHOTO_BLOCKS = ("reuse", "rings", "ring")
PHOTO_WORDS = ("copied", "victim", "photo", "image")
ALLOWED = ("images",)
"""How many photos a listing shows is no reuse, and thieves must not be given away by it."""

STOLEN = FeatureSpec(
    name="truly_stolen", block="reuse", unit="count", direction=1, meaning="Whether its photos were stolen: the truth."
)


def told_nothing_of_photos(specs: Sequence[FeatureSpec]) -> list[FeatureSpec]:
    """Return the features that no photo seen elsewhere has any part in."""
    return [
        spec
        for spec in specs
        if spec.name in ALLOWED
        or (spec.block not in PHOTO_BLOCKS and not any(word in spec.name for word in PHOTO_WORDS))
    ]


def with_truth(examples: pd.DataFrame, stolen: pd.Series) -> pd.DataFrame:
    """Add the truth; ``stolen`` says by ``listing_key`` whether a fraud's photos were taken from a known listing."""
    return examples.assign(**{STOLEN.name: examples["listing_key"].map(stolen).astype(np.float64)})


def reference_scores(
    examples: pd.DataFrame, stolen: pd.Series, divisions: Sequence[Division], *, seed: int
) -> dict[str, pd.DataFrame]:
    """Return decided test rows with the scores of both references (`models.training.out_of_fold.out_of_fold`)."""
    plain = told_nothing_of_photos(SPECS)
    known = with_truth(examples, stolen)
    return {
        WITHOUT_PHOTOS: out_of_fold(examples, divisions, plain, seed=seed),
        TOLD_THE_TRUTH: out_of_fold(known, divisions, [*plain, STOLEN], seed=seed),
    }


def on_folds(examples: pd.DataFrame, stolen: pd.Series, settings: ModelSettings) -> dict[str, pd.DataFrame]:
    """Return what `reference_scores` gives on the folds that ours is judged on."""
    folds = prequential_folds(examples, folds=settings.folds, delay=timedelta(days=settings.delay_days))
    return reference_scores(examples, stolen, divisions_of(folds), seed=settings.seed)


def bounds(listings: int, seed: int, cache: Path) -> dict[str, float]:
    """Return both references' average precision on the folds of a market in which no picture was looked at."""
    market = make_market(listings=listings, seed=seed, start=START, days=DAYS)
    with filled(without_pictures(market), cache, name=f"references-{listings}-{seed}") as home:
        settings = home.context.settings
        until = Recipe(listings, seed, "").split_at
        gathered = gather(home.context, since=None, until=until, rows=settings.batch_rows)
        stolen = stolen_by_key(market.truth, gathered.market.listings)
        scores = on_folds(gathered.examples, stolen, settings.model)
    return {name: precision_of(scored) for name, scored in scores.items()}


def stolen_by_key(truth: pd.DataFrame, listings: pd.DataFrame) -> pd.Series:
    """Say by ``listing_key`` whether a fraud shows photos taken from a listing of the market."""
    known = listings.merge(truth, on="listing_id").set_index("listing_key")
    return known["fraud"] & (known["stolen_from"] != "[]")


def precision_of(scored: pd.DataFrame) -> float:
    """Return the average precision of ``score`` against ``y``."""
    statistic = average_precision(scored["y"].to_numpy(np.float64), scored["score"].to_numpy(np.float64))
    return float(statistic(np.ones(len(scored))))
