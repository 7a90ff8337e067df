"""``seenbefore run``: ingest, then score."""

from __future__ import annotations

from dataclasses import asdict

import typer

from flows.cli.options import Json, TableOptions, in_home, takes_tables

EXAMPLE = "Example: `seenbefore run listings.csv --sellers sellers.csv --labels labels.csv`"


@takes_tables
def run(
    context: typer.Context,
    given: TableOptions,
    as_json: Json = False,
) -> None:
    """Ingest, then score; this is what the schedule runs."""
    from flows.cli.commands.ingest_command import after_ingest
    from flows.cli.commands.score_command import AFTER_SCORE
    from flows.cli.console import show_summary
    from flows.start import started

    tables = given.tables()
    with started(context.obj, "run", tables=tables, quiet=as_json) as settings:
        from flows.run import run as flow

        summary = flow(**asdict(tables), home=str(settings.home))
    steps = (*after_ingest(summary)[:-1], *AFTER_SCORE)
    show_summary("Ingested and scored", summary, next_steps=in_home(context, steps), as_json=as_json)
