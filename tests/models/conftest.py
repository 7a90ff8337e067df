"""A small seeded market of examples in which copied photos and young accounts give thieves away."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from data.settings import ModelSettings
from features.spec import FeatureSpec
from models.training.train import train
from tests.shared_by_workers import made_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from models.training.candidate import Candidate

START = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = START + timedelta(days=140)
SPECS = (
    FeatureSpec(
        name="surest_same_photo", block="reuse", unit="probability", meaning="How surely a photo was copied.",
        direction=1, reason="A photo was seen before with a probability of {value}.",
    ),
    FeatureSpec(
        name="copied_share", block="reuse", unit="share", meaning="Share of photos copied.", direction=1,
        reason="{value} of the photos were first seen elsewhere.",
    ),
    FeatureSpec(
        name="posted_lead_days", block="reuse", unit="days", meaning="Lead.", missing="no copy", direction=1,
        reason="The other listing was posted {value} days earlier.",
    ),
    FeatureSpec(name="account_age_days", block="seller", unit="days", meaning="Age.", reason="{value} days old."),
    FeatureSpec(name="images", block="reuse", unit="count", meaning="Photos."),
)  # fmt: skip


def synthetic_examples(rows: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    day = np.sort(generator.uniform(0, 130, rows))
    fraud = generator.random(rows) < 0.2
    seller = np.where(fraud, 100_000 + np.arange(rows), generator.integers(0, rows * 3, rows))
    copied = np.where(fraud, generator.random(rows) < 0.85, generator.random(rows) < 0.06)
    surest = np.where(copied, generator.uniform(0.5, 1.0, rows), generator.uniform(0, 0.3, rows))
    lag_days = generator.uniform(1, 15, rows)
    decided = (generator.random(rows) < 0.8) & (day + lag_days <= 140)
    as_of = pd.Series(pd.Timestamp(START) + pd.to_timedelta(day, unit="D")).dt.as_unit("us")
    known_at = (as_of + pd.Series(pd.to_timedelta(lag_days, unit="D"))).dt.as_unit("us")
    frame = pd.DataFrame(
        {
            "listing_key": np.arange(1, rows + 1),
            "seller_key": seller,
            "as_of": as_of,
            "photo_cluster": np.arange(1, rows + 1),
            "price": generator.uniform(5, 500, rows),
            "y": np.where(decided, fraud.astype(float), np.nan),
            "known_at": known_at.where(decided),
            "surest_same_photo": surest,
            "copied_share": np.where(copied, generator.choice([0.25, 0.5, 1.0], rows), 0.0),
            "posted_lead_days": np.where(copied, generator.uniform(0.5, 60, rows), np.nan),
            "account_age_days": generator.uniform(1, np.where(fraud, 500, 2_000), rows),
            "images": generator.integers(1, 9, rows).astype(float),
        }
    )
    # Every fifth theft copies from the listing just before it: victim and thief share their photos.
    thefts = np.flatnonzero(fraud)[1::5]
    frame.loc[thefts, "photo_cluster"] = frame["photo_cluster"].to_numpy()[thefts - 1]
    return frame


@pytest.fixture(scope="session")
def specs() -> tuple[FeatureSpec, ...]:
    return SPECS


@pytest.fixture(scope="session")
def until() -> datetime:
    return UNTIL


@pytest.fixture(scope="session")
def make_market() -> Callable[[int, int], pd.DataFrame]:
    return synthetic_examples


@pytest.fixture(scope="session")
def market() -> pd.DataFrame:
    return synthetic_examples(1_200, seed=7)


@pytest.fixture(scope="session")
def trained(market: pd.DataFrame) -> Candidate:
    """A training on the market, made by the first worker that asks for it."""

    def keep(folder: Path) -> None:
        made = train(market, SPECS, until=UNTIL, settings=ModelSettings(folds=3, seed=3), capacity=4)
        (folder / "trained.pickle").write_bytes(pickle.dumps(made))

    found: Candidate = pickle.loads((made_once("trained", keep) / "trained.pickle").read_bytes())  # noqa: S301 -- our own
    return found


@pytest.fixture(scope="session")
def another_trained(market: pd.DataFrame) -> Candidate:
    """A training with another estimator in the place of ours."""

    def keep(folder: Path) -> None:
        settings = ModelSettings(folds=2, seed=3, estimator="tests.models.estimator.factories:trees")
        made = train(market, SPECS, until=UNTIL, settings=settings, capacity=4)
        (folder / "trained.pickle").write_bytes(pickle.dumps(made))

    made = made_once("another_trained", keep) / "trained.pickle"
    found: Candidate = pickle.loads(made.read_bytes())  # noqa: S301 -- our own
    return found
