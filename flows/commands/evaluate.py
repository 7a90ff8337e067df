"""``seenbefore evaluate``: how good a model is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.options import Json, Moment, moment, settings_of

EXAMPLE = "Example: `seenbefore evaluate --since 2026-06-01 --out report`"


def evaluate(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="Id of a kept model; default: the one in use.")] = None,
    since: Moment = None,
    until: Moment = None,
    out: Annotated[Path | None, typer.Option(help="Folder for tables and report.", file_okay=False)] = None,
    as_json: Json = False,
) -> None:
    """Judge a model on listings it has not learned from: tables, plots and one self-contained HTML report."""
    settings = settings_of(context)
    from flows.console import STDERR, show_summary
    from flows.progress import bars
    from flows.steps.evaluating import evaluate_model
    from models.serving.context import open_context

    with bars(STDERR, quiet=as_json):
        summary = evaluate_model(
            open_context(settings),
            model_id=model,
            since=moment(since),
            until=moment(until) or datetime.now(UTC),
            out=out,
        )
    show_summary("Evaluated", summary, next_steps=(f"open {summary['report']}",), as_json=as_json)
