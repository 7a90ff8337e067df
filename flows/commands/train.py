"""``seenbefore train``: learn from labels."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.options import Json, Moment, moment, settings_of

EXAMPLE = "Example: `seenbefore train --until 2026-06-30 --promote never`"


def train(
    context: typer.Context,
    until: Moment = None,
    promote: Annotated[str, typer.Option(help="`auto` (if better), `never` or `always`.")] = "auto",
    as_json: Json = False,
) -> None:
    """Fit on what was known at a moment, evaluate honestly, keep, and promote if better."""
    import click

    settings = settings_of(context)
    from flows.console import STDERR, show_summary
    from flows.progress import bars
    from flows.retrain import retrain
    from flows.steps.training import Promote

    if promote not in set(Promote):
        raise click.BadParameter(f"expected auto, never or always, found {promote!r}", param_hint="--promote")
    with bars(STDERR):
        summary = retrain(until=moment(until), promote=promote, home=str(settings.home))
    steps = (
        "seenbefore score    scores what is new with the model in use",
        f"seenbefore models show {summary['model_id']}    prints its card",
        "seenbefore evaluate --out report    writes tables, plots and a report",
    )
    show_summary("Trained", summary, next_steps=steps, as_json=as_json)
