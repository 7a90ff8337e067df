"""Cases for the analysts' desk, made of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.catalog.cases.case_selection import cases_of_all, cases_of_run, has_cases
from data.catalog.cases.cases import save_cases

if TYPE_CHECKING:
    from models.serving.context import Context


def open_cases(context: Context, run_id: str) -> int:
    """Put what a run scored high, or what was drawn from it, into the queue; return how many listings that are.

    Doing it twice is doing it once.
    """
    with context.catalog.write() as connection:
        found = cases_of_run(connection, run_id)
        save_cases(connection, found)
    return len(found)


def open_missing_cases(context: Context) -> int:
    """Put what was scored before there was a queue into it; nothing is done where there is any case."""
    with context.catalog.write() as connection:
        if has_cases(connection):
            return 0
        found = cases_of_all(connection)
        save_cases(connection, found)
    return len(found)
