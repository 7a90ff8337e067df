"""When a cron expression fires, as Prefect reads it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tzlocal import get_localzone_name

from data.errors import CallerError

if TYPE_CHECKING:
    from datetime import datetime

FIELDS = 5
ADVICE = (
    "Expected five fields, minute hour day month weekday: `*/15 * * * *` is every quarter of an hour, "
    "`0 6 * * *` every day at six, `30 7 * * 1-5` at half past seven on working days."
)


class CronError(CallerError):
    """A cron expression cannot be read, or never fires."""

    def __init__(self, cron: str, found: str) -> None:
        super().__init__(f"Cannot run on the schedule {cron!r}: {found}. {ADVICE}")


def fire_times(cron: str, *, zone: str, after: datetime, n: int) -> list[datetime]:
    """Return the next ``n`` times at which a cron expression fires, as Prefect's scheduler will work them out.

    Parameters
    ----------
    cron
        Five fields, or a name such as ``@daily``.
    zone
        IANA name of the time zone the expression is meant in; it follows that zone's summer time.
    after
        Aware; fire times are later.

    Raises
    ------
    CronError
        It cannot be read, or there is no such time.
    """
    # Imported here: Prefect must first be told where its home is.
    from prefect.server.schemas.schedules import CronSchedule

    if not cron.startswith("@") and len(cron.split()) != FIELDS:
        raise CronError(cron, f"found {len(cron.split())} fields")
    try:
        schedule = CronSchedule(cron=cron, timezone=zone)
    except ValueError as error:
        raise CronError(cron, "a field is out of its range or no cron field at all") from error
    try:
        found: list[datetime] = [*asyncio.run(schedule.get_dates(n=n, start=after))]
    except ValueError as error:
        raise CronError(cron, "there is no such date") from error
    if len(found) < n:
        raise CronError(cron, "there is no such date")
    return found


def local_zone() -> str:
    """Return the IANA name of this machine's time zone; UTC where it has none."""
    try:
        return get_localzone_name() or "UTC"
    except LookupError:
        return "UTC"
