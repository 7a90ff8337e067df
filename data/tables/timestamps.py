"""Times as tables write them (ISO 8601), brought to UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data.errors import TableError

if TYPE_CHECKING:
    from datetime import tzinfo

FIRST_YEAR, LAST_YEAR = 1990, 2100
NO_ZONE = "names no time zone: write it with one (…Z, …+02:00), or say which one is meant with --timezone"
IN_A_GAP = "never was: clocks were put forward over it in the time zone given with --timezone"
NOT_A_TIME = f"not an ISO 8601 time between {FIRST_YEAR} and {LAST_YEAR}, such as 2026-03-01T12:30:00Z"

_DATE = r"[0-9]{4}(?:-[0-9]{2}-[0-9]{2}|[0-9]{4})"
_CLOCK = r"[0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2}(?:[.,][0-9]{1,6})?[0-9]*)?)?"
_ZONE = r"[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?"
_MOMENT = rf"^(?P<date>{_DATE})(?:[Tt ]+(?P<clock>{_CLOCK}) ?(?P<zone>{_ZONE})?)?$"


def parse_timezone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name such as ``Europe/Berlin`` or ``UTC``.

    Raises
    ------
    TableError
        If there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        advice = "Give an IANA name such as Europe/Berlin, America/New_York or UTC."
        raise TableError("A table with --timezone", [f"{name!r} is no time zone"], advice) from error


def parse_moments(texts: pd.Series, timezone: tzinfo | None) -> tuple[pd.Series, pd.Series]:
    """Read ISO 8601 dates and times.

    A date alone is its first moment. A time that clocks showed twice (autumn) is the later of the two, so that nothing
    is taken as known before it was; one they never showed (spring) is a problem, but for a date alone.

    Parameters
    ----------
    texts
        ``str`` dtype, NA for unknown.
    timezone
        Of times that name none; ``None`` makes these a problem.

    Returns
    -------
    values : Series of ``datetime64[us, UTC]``
        NaT where unknown or not understood.
    problems : Series of ``str``
        NA where all is well.
    """
    codes, distinct = pd.factorize(texts)
    values, problems = _distinct_moments(pd.Series(distinct, dtype="str"), timezone)
    return _spread(values, codes, texts.index), _spread(problems, codes, texts.index)


def _spread(distinct: pd.Series, codes: np.ndarray, index: pd.Index) -> pd.Series:
    return pd.Series(distinct.array.take(codes, allow_fill=True), index=index)


def _distinct_moments(texts: pd.Series, timezone: tzinfo | None) -> tuple[pd.Series, pd.Series]:
    parts = texts.str.strip().str.extract(_MOMENT)
    zoned = parts["zone"].notna()
    wall = _wall_clock(parts)
    values = _utc(wall, parts["zone"].where(zoned, "Z"))
    problems = pd.Series(None, index=texts.index, dtype="str")
    if timezone is None:
        problems = problems.mask(wall.notna() & ~zoned, NO_ZONE)
    else:
        local = _localized(wall, timezone, parts["clock"].isna())
        values = values.where(zoned, local)
        problems = problems.mask(wall.notna() & ~zoned & local.isna(), IN_A_GAP)
    outside = ~values.dt.year.between(FIRST_YEAR, LAST_YEAR)
    problems = problems.mask(outside & problems.isna(), NOT_A_TIME)
    return values.mask(problems.notna()), problems


def _wall_clock(parts: pd.DataFrame) -> pd.Series:
    """Return what calendar and clock showed, without any zone."""
    date = parts["date"].str.replace("-", "")
    clock = parts["clock"].fillna("00").str.replace(":", "").str.replace(",", ".").str.slice(0, 13)
    padded = clock.where(clock.str.contains(".", regex=False), clock.str.pad(6, "right", "0") + ".0")
    return pd.to_datetime(date + padded, format="%Y%m%d%H%M%S.%f", errors="coerce").astype("datetime64[us]")


def _utc(wall: pd.Series, zone: pd.Series) -> pd.Series:
    digits = zone.str.replace(":", "").str.upper().str.replace("Z", "+0000").str.pad(5, "right", "0")
    minutes = digits.str.slice(1, 3).astype("float64") * 60 + digits.str.slice(3, 5).astype("float64")
    offset = pd.to_timedelta(minutes.where(digits.str.startswith("+"), -minutes), unit="min")
    return (wall - offset).dt.tz_localize("UTC").astype("datetime64[us, UTC]")


def _localized(wall: pd.Series, timezone: tzinfo, dates_alone: pd.Series) -> pd.Series:
    later = np.zeros(len(wall), dtype=bool)  # not daylight saving time: the second of the two
    strict = wall.dt.tz_localize(timezone, ambiguous=later, nonexistent="NaT")
    shifted = wall.dt.tz_localize(timezone, ambiguous=later, nonexistent="shift_forward")
    moments = strict.where(~dates_alone, shifted).dt.tz_convert("UTC")
    return pd.Series(moments, dtype="datetime64[us, UTC]")
