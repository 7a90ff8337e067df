"""The events about listings and pairs of pictures, append-only: nothing is ever changed or taken away.

Every event holds the verdict on the listing from then on, so what holds now is what the latest one says.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from data.catalog.database.frames import read_by_keys, read_frame, to_instant, whole_table
from data.catalog.database.records import read_records, read_records_by_keys
from data.catalog.database.schema import verdicts
from data.errors import VerdictError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    import pandas as pd
    from sqlalchemy import Connection

UNDECIDED = "undecided"


class Kind(StrEnum):
    """What an event is."""

    VERDICT = "verdict"
    SECOND_READING = "second_reading"
    """The verdict of somebody who was not told the first one. It does not change what holds; a lead may."""
    UNDO = "undo"
    APPEAL = "appeal"
    """Somebody asks for another look; the case is open again."""
    OVERTURN = "overturn"
    SNOOZE = "snooze"
    PAIR = "pair"


RULING = (Kind.VERDICT.value, Kind.OVERTURN.value)
"""Events that say what a listing is."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event that was written, about which listing, and the listing's version since."""

    verdict_id: str
    listing_key: int
    version: int


def version_of(connection: Connection, listing_key: int) -> int:
    """Return how many events there are about a listing: whoever saw fewer decides on an old page."""
    query = select(func.count()).select_from(verdicts).where(verdicts.c.listing_key == listing_key)
    return connection.execute(query).scalar_one()


def history(connection: Connection, listing_key: int) -> list[dict[str, Any]]:
    """Return all events about a listing, all columns of `verdicts`, the first one first."""
    query = whole_table(verdicts, _names()).where(verdicts.c.listing_key == listing_key)
    return read_records(connection, query.order_by(verdicts.c.decided_at, verdicts.c.verdict_id))


def ruling(past: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the event that says what a listing is: the latest verdict that was not taken back.

    Parameters
    ----------
    past
        What `history` gives, or a part of it.

    Returns
    -------
    dict
        Columns of `verdicts`; ``verdict`` is ``UNDECIDED`` and ``verdict_id`` ``None`` if there is none.
    """
    undone = {event["about_id"] for event in past if event["kind"] == Kind.UNDO}
    standing = [event for event in past if event["kind"] in RULING and event["verdict_id"] not in undone]
    return standing[-1] if standing else {"verdict": UNDECIDED, "verdict_id": None}


def verdicts_holding(connection: Connection, listing_keys: pd.Series[int]) -> dict[int, str]:
    """Return what holds for those of some listings that somebody decided on, by key."""
    query = whole_table(verdicts, _names()).where(verdicts.c.image_id.is_(None))
    told = read_by_keys(connection, query, verdicts.c.listing_key, listing_keys).sort_values("verdict_id")
    latest = told.drop_duplicates("listing_key", keep="last")
    return dict(zip(latest["listing_key"].tolist(), latest["verdict"].tolist(), strict=True))


def pair_events(connection: Connection, image_ids: Collection[str]) -> list[dict[str, Any]]:
    """Return the events about pairs that some pictures are in, all columns of `verdicts`, the latest first."""
    query = whole_table(verdicts, _names())
    found = {
        event["verdict_id"]: event
        for column in (verdicts.c.image_id, verdicts.c.other_image_id)
        for event in read_records_by_keys(connection, query, column, image_ids)
    }
    return sorted(found.values(), key=itemgetter("decided_at"), reverse=True)


def audit_page(
    connection: Connection, *, before: str | None = None, size: int, actor: str | None = None
) -> pd.DataFrame:
    """Return events of all listings, all columns of `verdicts`, the latest first.

    Parameters
    ----------
    before
        ``verdict_id`` of the last event of the page before, since ids rise with time; ``None`` begins.
    actor
        Only theirs.
    """
    query = whole_table(verdicts, _names())
    if before is not None:
        query = query.where(verdicts.c.verdict_id < before)
    if actor is not None:
        query = query.where(verdicts.c.actor == actor)
    return read_frame(connection, query.order_by(verdicts.c.verdict_id.desc()).limit(size))


def append_event(connection: Connection, kind: Kind, now: datetime, **values: Any) -> Recorded:
    """Write an event, later than any about the listing whatever the clock says, so that their order is kept."""
    latest = select(func.max(verdicts.c.decided_at)).where(verdicts.c.listing_key == values["listing_key"])
    at = max(to_instant(now), (connection.execute(latest).scalar() or 0) + 1)
    verdict_id = f"{at:016x}-{secrets.token_hex(4)}"
    values["note"] = _storable(values.get("note", ""))
    connection.execute(insert(verdicts).values(verdict_id=verdict_id, kind=str(kind), decided_at=at, **values))
    return Recorded(verdict_id, values["listing_key"], version_of(connection, values["listing_key"]))


def _storable(text: str) -> str:
    """Return a text with what no database keeps replaced: PostgreSQL takes no NUL, and UTF-8 has no lone surrogates."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def event_of(connection: Connection, verdict_id: str) -> dict[str, Any]:
    """Return an event, all columns of `verdicts`.

    Raises
    ------
    VerdictError
        There is none of this number.
    """
    found = read_records(connection, whole_table(verdicts, _names()).where(verdicts.c.verdict_id == verdict_id))
    if not found:
        raise VerdictError("find the verdict", f"none has the number {verdict_id[:40]!r}", "Open the case again.")
    return found[0]


def _names() -> tuple[str, ...]:
    return tuple(column.name for column in verdicts.columns)
