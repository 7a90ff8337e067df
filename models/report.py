"""The report: how good a model is, where it errs, what to do next, and what it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from models.advice import advice
from models.card import estimator_sentence
from models.cases import Case, cases_html
from models.evaluate import RANDOM_ORDER
from models.page import bullets, cell, note, page, plot, section, table, tile
from models.plots import calibration_plot, capacity_plot, precision_recall_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.evaluate import Evaluation

AS_PERCENT = {"precision_at_capacity", "recall_at_capacity"}
MEANINGS = (
    "Average precision: how purely frauds stand above honest listings in the whole order; 1 is perfect.",
    "Precision at capacity: of the decided listings that analysts would have looked at, the share that were fraud.",
    "Recall at capacity: of all known frauds, the share that analysts would have looked at.",
    "Brier score: mean squared distance between score and outcome; lower is better.",
    "Calibration error: mean distance between the scores and the share of frauds among like scores; lower is better.",
)


def report_html(
    evaluation: Evaluation,
    card: dict[str, Any],
    *,
    model_id: str,
    misses: Sequence[Case] = (),
    false_alarms: Sequence[Case] = (),
) -> str:
    """Write the report.

    Parameters
    ----------
    evaluation
        What to show.
    card
        The model's card, or empty for the rule.
    model_id
        Named in the title; the evaluation's own scores carry this name or the first one.
    misses, false_alarms
        Frauds scored low and honest listings scored high, the worst first; all text is escaped.
    """
    scorer = str(evaluation.overall["scorer"].iloc[0])
    sections = {
        "next": ("What to do next", bullets(advice(evaluation, scorer)), ""),
        "alarms": (
            "Worst false alarms",
            cases_html(false_alarms, "No honest listing scored high, or none was given to show."),
            "Decided honest, and still near the top of the queue. Ask: did somebody else really show the photo first?",
        ),
        "misses": (
            "Worst misses",
            cases_html(misses, "No fraud was missed, or none was given to show."),
            "Decided fraud, and scored low. Without an earlier picture there is no theft that this model could see.",
        ),
        "figures": ("Beside the baselines", _overall(evaluation), "Small print: 90 % interval, resampled by seller."),
        "capacity": (
            "By daily capacity",
            _capacities(evaluation),
            "How many of the decided listings looked at are fraud, and how many of all known frauds are looked at.",
        ),
        "plots": ("In pictures", _plots(evaluation), ""),
        "calibration": ("Does a score mean what it says?", _calibration(evaluation), "Both columns should agree."),
        "periods": ("Period by period", _figures(evaluation.periods, "period", evaluation.capacity), ""),
        "groups": ("Group by group", _slices(evaluation.slices), "Average precision within each group."),
        "card": ("What it was made from", _card(card), ""),
    }
    body = "\n".join(section(anchor, heading, content, lead) for anchor, (heading, content, lead) in sections.items())
    links = "\n".join(f'<a href="#{anchor}">{heading}</a>' for anchor, (heading, _, _) in sections.items())
    title = f"How good is {model_id}?"
    return page(title, f"{_opening(evaluation, scorer, model_id)}\n<nav>{links}</nav>\n{body}")


def _opening(evaluation: Evaluation, scorer: str, model_id: str) -> str:
    known = (
        f"Judged on {evaluation.rows:,} listings, of which {evaluation.decided:,} were decided and "
        f"{evaluation.frauds:,} were fraud; analysts can look at {evaluation.capacity:,} a day."
    )
    by_lot = evaluation.value("precision_at_capacity", RANDOM_ORDER)
    tiles = "".join(
        (
            _tile(evaluation, scorer, "precision_at_capacity", f"of the decided listings looked at were fraud; by lot "
                  f"{_percent(by_lot)}", "Right alarms"),
            _tile(evaluation, scorer, "recall_at_capacity", "of all known frauds were looked at", "Frauds found"),
            _tile(evaluation, scorer, "average_precision", "average precision; 1 is a perfect order", "Order"),
        )
    )  # fmt: skip
    return f'<h1>How good is {cell(model_id)}?</h1>{note(known)}<div class="tiles">{tiles}</div>'


def _tile(evaluation: Evaluation, scorer: str, name: str, explained: str, title: str) -> str:
    table_of = evaluation.overall
    row = table_of[(table_of["scorer"] == scorer) & (table_of["name"] == name)].iloc[0]
    span = _span(name, row["low"], row["high"])
    return tile(_value(name, row["value"]), title, explained, f"90 % interval: {span}" if span else str(row["reason"]))


def _overall(evaluation: Evaluation) -> str:
    reasons = evaluation.overall.loc[evaluation.overall["reason"] != "", "reason"].unique()
    missing = "".join(note(f"Where a figure is missing: {reason}.") for reason in reasons)
    return _figures(evaluation.overall, "scorer", evaluation.capacity) + missing + bullets(MEANINGS)


def _figures(long: pd.DataFrame, by: str, capacity: int) -> str:
    """One row for each value of ``by``, one column a figure, its interval in small print."""
    names = {
        "average_precision": "Average precision",
        "precision_at_capacity": f"Precision at {capacity:,} a day",
        "recall_at_capacity": f"Recall at {capacity:,} a day",
        "brier": "Brier score",
        "calibration_error": "Calibration error",
    }
    if long.empty:
        return table([], [])
    cells = {(row[by], row["name"]): _figure(row) for row in long.to_dict("records")}
    rows = [[cell(str(key)), *(cells.get((key, name), "") for name in names)] for key in long[by].unique()]
    return table([by.capitalize(), *names.values()], rows)


def _figure(row: dict[Any, Any]) -> str:
    name = row["name"]
    return cell(_value(name, row["value"]), _span(name, row["low"], row["high"]))


def _value(name: str, value: float) -> str:
    if pd.isna(value):
        return "none"
    return _percent(value) if name in AS_PERCENT else f"{value:.3f}"


def _span(name: str, low: float, high: float) -> str:
    if pd.isna(low) or low == high:
        return ""
    return f"{100 * low:.0f} to {100 * high:.0f} %" if name in AS_PERCENT else f"{low:.3f} to {high:.3f}"


def _percent(share: float) -> str:
    return "none" if pd.isna(share) else f"{100 * share:.0f} %"


def _capacities(evaluation: Evaluation) -> str:
    long = evaluation.capacities
    scorers = list(long["scorer"].unique())
    shares = long.set_index(["scorer", "capacity"])
    rows = [
        [cell(f"{capacity:,}", "capacity now" if capacity == evaluation.capacity else "")]
        + [_alarms_and_finds(shares.loc[(scorer, capacity)]) for scorer in scorers]
        for capacity in sorted(long["capacity"].unique())
    ]
    return table(["Listings a day", *scorers], rows)


def _alarms_and_finds(shares: pd.Series[float]) -> str:
    return cell(f"{_percent(shares['precision'])} right", f"{_percent(shares['recall'])} of frauds found")


def _calibration(evaluation: Evaluation) -> str:
    rows = [
        [_percent(bin_["mean_score"]), _percent(bin_["fraud_share"]), f"{bin_['rows']:,}"]
        for bin_ in evaluation.calibration.to_dict("records")
    ]
    return table(["Mean score", "Were fraud", "Decided listings"], rows, texts=0)


def _slices(slices: pd.DataFrame) -> str:
    rows = [
        [
            cell(str(row["slice"]).replace("_", " ")),
            cell(str(row["group"])),
            f"{row['rows']:,}",
            f"{row['frauds']:,}",
            _percent(row["above_high"]),
            cell(row["reason"] or _value("", row["average_precision"]), _span("", row["low"], row["high"])),
        ]
        for row in slices.to_dict("records")
    ]
    return table(["Groups by", "Group", "Decided", "Frauds", "In band high", "Average precision"], rows, texts=2)


def _plots(evaluation: Evaluation) -> str:
    drawn = (
        plot(precision_recall_plot(evaluation), "Purity of the queue", "Further up and to the right is better."),
        plot(capacity_plot(evaluation), "What time buys", "Steep at the left is better: few looks find most frauds."),
        plot(calibration_plot(evaluation), "Honest scores", "On the dotted line a score is a probability."),
    )
    return f'<div class="plots">{"".join(drawn)}</div>'


def _card(card: dict[str, Any]) -> str:
    if not card:
        return note("Rule 1 was written down, not learned: it has no training data.")
    data = card["data"]
    facts = {
        "Meant for": card["intended_use"],
        "Learned from": f"{data['fraud']:,} fraud and {data['legit']:,} legit decisions known by "
        f"{_day(data['trained_until'])}, on {data['moments']:,} listings of {data['sellers']:,} sellers from "
        f"{_day(data['first_moment'])} to {_day(data['last_moment'])}",
        "Estimator": estimator_sentence(card),
        "Calibration": f"{card['calibration']['method']}, on {card['calibration']['rows']:,} held out decisions",
        "Bands": f"high from {card['bands']['high']:.3f}, medium from {card['bands']['medium']:.3f}",
        "Features": f"{len(card['features'])}, fingerprint {card['spec_fingerprint']}",
        "Libraries": ", ".join(f"{name} {number}" for name, number in card["libraries"].items()),
    }
    rows = [[cell(name), cell(text)] for name, text in facts.items()]
    return table(["", ""], rows, texts=2) + "<h3>Where it must not be trusted</h3>" + bullets(card["limits"])


def _day(moment: str) -> str:
    return pd.Timestamp(moment).strftime("%Y-%m-%d")
