"""The three pictures of a report, as self-contained SVG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from models.evaluate import Evaluation

SIZE_INCHES = (4.3, 3.4)
COLOURS = ("#0b6e99", "#b35900", "#6b6b6b", "#7a4fa3")
"""Told apart by people with any colour vision, on the white that the pictures bring along."""
STYLES = ("-", "--", "-.", ":")
"""Also told apart in grey print."""


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
    axes.axvline(evaluation.capacity, color=COLOURS[2], linestyle=":", label="capacity now")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(left=0)
    _shares(axes, both=False)
    return _svg(figure, axes)


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
