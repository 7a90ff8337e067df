"""``seenbefore score``: score what is new."""

from __future__ import annotations

import typer

from flows.options import Json, Moment, Out, moment, settings_of

EXAMPLE = "Example: `seenbefore score --since 2026-03-01 --out scores.parquet`"
AFTER_SCORE = (
    "seenbefore export scores --out scores.csv    writes all scores with their reasons",
    "seenbefore train    learns from the labels known by now",
)


def score(
    context: typer.Context,
    since: Moment = None,
    until: Moment = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Score every listing not yet scored, each as of its own `observed_at`."""
    settings = settings_of(context)
    from flows.console import STDERR, show_summary
    from flows.progress import bars
    from flows.score import score as flow
    from flows.steps.exporting import write_scores_of

    with bars(STDERR):
        summary = flow(since=moment(since), until=moment(until), home=str(settings.home))
    if out is not None:
        write_scores_of(settings, summary["run_id"], out)
        summary["written_to"] = str(out)
    show_summary("Scored", summary, next_steps=AFTER_SCORE, as_json=as_json)
