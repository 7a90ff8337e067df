"""The flow ``backfill``: score past times again, each moment from what is known now and could be seen then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow

from data.catalog.scores.rescoring import Revision
from data.settings import Settings, load_settings
from flows.cli.options import instant
from flows.run_log import recorded
from flows.runtime.events import announce
from flows.runtime.lock import hold
from flows.runtime.task_runner import workers
from flows.tasks import outside_task
from models.serving.context import open_context
from models.serving.load_tables import read_listing_texts
from models.serving.scoring import backfill_scores, score_listings
from models.serving.scoring.open_cases import open_cases

Counts = dict[str, int]


@outside_task("backfill")
def backfill_chunk(
    keys: Sequence[score_listings.Moment], settings: Settings, model_id: str, group: str, revision: Revision
) -> Counts:
    """Score a chunk of moments again."""
    return backfill_scores.rescore(open_context(settings), keys, model_id=model_id, group=group, revision=revision)


@flow(name="seenbefore-backfill", validate_parameters=False)
def backfill(
    since: datetime | str, until: datetime | str, model: str | None = None, home: str | None = None
) -> dict[str, Any]:
    """Score every moment of a span, both ends included, by a kept model (default: the one in use)."""
    since, until = instant(since), instant(until)
    settings = load_settings(Path(home) if home else None)
    context = open_context(settings)
    with hold(settings.home, "backfill"), recorded(settings, "backfill") as summary:
        read_listing_texts(context)
        scorer = score_listings.scorer_named(context, model) if model else score_listings.scorer_in_use(context)
        keys = backfill_scores.moments_between(context, since, until)
        group = backfill_scores.group_of(since, until, scorer.model_id)
        summary |= {
            "model_id": scorer.model_id,
            "since": since.isoformat(),
            "until": until.isoformat(),
            "moments": len(keys),
            "scored_first": 0,
            "scored_otherwise": 0,
            "as_before": 0,
        }
        revision = Revision(run_id=summary["run_id"], now=datetime.now(UTC))
        asked = {"settings": settings, "model_id": scorer.model_id, "group": group, "revision": revision}
        with workers(settings, chunk=settings.batch_rows) as team:
            summary.update(team.spread("scoring again", backfill_chunk, keys, **asked))
        score_listings.rank(context, group)
        if scorer.model_id == score_listings.scorer_in_use(context).model_id:
            summary["cases"] = open_cases(context, group)
        announce("seenbefore.backfill.done", settings.home, summary)
    return dict(summary)
