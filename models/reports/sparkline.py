"""Small drawings that stand in the page itself and take its colours, in light and dark."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.monitoring.checks import Chart

WIDTH, HEIGHT = 640, 170
LEFT, TOP, BOTTOM = 46, 10, 24
ROW = 22
NAME_WIDTH, FIGURE_WIDTH = 250, 50
HEADROOM = 1.1
LEAD, PALE, LINE, OVER = "var(--lead)", "var(--pale)", "var(--line)", "#c2410c"


def drawing(chart: Chart) -> str:
    """Return a chart as the markup of a figure: bars below each other where there are limits, else marks over time."""
    drawn = _bars(chart) if len(chart.limits) else _marks(chart)
    return f"<figure>{drawn}<figcaption>{escape(chart.caption)}</figcaption></figure>"


def _marks(chart: Chart) -> str:
    """Draw a mark for each value, with its interval, on an axis from 0 to the highest."""
    peak = max([value for value in (*chart.values, *chart.highs) if not math.isnan(value)], default=0.0) or 1.0
    step = (WIDTH - LEFT) / max(1, len(chart.labels))

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / (HEADROOM * peak))

    parts = [_grid(y(at), _figure(at, shares=chart.shares)) for at in (0.0, peak / 2, peak)]
    for number, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        x = LEFT + (number + 0.5) * step
        parts.append(_text(x, HEIGHT - 6, label, "middle"))
        if math.isnan(value):
            continue
        if chart.lows:
            parts.append(_line(x, y(chart.lows[number]), x, y(chart.highs[number]), LEAD, 2))
        said = f"{label}: {_figure(value, shares=chart.shares)}"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y(value):.1f}" r="4" style="fill:{LEAD}"><title>{escape(said)}</title></circle>'
        )
    return _svg(HEIGHT, parts, chart.caption)


def _bars(chart: Chart) -> str:
    """Draw a bar for each value with a mark at its limit; what passes it has another colour."""
    peak = max([*chart.values, *chart.limits], default=0.0) or 1.0
    across = (WIDTH - NAME_WIDTH - FIGURE_WIDTH) / peak
    parts = []
    rows = zip(chart.labels, chart.values, chart.limits, strict=True)
    for number, (label, value, limit) in enumerate(rows):
        y = number * ROW + 4
        colour = OVER if value >= limit else LEAD
        parts += [
            _text(NAME_WIDTH - 8, y + 12, label, "end"),
            f'<rect x="{NAME_WIDTH}" y="{y}" width="{max(1.0, value * across):.1f}" height="14" rx="2" '
            f'style="fill:{colour}"/>',
            _line(NAME_WIDTH + limit * across, y - 2, NAME_WIDTH + limit * across, y + 16, PALE, 2),
            _text(NAME_WIDTH + max(value, limit) * across + 6, y + 12, _figure(value, shares=chart.shares), "start"),
        ]
    return _svg(len(chart.labels) * ROW + 8, parts, chart.caption)


def _svg(height: float, parts: list[str], name: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(name)}" '
        f'style="width:100%;max-width:{WIDTH}px;font:12px system-ui,sans-serif">{"".join(parts)}</svg>'
    )


def _grid(y: float, name: str) -> str:
    return _line(LEFT, y, WIDTH, y, LINE, 1) + _text(LEFT - 6, y + 4, name, "end")


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} style="stroke:{colour};stroke-width:{width}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="fill:{PALE}">{escape(text)}</text>'


def _figure(value: float, *, shares: bool) -> str:
    return f"{value:.2f}" if not shares else f"{value:.1%}" if value < 0.1 else f"{value:.0%}"
