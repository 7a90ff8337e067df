"""``seenbefore run``: ingest, then score."""

from __future__ import annotations

import typer

from flows.options import Encoding, ImagesRoot, Json, Labels, Listings, Map, Sellers, Timezone, absolute, settings_of

EXAMPLE = "Example: `seenbefore run listings.csv --sellers sellers.csv --labels labels.csv`"


def run(
    context: typer.Context,
    listings: Listings,
    sellers: Sellers = None,
    labels: Labels = None,
    images_root: ImagesRoot = None,
    mapping: Map = None,
    encoding: Encoding = None,
    timezone: Timezone = None,
    as_json: Json = False,
) -> None:
    """Ingest, then score: what the schedule runs."""
    settings = settings_of(context)
    from flows.commands.ingest import after_ingest
    from flows.commands.score import AFTER_SCORE
    from flows.console import STDERR, show_summary
    from flows.progress import bars
    from flows.run import run as flow

    with bars(STDERR):
        summary = flow(
            absolute(listings),
            sellers=absolute(sellers),
            labels=absolute(labels),
            images_root=absolute(str(images_root)) if images_root else None,
            mapping=mapping or [],
            encoding=encoding,
            timezone=timezone,
            home=str(settings.home),
        )
    steps = (*after_ingest(summary)[:-1], *AFTER_SCORE)
    show_summary("Ingested and scored", summary, next_steps=steps, as_json=as_json)
