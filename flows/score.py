"""The flow ``score``: every listing not yet scored, each as of its own moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from prefect import flow

from data.settings import Settings, load_settings
from flows.run_log import recorded
from flows.runtime.lock import hold
from flows.runtime.task_runner import workers
from flows.tasks import outside_task
from models.serving.context import open_context
from models.serving.scoring import score_listings
from models.serving.scoring.draw_random_sample import draw_random_sample
from models.serving.scoring.open_cases import open_cases

Counts = dict[str, int]


@outside_task("score")
def score_chunk(keys: Sequence[score_listings.Moment], settings: Settings, run_id: str) -> Counts:
    """Describe and score a chunk of moments."""
    return score_listings.score_moments(open_context(settings), keys, run_id)


@flow(name="seenbefore-score", validate_parameters=False)
def score(since: datetime | None = None, until: datetime | None = None, home: str | None = None) -> dict[str, Any]:
    """Score every listing that has something new since it was last scored."""
    settings = load_settings(Path(home) if home else None)
    context = open_context(settings)
    with hold(settings.home, "score"), recorded(settings, "score") as summary:
        keys = score_listings.moments_to_score(context, since, until)
        summary["model_id"] = score_listings.scorer_in_use(context).model_id
        summary["scored"] = 0
        with workers(settings, chunk=settings.batch_rows) as team:
            summary.update(team.spread("scoring", score_chunk, keys, settings=settings, run_id=summary["run_id"]))
        score_listings.end_scoring(context, summary["run_id"])
        summary["drawn_to_check"] = draw_random_sample(context, summary["run_id"])
        summary["cases"] = open_cases(context, summary["run_id"])
    return dict(summary)
