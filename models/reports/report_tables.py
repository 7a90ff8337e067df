"""The tables of a report: every figure with its interval in small print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from models.reports.html_page import Table
from models.training.ablation import EVERYTHING
from models.training.optimism import CAME

if TYPE_CHECKING:
    from models.evaluation.evaluation import Evaluation
    from models.evaluation.random_sample_estimate import RandomSampleEstimate
    from models.reports.html_page import Cell

AS_PERCENT = {"precision_at_capacity", "recall_at_capacity"}
MEANINGS = (
    "Average precision: how purely frauds stand above honest listings in the whole order; 1 is perfect.",
    "Precision at capacity: of the decided listings that analysts would have looked at, the share that were fraud.",
    "Recall at capacity: of all known frauds, the share that analysts would have looked at.",
    "Brier score: mean squared distance between score and outcome; lower is better.",
    "Calibration error: mean distance between the scores and the share of frauds among like scores; lower is better.",
)


def figures_table(long: pd.DataFrame, by: str, capacity: int) -> Table:
    """Return one row for each value of ``by``, and one column for each figure."""
    names = {
        "average_precision": "Average precision",
        "precision_at_capacity": f"Precision at {capacity:,} a day",
        "recall_at_capacity": f"Recall at {capacity:,} a day",
        "brier": "Brier score",
        "calibration_error": "Calibration error",
    }
    if long.empty:
        return Table([], [])
    cells = {
        (row[by], row["name"]): (value_text(row["name"], row["value"]), span_text(row["name"], row["low"], row["high"]))
        for row in long.to_dict("records")
    }
    rows = [[str(key), *(cells.get((key, name), "") for name in names)] for key in long[by].unique()]
    return Table([by.capitalize(), *names.values()], rows)


def overall_markdown(overall: pd.DataFrame) -> str:
    """Return the figures of each scorer as a Markdown table."""
    lines = [
        f"| {row['scorer']} | {str(row['name']).replace('_', ' ')} | {value_text(row['name'], row['value'])} "
        f"| {span_text(row['name'], row['low'], row['high'])} |"
        for row in overall.to_dict("records")
    ]
    return "\n".join(["| scorer | figure | value | 90 % interval |", "|---|---|---|---|", *lines, ""])


def capacities_table(evaluation: Evaluation) -> Table:
    """Return, for each number of looks a day and each scorer, how many are right and how many frauds are found."""
    long = evaluation.capacities
    scorers = list(long["scorer"].unique())
    shares = long.set_index(["scorer", "capacity"])
    heads = [f"{scorer}: {what}" for scorer in scorers for what in ("right", "found")]
    rows = [
        [
            _looks(capacity, evaluation.capacity),
            *(_share(shares.loc[(scorer, capacity)], name) for scorer in scorers for name in ("precision", "recall")),
        ]
        for capacity in sorted(long["capacity"].unique())
    ]
    return Table(["Listings a day", *heads], rows)


def money_table(evaluation: Evaluation) -> Table:
    """Return what the frauds looked at were worth, for each number of looks a day and each order."""
    long = evaluation.money
    if long.empty:
        return Table([], [])
    sums = long.set_index(["scorer", "capacity"])
    scorers = list(long["scorer"].unique())
    rows = [
        [
            _looks(capacity, evaluation.capacity),
            f"{sums.loc[(scorers[0], capacity), 'looks']:,}",
            *(_money(sums.loc[(scorer, capacity)]) for scorer in scorers),
        ]
        for capacity in sorted(long["capacity"].unique())
    ]
    return Table(["Listings a day", "Looks in all", *(f"{scorer}, {evaluation.currency}" for scorer in scorers)], rows)


def calibration_table(calibration: pd.DataFrame) -> Table:
    """Return mean score and share of frauds for listings of like scores."""
    rows: list[list[Cell]] = [
        [
            percent(bin_["mean_score"]),
            (percent(bin_["fraud_share"]), _percent_span(bin_["low"], bin_["high"])),
            f"{bin_['rows']:,}",
        ]
        for bin_ in calibration.to_dict("records")
    ]
    return Table(["Mean score", "Were fraud", "Decided listings"], rows, texts=0)


def slices_table(slices: pd.DataFrame) -> Table:
    """Return how well each group of listings is served."""
    first = ~slices["slice"].duplicated()
    rows = [
        [
            str(row["slice"]).replace("_", " ").capitalize() if begins else "",
            str(row["group"]),
            f"{row['rows']:,}",
            f"{row['frauds']:,}",
            _share(row, "found"),
            _share(row, "alarmed"),
            (row["reason"] or value_text("", row["average_precision"]), span_text("", row["low"], row["high"])),
        ]
        for row, begins in zip(slices.to_dict("records"), first, strict=True)
    ]
    heads = ["By", "Group", "Decided", "Frauds", "Frauds found", "Honest in band high", "Average precision"]
    return Table(heads, rows, texts=2)


def ablation_table(ablation: pd.DataFrame) -> Table:
    """Return what is lost without each block of features."""
    rows = [
        [
            "nothing: the whole model" if row["without"] == EVERYTHING else str(row["without"]),
            f"{row['features']:,}",
            (value_text("", row["average_precision"]), span_text("", row["low"], row["high"])),
            "" if row["without"] == EVERYTHING else _signed(row, "change"),
        ]
        for row in ablation.to_dict("records")
    ]
    return Table(["Left out", "Features left out", "Average precision", "Change"], rows)


def optimism_table(optimism: pd.DataFrame) -> Table:
    """Return what each split promised, and by how much more than came."""
    rows = [
        [
            "what came next" if row["split"] == CAME else f"test {row['split']}",
            f"{row['decided']:,}",
            (value_text("", row["promised"]), span_text("", row["low"], row["high"])),
            "" if row["split"] == CAME else _signed(row, "gap"),
        ]
        for row in optimism.to_dict("records")
    ]
    return Table(["", "Decided", "Average precision", "Promised less came"], rows)


def audit_table(audit: RandomSampleEstimate) -> Table:
    """Return what is looked at, what is not, and how many of all frauds are found, known or not."""
    shares = {
        f"of {audit.top:,} listings looked at are fraud": audit.precision,
        f"of {audit.rest:,} others are fraud": audit.fraud_in_rest,
        "of all frauds, known or not, are looked at": audit.recall,
    }
    rows: list[list[Cell]] = [
        [(fine_percent(share.value), _fine_span(share.low, share.high)), name, f"{share.decided:,}"]
        for name, share in shares.items()
    ]
    return Table(["Share", "", "From decisions"], rows, texts=2)


def value_text(name: str, value: float) -> str:
    """Write a figure for people."""
    if pd.isna(value):
        return "none"
    return percent(value) if name in AS_PERCENT else f"{value:.3f}"


def span_text(name: str, low: float, high: float) -> str:
    """Write a figure's interval for people; empty where there is none."""
    if pd.isna(low) or low == high:
        return ""
    return _percent_span(low, high) if name in AS_PERCENT else f"{low:.3f} to {high:.3f}"


def percent(share: float) -> str:
    """Write a share for people."""
    return "none" if pd.isna(share) else f"{100 * share:.0f} %"


def fine_percent(share: float) -> str:
    """Write a share that may be small, to a tenth of a percent."""
    return "not known" if pd.isna(share) else f"{100 * share:.1f} %"


def _fine_span(low: float, high: float) -> str:
    return "" if pd.isna(low) else f"{100 * low:.1f} to {100 * high:.1f} %"


def _percent_span(low: float, high: float) -> str:
    return "" if pd.isna(low) or low == high else f"{100 * low:.0f} to {100 * high:.0f} %"


def _looks(capacity: int, now: int) -> Cell:
    return (f"{capacity:,}", "capacity now" if capacity == now else "")


def _share(row: Any, name: str) -> Cell:
    return (percent(row[name]), _percent_span(row[f"{name}_low"], row[f"{name}_high"]))


def _money(row: pd.Series[Any]) -> Cell:
    span = _percent_span(row["low"], row["high"])
    return (f"{row['money']:,.0f}", percent(row["share"]) + (f" ({span})" if span else ""))


def _signed(row: dict[Any, Any], name: str) -> Cell:
    if pd.isna(row[name]):
        return "none"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    span = "" if pd.isna(low) else f"{low:+.3f} to {high:+.3f}"
    return (_with_minus(f"{row[name]:+.3f}"), _with_minus(span))


def _with_minus(text: str) -> str:
    """Set a minus sign where Python writes a hyphen."""
    return text.replace("-", "−")
