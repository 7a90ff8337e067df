"""One self-contained HTML page: how good a model is, where it errs, what it was made from. No script, no link out."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from string import Template
from typing import TYPE_CHECKING, Any

import pandas as pd

from models.plots import calibration_plot, capacity_plot, precision_recall_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.evaluate import Evaluation

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>How good is $title?</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; }
.plots, .pictures { display: flex; flex-wrap: wrap; gap: .75rem; }
.plots img { background: #fff; border-radius: 6px; max-width: 100%; width: 30rem; }
.pictures img { height: 11rem; max-width: 100%; object-fit: contain; background: var(--soft); border-radius: 4px; }
figure { margin: 1rem 0 1.5rem; } figcaption { margin-bottom: .4rem; }
.note { opacity: .75; }
</style>
</head>
<body>
<h1>How good is $title?</h1>
<p>$summary</p>
$body
</body>
</html>
""")
FIGURE_NAMES = {
    "average_precision": "average precision",
    "precision_at_capacity": "precision at capacity",
    "recall_at_capacity": "recall at capacity",
    "brier": "Brier score (lower is better)",
    "calibration_error": "calibration error (lower is better)",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One listing the model misjudged: what to say of it, and its JPEG pictures beside those they resemble."""

    caption: str
    pictures: tuple[bytes, ...]


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
        Named in the title.
    misses, false_alarms
        Frauds scored low and honest listings scored high, the worst first; all text is escaped.
    """
    sections = [
        ("Beside the baselines", _overall(evaluation)),
        ("In pictures", _plots(evaluation)),
        ("Period by period", _table(_figures_wide(evaluation.periods, "period"))),
        ("Group by group", _table(_slices(evaluation.slices))),
        ("By daily capacity", _table(evaluation.capacities)),
        ("Does a score mean what it says?", _table(evaluation.calibration)),
        ("Worst misses", _cases(misses, "No fraud was missed, or none was given to show.")),
        ("Worst false alarms", _cases(false_alarms, "No honest listing scored high, or none was given to show.")),
        ("What it was made from", _card(card)),
    ]
    body = "\n".join(f"<h2>{escape(heading)}</h2>\n{content}" for heading, content in sections)
    return PAGE.substitute(title=escape(model_id), summary=escape(_summary(evaluation)), body=body)


def _summary(evaluation: Evaluation) -> str:
    return (
        f"Judged on {evaluation.rows:,} listings, of which {evaluation.decided:,} were decided and "
        f"{evaluation.frauds:,} were fraud; analysts can look at {evaluation.capacity:,} a day. "
        "Intervals cover 90 % of resamples by seller."
    )


def _overall(evaluation: Evaluation) -> str:
    reasons = evaluation.overall.loc[evaluation.overall["reason"] != "", "reason"].unique()
    note = "".join(f'<p class="note">Where a figure is missing: {escape(reason)}.</p>' for reason in reasons)
    return _table(_figures_wide(evaluation.overall, "scorer")) + note


def _figures_wide(long: pd.DataFrame, by: str) -> pd.DataFrame:
    """One row for each value of ``by``, one column a figure, each with its interval as text."""
    if long.empty:
        return pd.DataFrame()
    text = [
        _with_interval(value, low, high)
        for value, low, high in zip(long["value"], long["low"], long["high"], strict=True)
    ]
    named = long.assign(text=text, name=long["name"].map(FIGURE_NAMES))
    wide = named.pivot_table(index=by, columns="name", values="text", aggfunc="first", sort=False)
    return wide.fillna("").reset_index().rename_axis(columns=None)


def _slices(slices: pd.DataFrame) -> pd.DataFrame:
    if slices.empty:
        return slices
    text = [
        reason or _with_interval(value, low, high)
        for value, low, high, reason in zip(
            slices["average_precision"], slices["low"], slices["high"], slices["reason"], strict=True
        )
    ]
    shown = slices[["slice", "group", "rows", "frauds", "above_high"]]
    return shown.assign(average_precision=text)


def _with_interval(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return "none"
    return f"{value:.3f}" if pd.isna(low) or low == high else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _table(table: pd.DataFrame) -> str:
    if table.empty:
        return '<p class="note">Nothing to show.</p>'
    classes = [' class="number"' if pd.api.types.is_numeric_dtype(kind) else "" for kind in table.dtypes]
    head = "".join(
        f"<th{css}>{escape(str(name).replace('_', ' '))}</th>" for css, name in zip(classes, table.columns, strict=True)
    )
    rows = "\n".join(
        "<tr>" + "".join(f"<td{css}>{_cell(value)}</td>" for css, value in zip(classes, row, strict=True)) + "</tr>"
        for row in table.itertuples(index=False, name=None)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>'


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "none" if pd.isna(value) else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def _plots(evaluation: Evaluation) -> str:
    drawn = {
        "Precision over recall": precision_recall_plot(evaluation),
        "Calibration": calibration_plot(evaluation),
        "Frauds found by daily capacity": capacity_plot(evaluation),
    }
    images = "\n".join(_image(content, "image/svg+xml", name) for name, content in drawn.items())
    return f'<div class="plots">{images}</div>'


def _image(content: bytes, media_type: str, alternative: str) -> str:
    encoded = base64.b64encode(content).decode("ascii")
    return f'<img alt="{escape(alternative)}" src="data:{media_type};base64,{encoded}">'


def _cases(cases: Sequence[Case], nothing: str) -> str:
    if not cases:
        return f'<p class="note">{escape(nothing)}</p>'
    return "\n".join(
        f"<figure><figcaption>{escape(case.caption)}</figcaption>"
        f'<div class="pictures">{"".join(_image(one, "image/jpeg", "listing photo") for one in case.pictures)}</div>'
        "</figure>"
        for case in cases
    )


def _card(card: dict[str, Any]) -> str:
    if not card:
        return '<p class="note">Rule 1 was written down, not learned: it has no training data.</p>'
    data = card["data"]
    facts = {
        "Moments": f"{data['moments']:,} of {data['sellers']:,} sellers, "
        f"{data['first_moment']} to {data['last_moment']}",
        "Decisions": f"{data['fraud']:,} fraud, {data['legit']:,} legit, known by {data['trained_until']}",
        "Features": f"{len(card['features'])}, fingerprint {card['spec_fingerprint']}",
        "Calibration": f"{card['calibration']['method']} on {card['calibration']['rows']:,} later decisions",
        "Bands": f"high from {card['bands']['high']:.3f}, medium from {card['bands']['medium']:.3f}",
        "Libraries": ", ".join(f"{name} {number}" for name, number in card["libraries"].items()),
        "Meant for": card["intended_use"],
        "Limits": " ".join(card["limits"]),
    }
    return _table(pd.DataFrame({"": list(facts), " ": list(facts.values())}))
