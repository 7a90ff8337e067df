"""``seenbefore ingest``: load, download, hash, match."""

from __future__ import annotations

import typer

from flows.options import Encoding, ImagesRoot, Json, Labels, Listings, Map, Sellers, Timezone, absolute, settings_of

EXAMPLE = "Example: `seenbefore ingest listings.csv --sellers sellers.csv --images-root photos/`"


def ingest(
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
    """Load tables, download and fingerprint their pictures, and find where each was seen before."""
    settings = settings_of(context)
    from flows.console import STDERR, show_summary
    from flows.ingest import ingest as flow
    from flows.progress import bars

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
    show_summary("Ingested", summary, next_steps=after_ingest(summary), as_json=as_json)


def after_ingest(summary: dict[str, int]) -> tuple[str, ...]:
    """Say what to do after an ingest that ended like this."""
    steps = ["seenbefore score    scores what is new"]
    if summary.get("rejected"):
        steps.insert(0, "seenbefore export rejects --out rejects.csv    shows the rows that were refused, and why")
    return tuple(steps)
