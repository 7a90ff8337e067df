"""The flow ``retrain``: fit on what is known, evaluate honestly, keep, and promote if better."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow

from data.settings import Settings, load_settings
from flows.run_log import recorded
from flows.runtime.lock import hold
from flows.tasks import outside_task
from models.serving.context import open_context
from models.serving.learning.train_model import Promote, train_candidate


@outside_task("train")
def fit(settings: Settings, until: datetime, promote: str) -> dict[str, Any]:
    """Train a candidate in one piece: folds and fit share the described listings."""
    return train_candidate(open_context(settings), until=until, promote=Promote(promote), now=datetime.now(UTC))


@flow(name="seenbefore-retrain", validate_parameters=False)
def retrain(
    until: datetime | None = None, promote: str = Promote.AUTO, home: str | None = None, estimator: str | None = None
) -> dict[str, Any]:
    """Learn from the labels known by ``until`` (default: now), with the factory ``estimator`` if it is given."""
    settings = load_settings(Path(home) if home else None)
    if estimator is not None:
        model = settings.model.model_copy(update={"estimator": estimator})
        settings = settings.model_copy(update={"model": model})
    with hold(settings.home, "train"), recorded(settings, "retrain") as summary:
        summary.update(fit(settings, until or datetime.now(UTC), str(promote)))
    return dict(summary)
