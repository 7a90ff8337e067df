"""``seenbefore score``: score what is new."""

from __future__ import annotations

import typer

from flows.cli.options import Json, Moment, Out, in_home, moment

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
    """Score every listing that is new or has news, each as of its own time."""
    first, last = moment(since), moment(until)
    from data.tables.table_files import check_name
    from flows.cli.console import show_summary
    from flows.start import started
    from models.serving.export_tables import write_scores_of

    if out is not None:
        check_name(out)
    with started(context.obj, "score", quiet=as_json) as settings:
        from flows.score import score as flow

        summary = flow(since=first, until=last, home=str(settings.home))
    if out is not None:
        write_scores_of(settings, summary["run_id"], out)
        summary["written_to"] = str(out)
    show_summary("Scored", summary, next_steps=in_home(context, AFTER_SCORE), as_json=as_json)
