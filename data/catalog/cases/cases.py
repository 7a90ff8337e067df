"""The cases that wait for analysts: the listings worth a look, by how much is at stake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal_column, select, update

from data.catalog.cases.case_events import verdicts_holding
from data.catalog.cases.queue_order import Filter, State, count_of, in_order, keys_of
from data.catalog.database.frames import read_by_keys, to_instant, upsert, whole_table
from data.catalog.database.records import read_records_by_keys
from data.catalog.database.schema import cases, claims, verdicts

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import pandas as pd
    from sqlalchemy import Connection

__all__ = (
    "Filter", "Page", "State", "case_of", "choices", "counters", "is_case", "next_open", "next_second_reading",
    "page_of", "save_cases", "set_state",
)  # fmt: skip
SCORED = (
    "listing_key", "as_of", "model_id", "score", "band", "value", "priority", "seller_key", "category", "price",
    "currency", "edit", "reason", "copied_images", "posted_at", "audited",
)  # fmt: skip
"""What scoring says of a case; the other columns say what became of it."""
MOST_COUNTED = 10_000
"""Nobody needs to know how many more than this wait, and counting them all would keep everybody waiting."""
OFFERED = 2_000
"""Cases, the most at stake, whose bands, categories, edits and reasons a filter offers."""
MOST_SKIPPED = 1_000
"""Cases at the head of the queue that others may have claimed."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some cases in the order of the queue, all columns of `cases`, and how many there are, at most `MOST_COUNTED`."""

    rows: list[dict[str, Any]]
    total: int


def save_cases(connection: Connection, found: pd.DataFrame) -> None:
    """Keep what scoring says of listings that are worth a look, or were drawn.

    A case that was decided stays decided, unless more of its photos turned out to be copied since, and it was not
    found to be fraud. An older moment than the one a case stands for changes nothing. Once drawn is drawn.

    Parameters
    ----------
    found
        `SCORED`, one row for each listing.
    """
    known = read_by_keys(connection, whole_table(cases, _names()), cases.c.listing_key, found["listing_key"])
    before = found[["listing_key"]].merge(known, on="listing_key", how="left").set_axis(found.index)
    current = before["as_of"].isna() | (found["as_of"] >= before["as_of"])
    more = found["copied_images"] > before["copied_images"].fillna(0)
    reopened = (before["state"] == State.DECIDED) & more & ~_fraud(connection, found["listing_key"])
    rows = found.assign(
        audited=found["audited"].clip(lower=before["audited"].fillna(0)).astype("int64"),
        state=before["state"].fillna(State.OPEN.value).mask(reopened, State.OPEN.value).astype("str"),
        second_wanted=before["second_wanted"].fillna(0).mask(reopened, 0).astype("int64"),
        snoozed_until_at=before["snoozed_until_at"],
    )
    upsert(connection, cases, rows[current])


def page_of(connection: Connection, wanted: Filter, now: datetime, *, number: int, size: int) -> Page:
    """Return a page of the queue, from 1: the most at stake first."""
    found = keys_of(wanted, now, number * size)
    query = select(found.c.listing_key).order_by(*in_order(found)).limit(size).offset((number - 1) * size)
    keys = list(connection.execute(query).scalars())
    by_key = {row["listing_key"]: row for row in _cases(connection, keys)}
    total = connection.execute(select(count_of(wanted, now, MOST_COUNTED))).scalar_one()
    return Page([by_key[key] for key in keys], min(total, MOST_COUNTED))


def case_of(connection: Connection, listing_key: int) -> dict[str, Any] | None:
    """Return what is kept of one case; ``None`` if the listing never became one."""
    return next(iter(_cases(connection, [listing_key])), None)


def is_case(connection: Connection, listing_key: int) -> bool:
    """Tell whether a listing ever became a case."""
    known = select(cases.c.listing_key).where(cases.c.listing_key == listing_key)
    return connection.execute(known).first() is not None


def counters(connection: Connection, now: datetime) -> dict[str, int]:
    """Return how many cases are open in each band, snoozed and decided, each `MOST_COUNTED` at most."""
    wanted = {f"open_{band}": Filter(band=band) for band in ("high", "medium", "low")}
    wanted |= {str(state): Filter(state=state) for state in (State.SNOOZED, State.DECIDED)}
    counts = (count_of(each, now, MOST_COUNTED).label(name) for name, each in wanted.items())
    counted = connection.execute(select(*counts)).one()
    return {name: min(count, MOST_COUNTED) for name, count in counted._mapping.items()}


def next_open(
    connection: Connection, wanted: Filter, actor: str, now: datetime, after: int | None = None
) -> int | None:
    """Return the first case of the queue that nobody else has claimed; ``None`` if there is none.

    Parameters
    ----------
    actor
        Who wants it; their own claims count as free.
    after
        A case that is left out: the one they come from.
    """
    found = keys_of(wanted, now, MOST_SKIPPED)
    taken = select(claims.c.listing_key).where(
        claims.c.listing_key == found.c.listing_key, claims.c.expires_at > to_instant(now), claims.c.actor != actor
    )
    query = select(found.c.listing_key).where(~taken.exists())
    if after is not None:
        query = query.where(found.c.listing_key != after)
    return connection.execute(query.order_by(*in_order(found)).limit(1)).scalar()


def next_second_reading(connection: Connection, actor: str, now: datetime) -> int | None:
    """Return a case that somebody else decided and that this person is to decide again; ``None`` if there is none."""
    own = select(verdicts.c.verdict_id).where(verdicts.c.listing_key == cases.c.listing_key, verdicts.c.actor == actor)
    taken = select(claims.c.listing_key).where(
        claims.c.listing_key == cases.c.listing_key, claims.c.expires_at > to_instant(now), claims.c.actor != actor
    )
    query = select(cases.c.listing_key).where(
        cases.c.state == State.DECIDED, cases.c.second_wanted == literal_column("1"), ~own.exists(), ~taken.exists()
    )
    return connection.execute(query.order_by(cases.c.listing_key).limit(1)).scalar()


def set_state(
    connection: Connection,
    listing_key: int,
    state: State,
    *,
    until: datetime | None = None,
    second_wanted: bool | None = None,
) -> None:
    """Note where a case stands; a listing that is no case stays none."""
    values: dict[str, Any] = {"state": str(state), "snoozed_until_at": None if until is None else to_instant(until)}
    if second_wanted is not None:
        values["second_wanted"] = int(second_wanted)
    connection.execute(update(cases).where(cases.c.listing_key == listing_key).values(**values))


def choices(connection: Connection) -> dict[str, list[str]]:
    """Return the values that a filter may name: bands, categories, edits and reasons of the cases most at stake."""
    names = ("band", "category", "edit", "reason")
    most = whole_table(cases, names).where(cases.c.state == str(State.OPEN)).order_by(*in_order(cases)).limit(OFFERED)
    found = connection.execute(select(most.subquery()).distinct()).all()
    return {name: sorted({value for row in found if (value := row[place])}) for place, name in enumerate(names)}


def _cases(connection: Connection, listing_keys: Collection[int]) -> list[dict[str, Any]]:
    return read_records_by_keys(connection, whole_table(cases, _names()), cases.c.listing_key, listing_keys)


def _fraud(connection: Connection, listing_keys: pd.Series) -> pd.Series[bool]:
    """Tell which listings were found to be fraud."""
    return listing_keys.map(verdicts_holding(connection, listing_keys)) == "fraud"


def _names() -> tuple[str, ...]:
    return tuple(column.name for column in cases.columns)
