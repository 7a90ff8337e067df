"""The page of a monitor: what to act on first, then every check with its figures."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd

from models.monitoring.checks import State
from models.reports.page import bullets, cell, page, section, table, tile
from models.reports.sparkline import drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.catalog.monitoring_counts import Periods
    from models.monitoring.checks import Check

SHARES = frozenset({"share", "undecided", "precision", "low", "high", "promised", "missing_before", "missing_now"})
HIDDEN = frozenset({"period"})
ROWS = 12
"""Of each table; the others are folded away."""
MARKS = {State.OK: "", State.ALARM: ": alarm, see above", State.UNKNOWN: ": too little to tell"}


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
    tiles = "".join(
        [
            tile(str(len(alarms)), "alarms", f"in {states[State.ALARM]} of {len(checks)} checks"),
            tile(f"{periods.days:g} days", "looked at", span, f"beside {periods.count - 1} such periods before"),
            tile(str(states[State.UNKNOWN]), "checks without an answer", "each says what it lacks"),
        ]
    )
    to_do = bullets([f"{alarm.sentence} {alarm.advice}" for alarm in alarms]) or "<p>Nothing: no check alarms.</p>"
    opening = f'<h1>Monitor</h1>\n<p class="note">Model in use: {cell(model_id)}</p>\n<div class="tiles">{tiles}</div>'
    sections = [section("alarms", "What to act on", to_do), *(_section(check) for check in checks)]
    links = "\n".join(f'<a href="#{check.code}">{cell(check.name)}</a>' for check in checks)
    return page("Seenbefore monitor", "\n".join([opening, f"<nav>{links}</nav>", *sections]))


def _section(check: Check) -> str:
    drawn = drawing(check.chart) if check.chart is not None else ""
    figures = "" if check.table.empty else _table(check.table)
    heading = check.name + MARKS[check.state]
    return section(check.code, heading, f"<p>{cell(check.found)}</p>\n{drawn}\n{figures}")


def _table(frame: pd.DataFrame) -> str:
    shown = frame[[*_first(frame), *(name for name in frame.columns if name not in {*HIDDEN, *_first(frame)})]]
    words = [str(name) for name in shown.columns if not pd.api.types.is_numeric_dtype(shown[name])]
    ordered = [*words, *(str(name) for name in shown.columns if name not in words)]
    rows = [
        [cell(figure(name, value)) for name, value in zip(ordered, row, strict=True)]
        for row in shown[ordered].itertuples(index=False, name=None)
    ]
    heads = [name.replace("_", " ") for name in ordered]
    shown_first = table(heads, rows[:ROWS], texts=len(words))
    rest = table(heads, rows[ROWS:], texts=len(words))
    return shown_first + (f"<details><summary>{len(rows) - ROWS} more</summary>{rest}</details>" if rows[ROWS:] else "")


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
