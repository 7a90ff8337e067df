"""``seenbefore ingest``: load, download, hash, match."""

from __future__ import annotations

from dataclasses import asdict

import typer

from flows.cli.options import Json, TableOptions, in_home, takes_tables

EXAMPLE = "Example: `seenbefore ingest listings.csv --sellers sellers.csv --images-root photos/`"


@takes_tables
def ingest(
    context: typer.Context,
    given: TableOptions,
    as_json: Json = False,
) -> None:
    """Load tables, download and fingerprint their images, and find where each was seen before."""
    from flows.cli.console import show_summary
    from flows.start import started

    tables = given.tables()
    with started(context.obj, "ingest", tables=tables, quiet=as_json) as settings:
        from flows.ingest import ingest as flow

        summary = flow(**asdict(tables), home=str(settings.home))
    show_summary("Ingested", summary, next_steps=in_home(context, after_ingest(summary)), as_json=as_json)


def after_ingest(summary: dict[str, int]) -> tuple[str, ...]:
    """Say what to do after an ingest that ended like this."""
    steps = ["seenbefore score    scores what is new"]
    if summary.get("rejected"):
        steps.insert(0, "seenbefore export rejects --out rejects.csv    shows the rows that were refused, and why")
    return tuple(steps)
