"""The charts of reports: plots as self-contained SVG, and sparklines in the colours of the page they stand in."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from models.evaluation.evaluation import Evaluation
    from models.monitoring.checks import Chart

SIZE_INCHES = (4.3, 3.4)
COLOURS = ("#0b6e99", "#b35900", "#6b6b6b", "#7a4fa3")
"""Told apart by people with any colour vision, on the white that the pictures bring along."""
STYLES = ("-", "--", "-.", ":")
"""Also told apart in grey print."""
FEW_TICKS = 4
NAME_CHARACTERS = 20
"""Longest line of a name beside an axis."""
SPARKLINE_WIDTH, SPARKLINE_HEIGHT = 640, 170
LEFT, TOP, BOTTOM = 46, 10, 24
"""Margins of a sparkline's axis, as all its measures in pixels of the drawing."""
ROW, BAR = 22, 14
NAME_WIDTH, FIGURE_WIDTH = 250, 50
HEADROOM = 1.1
"""An axis ends so much above the highest value."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot as an SVG file, what it is called, and how to read it."""

    svg: bytes
    name: str
    caption: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a sparkline; ``kind`` is ``grid``, ``interval`` or ``limit``."""

    x1: float
    y1: float
    x2: float
    y2: float
    kind: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text beside an end or the ``middle`` of which ``x`` lies."""

    x: float
    y: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A value, told when it is pointed at."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A value as a length; ``over`` if it passes its limit."""

    x: float
    y: float
    width: float
    over: bool
    height: int = BAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """A small drawing, laid out; ``models/reports/templates`` turns it into SVG."""

    height: int
    caption: str
    lines: tuple[Line, ...]
    labels: tuple[Label, ...]
    dots: tuple[Dot, ...] = ()
    bars: tuple[Bar, ...] = ()
    width: int = SPARKLINE_WIDTH


def precision_recall_plot(evaluation: Evaluation) -> bytes:
    """Draw precision over recall for each scorer."""
    figure, axes = _axes("Share of all frauds found (recall)", "Share of frauds among those (precision)")
    curves = evaluation.curve.groupby("scorer", sort=False)
    for colour, style, (scorer, points) in zip(COLOURS, STYLES, curves, strict=False):
        axes.step(points["recall"], points["precision"], where="post", label=str(scorer), color=colour, linestyle=style)
    _shares(axes, both=True)
    return _svg(figure, axes)


def calibration_plot(evaluation: Evaluation) -> bytes:
    """Draw the share of frauds over the mean score of each bin."""
    figure, axes = _axes("Mean score", "Share of frauds among these")
    table = evaluation.calibration
    axes.plot([0, 1], [0, 1], color=COLOURS[2], linestyle=":", label="score = share of frauds")
    axes.plot(table["mean_score"], table["fraud_share"], marker="o", color=COLOURS[0], label="listings of like scores")
    _shares(axes, both=True)
    return _svg(figure, axes)


def capacity_plot(evaluation: Evaluation) -> bytes:
    """Draw the share of frauds found over the daily capacity for each scorer."""
    figure, axes = _axes("Listings looked at a day", "Share of all frauds found (recall)")
    grouped = evaluation.capacities.groupby("scorer", sort=False)
    for colour, style, (scorer, points) in zip(COLOURS, STYLES, grouped, strict=False):
        axes.plot(points["capacity"], points["recall"], marker="o", label=str(scorer), color=colour, linestyle=style)
        axes.fill_between(
            points["capacity"], points["recall_low"], points["recall_high"], color=colour, alpha=0.12, linewidth=0
        )
    _looks(axes, evaluation.capacity)
    _shares(axes, both=False)
    return _svg(figure, axes)


def money_plot(evaluation: Evaluation) -> bytes:
    """Draw the share of the frauds' money found over the daily capacity for each order; not for an empty table."""
    figure, axes = _axes("Listings looked at a day", f"Share of the frauds' prices found ({evaluation.currency})")
    grouped = evaluation.money.groupby("scorer", sort=False)
    for number, (scorer, points) in enumerate(grouped):
        colour, style = COLOURS[number % len(COLOURS)], STYLES[number % len(STYLES)]
        axes.plot(points["capacity"], points["share"], label=str(scorer), color=colour, linestyle=style)
        axes.fill_between(points["capacity"], points["low"], points["high"], color=colour, alpha=0.12, linewidth=0)
    _looks(axes, evaluation.capacity)
    _shares(axes, both=False)
    return _svg(figure, axes)


def ablation_plot(ablation: pd.DataFrame) -> bytes:
    """Draw the change of average precision without each block of features."""
    without = ablation.iloc[1:]
    return _intervals(without["without"], without, "change", "Change of average precision", line_at=0.0)


def optimism_plot(optimism: pd.DataFrame) -> bytes:
    """Draw what each split promised beside what came, which is the first row."""
    named = optimism["split"].where(optimism.index > 0, "what came next")
    return _intervals(named, optimism, "promised", "Average precision", line_at=float(optimism["promised"].iloc[0]))


def sparkline(chart: Chart) -> Sparkline:
    """Lay out a chart: bars below each other where there are limits, else dots over time."""
    return _bars(chart) if len(chart.limits) else _dots(chart)


def _dots(chart: Chart) -> Sparkline:
    """Place a dot for each value, with its interval, on an axis from 0 to the highest."""
    ends = (*chart.values, *chart.highs)  # noqa: PD011  a field of ours
    peak = max([value for value in ends if not math.isnan(value)], default=0.0) or 1.0
    step = (SPARKLINE_WIDTH - LEFT) / max(1, len(chart.labels))

    def y(value: float) -> float:
        return round(TOP + (SPARKLINE_HEIGHT - TOP - BOTTOM) * (1 - value / (HEADROOM * peak)), 1)

    grid = (0.0, peak / 2, peak)
    lines = [Line(LEFT, y(at), SPARKLINE_WIDTH, y(at), "grid") for at in grid]
    labels = [Label(LEFT - 6, round(y(at) + 4, 1), _figure(at, shares=chart.shares), "end") for at in grid]
    dots = []
    for number, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        x = round(LEFT + (number + 0.5) * step, 1)
        labels.append(Label(x, SPARKLINE_HEIGHT - 6, label, "middle"))
        if math.isnan(value):
            continue
        if chart.lows:
            lines.append(Line(x, y(chart.lows[number]), x, y(chart.highs[number]), "interval"))
        dots.append(Dot(x, y(value), f"{label}: {_figure(value, shares=chart.shares)}"))
    return Sparkline(
        height=SPARKLINE_HEIGHT, caption=chart.caption, lines=tuple(lines), labels=tuple(labels), dots=tuple(dots)
    )


def _bars(chart: Chart) -> Sparkline:
    """Place a bar for each value with a mark at its limit."""
    peak = max([*chart.values, *chart.limits], default=0.0) or 1.0  # noqa: PD011  a field of ours
    across = (SPARKLINE_WIDTH - NAME_WIDTH - FIGURE_WIDTH) / peak
    bars, lines, labels = [], [], []
    for number, (label, value, limit) in enumerate(zip(chart.labels, chart.values, chart.limits, strict=True)):
        y = number * ROW + 4
        at = round(NAME_WIDTH + limit * across, 1)
        end = round(NAME_WIDTH + max(value, limit) * across + 6, 1)
        bars.append(Bar(NAME_WIDTH, y, round(max(1.0, value * across), 1), value >= limit))
        lines.append(Line(at, y - 2, at, y + 16, "limit"))
        labels += [
            Label(NAME_WIDTH - 8, y + 12, label, "end"),
            Label(end, y + 12, _figure(value, shares=chart.shares), "start"),
        ]
    return Sparkline(
        height=len(chart.labels) * ROW + 8,
        caption=chart.caption,
        lines=tuple(lines),
        labels=tuple(labels),
        bars=tuple(bars),
    )


def _figure(value: float, *, shares: bool) -> str:
    return f"{value:.2f}" if not shares else f"{value:.1%}" if value < 0.1 else f"{value:.0%}"


def _intervals(names: pd.Series, rows: pd.DataFrame, column: str, x_label: str, *, line_at: float) -> bytes:
    """Draw a point with its interval for each row, the first on top."""
    figure, axes = _axes(x_label, "")
    low, high = ("low", "high") if column == "promised" else (f"{column}_low", f"{column}_high")
    height = range(len(rows))
    axes.axvline(line_at, color=COLOURS[2], linestyle=":")
    axes.hlines(height, rows[low], rows[high], color=COLOURS[0], linewidth=2)
    axes.plot(rows[column], height, "o", color=COLOURS[0])
    axes.xaxis.set_major_locator(MaxNLocator(FEW_TICKS))
    axes.set_yticks(height, [fill(str(name), NAME_CHARACTERS) for name in names])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    return _svg(figure, axes)


def _looks(axes: Axes, capacity: int) -> None:
    """Let the horizontal axis count looks a day from nothing, and mark how many there are time for now."""
    axes.axvline(capacity, color=COLOURS[2], linestyle=":", label="capacity now")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(left=0)


def _axes(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE_INCHES, layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(visible=True, alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _shares(axes: Axes, *, both: bool) -> None:
    """Let the vertical axis, or both, run from nothing to all in percent."""
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    if both:
        axes.set_xlim(0, 1.02)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))


def _svg(figure: Figure, axes: Axes) -> bytes:
    """Return the same bytes for the same picture: no date, no random names."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize="small")
    target = io.BytesIO()
    with rc_context({"svg.hashsalt": "seenbefore", "svg.fonttype": "path"}):
        figure.savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()
