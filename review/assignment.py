"""Which case somebody is given next."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from data.catalog.cases.cases import next_open, next_second_reading

if TYPE_CHECKING:
    from data.catalog.cases.cases import Filter
    from review.desk import Desk

SECOND_REVIEW_EVERY = 5
"""While cases wait, one in so many that somebody is given is a second review, if one is wanted."""


def next_case(desk: Desk, actor: str, criteria: Filter, after: int | None = None) -> int | None:
    """Return a case that nobody else has: now and then one for a second review; ``None`` if none waits.

    Parameters
    ----------
    actor
        Who is given it.
    criteria
        The part of the queue they work on.
    after
        The case they come from, which is left out.
    """
    now = desk.clock()
    with desk.context.catalog.read() as connection:
        waiting = next_open(connection, criteria, actor, now, after)
        if waiting is None or secrets.randbelow(SECOND_REVIEW_EVERY) == 0:
            second = next_second_reading(connection, actor, now)
            return waiting if second is None else second
    return waiting
