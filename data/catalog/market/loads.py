"""Loads: one command's worth of reading, which an interrupted run finds again and finishes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import select, update

from data.catalog.database.frames import insert, joined_keys, read_frame, to_instant, to_rows, upsert
from data.catalog.database.schema import listings, loads, rejects, runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Load:
    """One command's worth of reading.

    Parameters
    ----------
    load_id
        Identity of this load; a resumed load keeps it.
    started_at
        The clock of this run, aware UTC: the default for what has no ``observed_at`` of its own.
    first_bulk
        Whether the catalog held no listings when the load began: then ``created_at`` is the default instead.
    """

    load_id: str
    started_at: datetime
    first_bulk: bool


def begin_load(connection: Connection, source: str, now: datetime) -> Load:
    """Start a load of ``source``, or go on with the unfinished one of the same source."""
    unfinished = select(loads).where(loads.c.source == source, loads.c.finished_at.is_(None))
    found = read_frame(connection, unfinished.order_by(loads.c.started_at.desc()).limit(1))
    if len(found):
        return Load(str(found["load_id"][0]), now, bool(found["first_bulk"][0]))
    first_bulk = connection.execute(select(listings.c.listing_key).limit(1)).first() is None
    load = Load(f"{joined_keys([source], [now.isoformat()]).view('uint64')[0]:016x}", now, first_bulk)
    started = pd.DataFrame(
        {"load_id": [load.load_id], "source": [source], "first_bulk": [int(first_bulk)], "started_at": [now]}
    )
    insert(connection, loads, started)
    return load


def finish_load(connection: Connection, load: Load, now: datetime) -> None:
    """Mark a load as complete: the next one of the same source is a new load."""
    finished = to_rows(pd.DataFrame({"finished_at": pd.to_datetime([now], utc=True)}))[0]
    connection.execute(update(loads).where(loads.c.load_id == load.load_id).values(**finished))


def save_rejects(connection: Connection, load: Load, frame: pd.DataFrame) -> int:
    """Keep rows that could not be loaded (``source, table_name, line, column_name, reason, value``); say how many."""
    if frame.empty:
        return 0
    identity = ("source", "table_name", "line", "column_name", "reason", "value")
    texts = [frame[name].astype("str").fillna("") for name in identity]
    return insert(connection, rejects, frame.assign(reject_key=joined_keys(*texts), load_id=load.load_id))


def record_run(
    connection: Connection,
    *,
    run_id: str,
    kind: str,
    status: str,
    summary: Mapping[str, Any],
    started_at: datetime,
    finished_at: datetime | None,
) -> None:
    """Write a run's line into the log, or bring it up to date."""
    frame = pd.DataFrame(
        {
            "run_id": [run_id],
            "kind": [kind],
            "status": [status],
            "summary": [json.dumps(summary, sort_keys=True)],
            "started_at": pd.to_datetime([started_at], utc=True),
            "finished_at": pd.to_datetime(pd.Series([finished_at]), utc=True),
        }
    )
    upsert(connection, runs, frame)


def runs_between(connection: Connection, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Return the summaries of the runs that started in a span of time, both ends included, in their order."""
    span = runs.c.started_at.between(to_instant(since), to_instant(until))
    found = connection.execute(select(runs.c.summary).where(span).order_by(runs.c.started_at))
    return [json.loads(summary) for summary in found.scalars()]
