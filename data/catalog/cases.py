"""The cases that wait for analysts: the listings worth a look, by how much is at stake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, union_all, update

from data.catalog.frames import read_by_keys, read_frame, records, to_instant, upsert, whole_table
from data.catalog.tables import cases, claims, verdicts

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import ColumnElement, Connection, FromClause, Subquery

SCORED = (
    "listing_key", "as_of", "model_id", "score", "band", "value", "priority", "seller_key", "category", "price",
    "currency", "edit", "reason", "copied_images", "posted_at", "audited",
)  # fmt: skip
"""What scoring says of a case; the other columns say what became of it."""
MOST_COUNTED = 10_000
"""Nobody needs to know how many more than this wait, and counting them all would keep everybody waiting."""
LOOKED_THROUGH = 20_000
"""Cases, the most at stake, among which is looked for what no index knows: a reason, an edit, a price, a date."""
OFFERED = 2_000
"""Cases, the most at stake, whose bands, categories, edits and reasons a filter offers."""
MOST_SKIPPED = 1_000
"""Cases at the head of the queue that others may have claimed."""
INDEXED = ("band", "category", "seller_key")
NEVER_SNOOZED = datetime(1970, 1, 1, tzinfo=UTC)


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
    found = _queue(wanted, now, number * size)
    query = select(found).order_by(*_order(found)).limit(size).offset((number - 1) * size)
    return Page(read_frame(connection, query), _count(connection, wanted, now))


def case_of(connection: Connection, listing_key: int) -> dict[str, Any] | None:
    """Return what is kept of one case; ``None`` if the listing never became one."""
    found = read_frame(connection, whole_table(cases, _names()).where(cases.c.listing_key == listing_key))
    return None if found.empty else records(found)[0]


def counters(connection: Connection, now: datetime) -> dict[str, int]:
    """Return how many cases are open in each band, snoozed and decided, each `MOST_COUNTED` at most."""
    wanted = {f"open_{band}": Filter(band=band) for band in ("high", "medium", "low")}
    wanted |= {str(state): Filter(state=state) for state in (State.SNOOZED, State.DECIDED)}
    return {name: _count(connection, each, now) for name, each in wanted.items()}


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
    found = _queue(wanted, now, MOST_SKIPPED)
    taken = select(claims.c.listing_key).where(
        claims.c.listing_key == found.c.listing_key, claims.c.expires_at > to_instant(now), claims.c.actor != actor
    )
    query = select(found.c.listing_key).where(~taken.exists())
    if after is not None:
        query = query.where(found.c.listing_key != after)
    return connection.execute(query.order_by(*_order(found)).limit(1)).scalar()


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
    """Return the values that a filter may name: bands, categories, edits and reasons of the cases most at stake."""
    names = ["band", "category", "edit", "reason"]
    found = read_frame(connection, select(_queue(Filter(), NEVER_SNOOZED, OFFERED)))[names]
    return {name: sorted(set(found[name].dropna()) - {""}) for name in names}


def _queue(wanted: Filter, now: datetime, most: int) -> Subquery:
    """Return the cases that somebody wants, the ``most`` most at stake.

    Each part is read in the order of an index and no further than it must: what no index knows is looked for among
    the `LOOKED_THROUGH` most at stake only.
    """
    open_ = _part(wanted, cases.c.state == str(wanted.state), most)
    if wanted.state is not State.OPEN:
        return open_
    back = (cases.c.state == str(State.SNOOZED)) & (cases.c.snoozed_until_at <= to_instant(now))
    return union_all(select(open_), select(_part(wanted, back, most))).subquery()


def _part(wanted: Filter, in_state: ColumnElement[bool], most: int) -> Subquery:
    indexed = [cases.c[name] == value for name in INDEXED if (value := getattr(wanted, name)) is not None]
    ordered = whole_table(cases, _names()).where(in_state, *indexed).order_by(*_order(cases))
    looked = cases if not _others(cases, wanted) else ordered.limit(LOOKED_THROUGH).subquery()
    others = _others(looked, wanted)
    if not others:
        return ordered.limit(most).subquery()
    return select(looked).where(*others).order_by(*_order(looked)).limit(most).subquery()


def _others(of: FromClause, wanted: Filter) -> list[ColumnElement[bool]]:
    found = [of.c[name] == value for name in ("reason", "edit") if (value := getattr(wanted, name)) is not None]
    if wanted.posted_since_at is not None:
        found.append(of.c.posted_at >= to_instant(wanted.posted_since_at))
    if wanted.least_price is not None:
        found.append(of.c.price >= wanted.least_price)
    if wanted.most_price is not None:
        found.append(of.c.price <= wanted.most_price)
    return found


def _order(of: FromClause) -> tuple[ColumnElement[Any], ...]:
    return of.c.priority.desc(), of.c.listing_key.desc()


def _count(connection: Connection, wanted: Filter, now: datetime) -> int:
    found = _queue(wanted, now, MOST_COUNTED)
    counted = connection.execute(select(func.count()).select_from(found)).scalar_one()
    return min(counted, MOST_COUNTED)


def _fraud(connection: Connection, listing_keys: pd.Series) -> pd.Series[bool]:
    """Tell which listings were found to be fraud."""
    names = ("listing_key", "verdict", "decided_at", "verdict_id")
    query = whole_table(verdicts, names).where(verdicts.c.image_id.is_(None))
    told = read_by_keys(connection, query, verdicts.c.listing_key, listing_keys)
    latest = told.sort_values(["decided_at", "verdict_id"]).drop_duplicates("listing_key", keep="last")
    return listing_keys.isin(latest.loc[latest["verdict"] == "fraud", "listing_key"])


def _names() -> tuple[str, ...]:
    return tuple(column.name for column in cases.columns)
