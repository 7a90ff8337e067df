"""The page of a monitor: what to act on first, then every check with its figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from models.monitoring.checks import State
from models.reports.charts import Sparkline, sparkline
from models.reports.html_page import Table, Tile, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.catalog.monitoring_counts import Periods
    from models.monitoring.checks import Check

SHARES = frozenset({"share", "undecided", "precision", "low", "high", "promised", "missing_before", "missing_now"})
HIDDEN = frozenset({"period"})
ROWS = 12
"""Of each table; the others are folded away."""
MARKS = {State.OK: "", State.ALARM: ": alarm, see above", State.UNKNOWN: ": too little to tell"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A check as the page shows it; ``more`` are the rows that are folded away."""

    code: str
    name: str
    heading: str
    found: str
    drawn: Sparkline | None
    figures: Table | None
    more: Table | None


def monitor_page(checks: Sequence[Check], periods: Periods, *, model_id: str) -> str:
    """Write the page.

    Parameters
    ----------
    checks
        In the order in which they are shown.
    periods
        What was looked at.
    model_id
        The model in use.
    """
    alarms = [alarm for check in checks for alarm in check.alarms]
    states = Counter(check.state for check in checks)
    span = f"{periods.since(1):%Y-%m-%d} to {periods.until:%Y-%m-%d %H:%M} UTC"
    headline = [
        Tile("alarms", str(len(alarms)), (f"in {states[State.ALARM]} of {len(checks)} checks",)),
        Tile("looked at", f"{periods.days:g} days", (span, f"beside {periods.count - 1} such periods before")),
        Tile("checks without an answer", str(states[State.UNKNOWN]), ("each says what it lacks",)),
    ]
    return render(
        "monitor.html",
        model_id=model_id,
        headline=headline,
        alarms=[f"{alarm.sentence} {alarm.advice}" for alarm in alarms],
        checks=[_section(check) for check in checks],
    )


def _section(check: Check) -> _Section:
    whole = None if check.table.empty else _table(check.table)
    return _Section(
        code=check.code,
        name=check.name,
        heading=check.name + MARKS[check.state],
        found=check.found,
        drawn=None if check.chart is None else sparkline(check.chart),
        figures=None if whole is None else replace(whole, rows=whole.rows[:ROWS]),
        more=None if whole is None or len(whole.rows) <= ROWS else replace(whole, rows=whole.rows[ROWS:]),
    )


def _table(frame: pd.DataFrame) -> Table:
    """Return a table with words at the left and figures at the right."""
    shown = frame[[*_first(frame), *(name for name in frame.columns if name not in {*HIDDEN, *_first(frame)})]]
    words = [str(name) for name in shown.columns if not pd.api.types.is_numeric_dtype(shown[name])]
    ordered = [*words, *(str(name) for name in shown.columns if name not in words)]
    rows = [
        [figure(name, value) for name, value in zip(ordered, row, strict=True)]
        for row in shown[ordered].itertuples(index=False, name=None)
    ]
    return Table([name.replace("_", " ") for name in ordered], rows, texts=len(words))


def _first(frame: pd.DataFrame) -> list[str]:
    return [name for name in ("since",) if name in frame]


def figure(name: str, value: object) -> str:
    """Return a figure of a table as people read it; a missing one is empty."""
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return ""
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float):
        return f"{value:.1%}" if name in SHARES else f"{value:,.3g}" if value.is_integer() is False else f"{value:,.0f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    return f"{text[:16]}…" if name == "image_id" else "yes" if value is True else "" if value is False else text
