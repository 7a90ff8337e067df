"""The flow ``evaluate``: judge a model on listings it has not learned from, and keep a report of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from data.settings import Settings, load_settings
from flows.run_log import recorded
from flows.runtime.lock import hold
from flows.tasks import outside_task
from models.serving.context import open_context
from models.serving.learning.evaluate_model import evaluate_model, figures_markdown


@outside_task("evaluate")
def judge(settings: Settings, **asked: Any) -> dict[str, Any]:
    """Judge in one piece: tables, pictures and the recipe tried again share the described listings."""
    return evaluate_model(open_context(settings), **asked)


@flow(name="seenbefore-evaluate", validate_parameters=False)
def evaluate(
    model_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    out: str | None = None,
    quick: bool = False,
    home: str | None = None,
) -> dict[str, Any]:
    """Evaluate a kept model (default: the one in use) by the decisions known by ``until`` (default: now)."""
    settings = load_settings(Path(home) if home else None)
    with hold(settings.home, "evaluate"), recorded(settings, "evaluate") as summary:
        last, folder = until or datetime.now(UTC), Path(out) if out else None
        summary.update(judge(settings, model_id=model_id, since=since, until=last, out=folder, quick=quick))
    _publish(summary)
    return dict(summary)


def _publish(summary: dict[str, Any]) -> None:
    """Keep the main table and the way to the report beside the run."""
    report = Path(summary["report"])
    create_markdown_artifact(
        markdown=f"# How good is {summary['model_id']}?\n\n{figures_markdown(report.parent)}\n"
        f"[The whole report]({report.resolve().as_uri()})\n",
        key="evaluate-figures",
        description=f"Figures of {summary['model_id']}, and where its report is",
    )
