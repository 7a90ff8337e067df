"""The flow ``ingest``: tables, downloads, fingerprints and match facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from prefect import flow

from data.catalog.market.loads import Load
from data.images.store.image_store import LONGEST_WRITE
from data.settings import Settings, load_settings
from flows.run_log import recorded
from flows.runtime.lock import hold
from flows.runtime.task_runner import workers
from flows.tasks import outside_task
from models.serving.context import open_context
from models.serving.load_tables import Tables, end_load, load_tables
from models.serving.pictures import fetch_pictures, match_pictures

Counts = dict[str, int]


@outside_task("read tables")
def read_tables(settings: Settings, tables: Tables, now: datetime) -> tuple[Load, Counts]:
    """Load the input tables."""
    return load_tables(open_context(settings), tables, now)


@outside_task("download")
def download(keys: Sequence[str], settings: Settings, load: Load, images_root: Path | None) -> Counts:
    """Download a chunk of addresses."""
    return fetch_pictures.fetch(open_context(settings), load, keys, images_root)


@outside_task("fingerprint")
def fingerprint(keys: Sequence[str], settings: Settings) -> Counts:
    """Decode and hash a chunk of pictures."""
    return fetch_pictures.fingerprint_pictures(open_context(settings), keys)


@outside_task("compare")
def compare(settings: Settings, now: datetime) -> Counts:
    """Compare the new pictures with all known ones."""
    context = open_context(settings)
    return match_pictures.compare_new_pictures(context, now) | match_pictures.reopen_listings(context)


@outside_task("match")
def match(keys: Sequence[int], settings: Settings) -> Counts:
    """Match the pictures of a chunk of listings with earlier sightings."""
    return match_pictures.match(open_context(settings), keys)


@flow(name="seenbefore-ingest", validate_parameters=False)
def ingest(
    listings: str,
    sellers: str | None = None,
    labels: str | None = None,
    images_root: str | None = None,
    mapping: Sequence[str] = (),
    encoding: str | None = None,
    timezone: str | None = None,
    home: str | None = None,
) -> Counts:
    """Load tables, download and fingerprint their pictures, and find where each was seen before."""
    settings = load_settings(Path(home) if home else None)
    tables = Tables(
        listings=listings,
        sellers=sellers,
        labels=labels,
        images_root=images_root,
        mapping=tuple(mapping),
        encoding=encoding,
        timezone=timezone,
    )
    with hold(settings.home, "ingest"), recorded(settings, "ingest") as summary:
        summary.update(_stages(settings, tables))
    return dict(summary)


def _stages(settings: Settings, tables: Tables) -> Counts:
    load, read = read_tables(settings, tables, datetime.now(UTC))
    counts = Counter(read)
    context = open_context(settings)
    context.store.sweep(datetime.now(UTC) - LONGEST_WRITE)
    root = Path(tables.images_root) if tables.images_root else None
    due = fetch_pictures.due_downloads(context, load)
    with workers(settings, chunk=settings.chunk_images) as team:
        fetched = team.spread("downloading", download, due, settings=settings, load=load, images_root=root)
        counts.update({"pictures_ok": 0} | {f"pictures_{status}": n for status, n in fetched.items()})
        pending = fetch_pictures.pictures_to_fingerprint(context)
        counts.update({"hashed": 0} | team.spread("fingerprinting", fingerprint, pending, settings=settings))
        counts.update(compare(settings, datetime.now(UTC)))
        unmatched = match_pictures.listings_to_match(context)
        counts.update({"matches": 0} | team.spread("matching", match, unmatched, settings=settings))
    end_load(context, load, datetime.now(UTC))
    return dict(counts)
