"""A digest of what the catalog knows, equal for two catalogs that came to know the same in different ways."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, select

from data.catalog.database.frames import to_instant
from data.catalog.database.schema import (
    alike,
    audits,
    cases,
    different_photos,
    features,
    fetches,
    image_links,
    images,
    labels,
    listings,
    matches,
    model_events,
    past_features,
    past_scores,
    rejects,
    scores,
    sellers,
    sightings,
    sketches,
    texts,
    verdicts,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Column, ColumnElement, Connection, Table

KNOWLEDGE = (
    listings, texts, sellers, labels, image_links, fetches, images, sketches, sightings, alike, different_photos,
    matches, features, scores, past_features, past_scores, audits, cases, verdicts, rejects, model_events,
)  # fmt: skip
# How it came about, not what is known: two runs to the same end differ in these.
OPERATIONAL = frozenset(
    {
        "load_id", "run_id", "event", "attempts", "fetched_at", "next_attempt_at", "detail", "etag", "last_modified",
        "happened_at", "replaced_at", "replaced_by",
    }
)  # fmt: skip
# Times that are, or follow from, the clock of a run where a table states none.
OBSERVED = frozenset({"observed_at", "other_observed_at", "known_at", "as_of"})
ROWS_AT_ONCE = 1_000  # sketches are large


def catalog_digest(connection: Connection, *, clock_since: datetime | None = None) -> dict[str, str]:
    """Return 64 hex digits for each table: SHA-256 over its rows, whatever their order and the database.

    Parameters
    ----------
    clock_since
        Times of observation from here on count as one and the same: they were read off the clock of the runs that are
        compared. Features are numbers of days up to such a time, so they and the scores made of them still differ.
    """
    since = None if clock_since is None else to_instant(clock_since)
    return {table.name: _digest(connection, table, since) for table in KNOWLEDGE}


def _digest(connection: Connection, table: Table, since: int | None) -> str:
    columns = [_comparable(column, since) for column in table.columns if column.name not in OPERATIONAL]
    found = connection.execute(select(*columns).execution_options(yield_per=ROWS_AT_ONCE))
    rows = sorted(hashlib.sha256(repr(tuple(row)).encode()).digest() for row in found)
    return hashlib.sha256(b"".join(rows)).hexdigest()


def _comparable(column: Column[Any], since: int | None) -> ColumnElement[Any]:
    if since is None or column.name not in OBSERVED:
        return column
    return case((column >= since, since), else_=column)
