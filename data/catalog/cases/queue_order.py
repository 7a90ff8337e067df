"""The order of the queue, and the part of it that somebody works on, as queries that an index alone answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, union_all

from data.catalog.database.frames import to_instant, whole_table
from data.catalog.database.schema import cases

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Subquery

LOOKED_THROUGH = 20_000
"""Cases, the most at stake, among which is looked for what their index is not ordered by."""
ORDERED_BY = ("seller_key", "category", "reason", "edit", "band")
"""Columns with an index of their own in the order of the queue, those that fewer cases share first."""


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


def keys_of(wanted: Filter, now: datetime, most: int) -> Subquery:
    """Return ``listing_key`` and ``priority`` of the cases that somebody wants, the ``most`` most at stake."""
    parts = [_part(wanted, in_state, most) for in_state in _states(wanted, now)]
    return parts[0] if len(parts) == 1 else union_all(*(select(part) for part in parts)).subquery()


def count_of(wanted: Filter, now: datetime, most: int) -> ColumnElement[int]:
    """Return how many cases somebody wants, counted in an index and no further than ``most`` in each state."""
    counts = [_counted(_part(wanted, in_state, most)) for in_state in _states(wanted, now)]
    return counts[0] if len(counts) == 1 else counts[0] + counts[1]


def in_order(of: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Return the order of the queue: the most at stake first."""
    return of.c.priority.desc(), of.c.listing_key.desc()


def _states(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    is_so = cases.c.state == str(wanted.state)
    if wanted.state is not State.OPEN:
        return [is_so]
    return [is_so, (cases.c.state == str(State.SNOOZED)) & (cases.c.snoozed_until_at <= to_instant(now))]


def _part(wanted: Filter, in_state: ColumnElement[bool], most: int) -> Subquery:
    """Read one index in its order, and no further than it must.

    The first of `ORDERED_BY` that is asked for says which one; what else is asked for is looked for among the
    `LOOKED_THROUGH` most at stake of it, in the columns that the same index ends with.
    """
    equal = {name: value for name in ORDERED_BY if (value := getattr(wanted, name)) is not None}
    leading = dict(list(equal.items())[:1])
    others = {name: value for name, value in equal.items() if name not in leading}
    conditions = [in_state, *(cases.c[name] == value for name, value in leading.items())]
    looked_at = [*others, *_ranged(wanted)]
    ordered = whole_table(cases, ("listing_key", "priority", *looked_at)).where(*conditions).order_by(*in_order(cases))
    if not looked_at:
        return ordered.limit(most).subquery()
    looked = ordered.limit(LOOKED_THROUGH).subquery()
    asked = [looked.c[name] == value for name, value in others.items()] + _ranges(looked, wanted)
    found = select(looked.c.listing_key, looked.c.priority).where(*asked)
    return found.order_by(*in_order(looked)).limit(most).subquery()


def _ranged(wanted: Filter) -> list[str]:
    asked = {
        "posted_at": wanted.posted_since_at is not None,
        "price": wanted.least_price is not None or wanted.most_price is not None,
    }
    return [name for name, is_asked in asked.items() if is_asked]


def _ranges(of: FromClause, wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.posted_since_at is not None:
        found.append(of.c.posted_at >= to_instant(wanted.posted_since_at))
    if wanted.least_price is not None:
        found.append(of.c.price >= wanted.least_price)
    if wanted.most_price is not None:
        found.append(of.c.price <= wanted.most_price)
    return found


def _counted(part: Subquery) -> ScalarSelect[int]:
    return select(func.count()).select_from(part).scalar_subquery()
