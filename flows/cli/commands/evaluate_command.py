"""``seenbefore evaluate``: how good a model is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json, Moment, moment

EXAMPLE = "Example: `seenbefore evaluate --since 2026-06-01 --out report`"


def evaluate(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="Model to evaluate; default: the one in use.")] = None,
    since: Moment = None,
    until: Moment = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the tables and the report.", file_okay=False)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Skip what needs training again.")] = False,
    as_json: Json = False,
) -> None:
    """Evaluate a model on listings it was not trained on: tables, plots and one self-contained HTML report."""
    first, last = moment(since), moment(until)
    from flows.cli.console import show_summary
    from flows.start import started

    with started(context.obj, "evaluate", quiet=as_json) as settings:
        from flows.evaluate import evaluate as judge

        summary = judge(
            model_id=model,
            since=first,
            until=last,
            out=None if out is None else str(out),
            quick=quick,
            home=str(settings.home),
        )
    show_summary("Evaluated", summary, next_steps=(f"open {summary['report']}",), as_json=as_json)
