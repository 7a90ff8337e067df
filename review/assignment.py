"""Which case somebody is given next."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from data.catalog.cases.cases import next_open, next_second_reading

if TYPE_CHECKING:
    from data.catalog.cases.cases import Filter
    from review.desk import Desk

SECOND_READING_EVERY = 5
"""While cases wait, one in so many that somebody is given is a second reading, if one is wanted."""


def next_for(desk: Desk, actor: str, wanted: Filter, after: int | None = None) -> int | None:
    """Return a case that nobody else has: now and then one to be read again; ``None`` if none waits.

    Parameters
    ----------
    actor
        Who is given it.
    wanted
        The part of the queue they work on.
    after
        The case they come from, which is left out.
    """
    now = desk.clock()
    with desk.context.catalog.read() as connection:
        waiting = next_open(connection, wanted, actor, now, after)
        if waiting is None or secrets.randbelow(SECOND_READING_EVERY) == 0:
            again = next_second_reading(connection, actor, now)
            return waiting if again is None else again
    return waiting
