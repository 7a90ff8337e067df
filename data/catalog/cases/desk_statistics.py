"""How the work goes: what ran, and what people decided, for those who look after it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from data.catalog.database.frames import read_frame, records, to_instant, whole_table
from data.catalog.database.schema import cases, runs, verdicts

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from sqlalchemy import Connection

RUN = ("run_id", "kind", "status", "summary", "started_at", "finished_at")


def latest_runs(connection: Connection, most: int) -> list[dict[str, Any]]:
    """Return the latest runs, the newest first: columns of ``runs`` with the summary as a dictionary."""
    found = records(read_frame(connection, whole_table(runs, RUN).order_by(runs.c.started_at.desc()).limit(most)))
    return [{**run, "summary": json.loads(run["summary"])} for run in found]


def latest_of(connection: Connection, kind: str) -> dict[str, Any] | None:
    """Return the summary of the latest run of a kind that ended well; ``None`` if there was none."""
    query = select(runs.c.summary).where(runs.c.kind == kind, runs.c.status == "done")
    found = connection.execute(query.order_by(runs.c.started_at.desc()).limit(1)).scalar()
    return None if found is None else json.loads(found)


def decisions_since(connection: Connection, since: datetime) -> pd.DataFrame:
    """Return the verdicts and second readings since a time.

    Returns
    -------
    pandas.DataFrame
        ``kind, said, verdict`` (what holds since), ``actor, decided_at, seconds``, and ``band`` and ``audited`` of the
        case, missing where the listing is none; in the order of time.
    """
    names = ("kind", "said", "verdict", "actor", "decided_at", "seconds")
    query = (
        select(*(verdicts.c[name] for name in names), cases.c.band, cases.c.audited)
        .join_from(verdicts, cases, cases.c.listing_key == verdicts.c.listing_key, isouter=True)
        .where(verdicts.c.decided_at >= to_instant(since), verdicts.c.said.is_not(None))
    )
    return read_frame(connection, query.order_by(verdicts.c.verdict_id))


def undone_since(connection: Connection, since: datetime) -> int:
    """Return how many verdicts were taken back since a time."""
    query = select(func.count()).where(verdicts.c.decided_at >= to_instant(since), verdicts.c.kind == "undo")
    return connection.execute(query).scalar_one()
