"""The cases that wait for analysts: the listings worth a look, by how much is at stake."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, update

from data.catalog.frames import read_by_keys, read_frame, records, to_instant, upsert, whole_table
from data.catalog.tables import cases, claims, verdicts

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from sqlalchemy import ColumnElement, Connection

SCORED = (
    "listing_key", "as_of", "model_id", "score", "band", "value", "priority", "seller_key", "category", "price",
    "currency", "edit", "reason", "copied_images", "posted_at", "audited",
)  # fmt: skip
"""What scoring says of a case; the other columns say what became of it."""
MOST_COUNTED = 10_000
"""Nobody needs to know how many more than this wait, and counting them all would keep everybody waiting."""


class State(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    DECIDED = "decided"
    SNOOZED = "snoozed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which cases somebody wants to see; ``None`` is any.

    Parameters
    ----------
    band, reason, category, seller_key, edit
        Equal to the column of `cases`.
    posted_since_at
        Posted at this time, aware UTC, or later.
    least_price, most_price
        In the listing's own currency, both included.
    state
        Snoozed cases whose time has come count as open.
    """

    band: str | None = None
    reason: str | None = None
    category: str | None = None
    seller_key: int | None = None
    edit: str | None = None
    posted_since_at: datetime | None = None
    least_price: float | None = None
    most_price: float | None = None
    state: State = State.OPEN


@dataclass(frozen=True, slots=True)
class Page:
    """Some cases in the order of the queue, all columns of `cases`, and how many there are, at most `MOST_COUNTED`."""

    rows: pd.DataFrame
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
    matching = _matching(wanted, now)
    query = whole_table(cases, _names()).where(*matching).order_by(*_order()).limit(size).offset((number - 1) * size)
    return Page(read_frame(connection, query), _count(connection, matching))


def case_of(connection: Connection, listing_key: int) -> dict[str, Any] | None:
    """Return what is kept of one case; ``None`` if the listing never became one."""
    found = read_frame(connection, whole_table(cases, _names()).where(cases.c.listing_key == listing_key))
    return None if found.empty else records(found)[0]


def counters(connection: Connection, now: datetime) -> dict[str, int]:
    """Return how many cases are open in each band, snoozed and decided, each `MOST_COUNTED` at most."""
    counted = {
        f"open_{band}": _count(connection, _matching(Filter(band=band), now)) for band in ("high", "medium", "low")
    }
    for state in (State.SNOOZED, State.DECIDED):
        counted[str(state)] = _count(connection, [cases.c.state == state])
    return counted


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
    taken = select(claims.c.listing_key).where(
        claims.c.listing_key == cases.c.listing_key, claims.c.expires_at > to_instant(now), claims.c.actor != actor
    )
    query = select(cases.c.listing_key).where(*_matching(wanted, now), ~taken.exists())
    if after is not None:
        query = query.where(cases.c.listing_key != after)
    return connection.execute(query.order_by(*_order()).limit(1)).scalar()


def next_second_reading(connection: Connection, actor: str, now: datetime) -> int | None:
    """Return a case that somebody else decided and that this person is to decide again; ``None`` if there is none."""
    own = select(verdicts.c.verdict_id).where(verdicts.c.listing_key == cases.c.listing_key, verdicts.c.actor == actor)
    taken = select(claims.c.listing_key).where(
        claims.c.listing_key == cases.c.listing_key, claims.c.expires_at > to_instant(now), claims.c.actor != actor
    )
    query = select(cases.c.listing_key).where(
        cases.c.state == State.DECIDED, cases.c.second_wanted == 1, ~own.exists(), ~taken.exists()
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
    """Return the values that a filter may name, as they occur among all cases: bands, categories, edits, reasons."""
    names = ("band", "category", "edit", "reason")
    return {
        name: sorted(
            str(value) for (value,) in connection.execute(select(cases.c[name]).distinct()) if value not in (None, "")
        )
        for name in names
    }


def _matching(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    equal = ("band", "reason", "category", "seller_key", "edit")
    found = [cases.c[name] == value for name in equal if (value := getattr(wanted, name)) is not None]
    if wanted.posted_since_at is not None:
        found.append(cases.c.posted_at >= to_instant(wanted.posted_since_at))
    if wanted.least_price is not None:
        found.append(cases.c.price >= wanted.least_price)
    if wanted.most_price is not None:
        found.append(cases.c.price <= wanted.most_price)
    return [*found, _in_state(wanted.state, now)]


def _in_state(state: State, now: datetime) -> ColumnElement[bool]:
    if state is not State.OPEN:
        return cases.c.state == str(state)
    back = and_(cases.c.state == str(State.SNOOZED), cases.c.snoozed_until_at <= to_instant(now))
    return or_(cases.c.state == str(State.OPEN), back)


def _order() -> tuple[ColumnElement[Any], ...]:
    return cases.c.priority.desc(), cases.c.listing_key.desc()


def _count(connection: Connection, matching: list[ColumnElement[bool]]) -> int:
    some = select(cases.c.listing_key).where(*matching).limit(MOST_COUNTED).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def _fraud(connection: Connection, listing_keys: pd.Series) -> pd.Series[bool]:
    """Tell which listings were found to be fraud."""
    names = ("listing_key", "verdict", "decided_at", "verdict_id")
    query = whole_table(verdicts, names).where(verdicts.c.image_id.is_(None))
    told = read_by_keys(connection, query, verdicts.c.listing_key, listing_keys)
    latest = told.sort_values(["decided_at", "verdict_id"]).drop_duplicates("listing_key", keep="last")
    return listing_keys.isin(latest.loc[latest["verdict"] == "fraud", "listing_key"])


def _names() -> tuple[str, ...]:
    return tuple(column.name for column in cases.columns)
