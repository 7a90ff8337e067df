"""``seenbefore train``: learn from labels."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from flows.cli.options import Json, Moment, in_home, moment

EXAMPLE = "Example: `seenbefore train --until 2026-06-30 --promote never`"


def train(
    context: typer.Context,
    until: Moment = None,
    promote: Annotated[
        Literal["auto", "never", "always"], typer.Option(help="`auto`: promote it if it is better.")
    ] = "auto",
    estimator: Annotated[
        str | None,
        typer.Option(metavar="MODULE:FACTORY", help="Another scikit-learn classifier to train instead."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train on what was known at a moment, evaluate honestly, store the model, and promote it if it is better."""
    last = moment(until)
    from flows.cli.console import show_summary
    from flows.start import started

    with started(context.obj, "train", quiet=as_json) as settings:
        from flows.retrain import retrain

        summary = retrain(until=last, promote=promote, home=str(settings.home), estimator=estimator)
    card = () if summary["model_id"] is None else (f"seenbefore models show {summary['model_id']}    prints its card",)
    steps = (
        "seenbefore score    scores what is new with the model in use",
        *card,
        "seenbefore evaluate --out report    writes tables, plots and a report",
    )
    show_summary("Trained", summary, next_steps=in_home(context, steps), as_json=as_json)
