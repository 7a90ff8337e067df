"""The flow ``run``: ingest, then score; what a schedule fires."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import flow

from data.settings import load_settings
from flows.ingest import ingest
from flows.runtime.lock import hold
from flows.score import score


@flow(name="seenbefore-run", validate_parameters=False)
def run(
    listings: str,
    sellers: str | None = None,
    labels: str | None = None,
    images_root: str | None = None,
    mapping: Sequence[str] = (),
    encoding: str | None = None,
    timezone: str | None = None,
    home: str | None = None,
) -> dict[str, Any]:
    """Load what is new, download and match its photos, and score it."""
    with hold(load_settings(Path(home) if home else None).home, "run"):
        ingested = ingest(
            listings,
            sellers=sellers,
            labels=labels,
            images_root=images_root,
            mapping=mapping,
            encoding=encoding,
            timezone=timezone,
            home=home,
        )
        scored = score(home=home)
    return ingested | scored
