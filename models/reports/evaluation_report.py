"""The report: how good a model is, where it errs, what to do next, and what it was made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from models.estimator.rule import RULE_ID
from models.evaluation.metrics import RANDOM_ORDER
from models.registry.card import estimator_sentence
from models.reports.advice import advice
from models.reports.charts import (
    Plot,
    ablation_plot,
    calibration_plot,
    capacity_plot,
    money_plot,
    optimism_plot,
    precision_recall_plot,
)
from models.reports.html_page import Table, Tile, render
from models.reports.report_tables import (
    MEANINGS,
    ablation_table,
    audit_table,
    calibration_table,
    capacities_table,
    figures_table,
    money_table,
    optimism_table,
    percent,
    slices_table,
    span_text,
    value_text,
)
from models.training.out_of_fold import VariantTables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.evaluation.evaluation import Evaluation
    from models.evaluation.random_sample_estimate import RandomSampleEstimate

THIS_MODEL = "this model"
THE_RULE = "the rule"
NO_OTHER = "No earlier picture of another seller is like it."


@dataclass(frozen=True, slots=True)
class PhotoPair:
    """A picture of a listing as JPEG, the earlier one it resembles (``None``: there is none) and what ties them."""

    own: bytes
    earlier: bytes | None = None
    caption: str = NO_OTHER


@dataclass(frozen=True, slots=True)
class MisjudgedListing:
    """A listing that a model misjudged: who, the facts in a line, the reasons the model gave, and its pictures."""

    title: str
    facts: str
    reasons: tuple[str, ...] = ()
    pairs: tuple[PhotoPair, ...] = ()


@dataclass(frozen=True, slots=True)
class _Beside:
    """A table beside a plot of it."""

    table: Table
    plot: Plot


def report_html(
    evaluation: Evaluation,
    card: dict[str, Any],
    *,
    model_id: str,
    tried: VariantTables | None = None,
    audit: RandomSampleEstimate | None = None,
    misses: Sequence[MisjudgedListing] = (),
    false_alarms: Sequence[MisjudgedListing] = (),
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
    tried
        What came of training the same recipe again.
    audit
        What listings drawn at random say of those that nobody would have looked at.
    misses, false_alarms
        Frauds scored low and honest listings scored high, the worst first; all text is escaped.
    """
    scorer = str(evaluation.overall["scorer"].iloc[0])
    tried = tried or VariantTables()
    return render(
        "report.html",
        model_id=model_id,
        evaluation=evaluation,
        headline=_headline(evaluation, scorer),
        advice=advice(evaluation, scorer, tried.optimism),
        false_alarms=false_alarms,
        misses=misses,
        audit=audit,
        audit_figures=None if audit is None else audit_table(audit),
        promise=_promise(tried.optimism),
        evidence=_evidence(tried.ablation),
        card=_card_table(card) if card else None,
        limits=card.get("limits", ()),
        **_figures(_with_display_names(evaluation, scorer)),
    )


def _figures(named: Evaluation) -> dict[str, Any]:
    """Return the tables and plots of an evaluation by the names that the template has for them."""
    return {
        "figures": figures_table(named.overall, "scorer", named.capacity),
        "missing": named.overall.loc[named.overall["reason"] != "", "reason"].unique(),
        "meanings": MEANINGS,
        "plots": _plots(named),
        "capacities": capacities_table(named),
        "money": money_table(named),
        "calibration": calibration_table(named.calibration),
        "periods": figures_table(named.periods, "period", named.capacity),
        "groups": slices_table(named.slices),
    }


def _with_display_names(evaluation: Evaluation, scorer: str) -> Evaluation:
    """Call the scorers in tables and plots what analysts call them."""
    words = {RULE_ID: THE_RULE, scorer: THE_RULE if scorer == RULE_ID else THIS_MODEL}
    tables = {name: getattr(evaluation, name) for name in ("overall", "capacities", "money", "curve")}
    return replace(evaluation, **{name: table.replace({"scorer": words}) for name, table in tables.items()})


def _headline(evaluation: Evaluation, scorer: str) -> list[Tile]:
    by_lot = evaluation.value("precision_at_capacity", RANDOM_ORDER)
    right = f"of the decided listings looked at were fraud; by lot {percent(by_lot)}"
    return [
        _tile(evaluation, scorer, "precision_at_capacity", right, "Right alarms"),
        _tile(evaluation, scorer, "recall_at_capacity", "of all known frauds were looked at", "Frauds found"),
        _tile(evaluation, scorer, "average_precision", "average precision; 1 is a perfect order", "Order"),
        *_money_tile(evaluation, scorer),
    ]


def _tile(evaluation: Evaluation, scorer: str, name: str, explanation: str, title: str) -> Tile:
    overall = evaluation.overall
    row = overall[(overall["scorer"] == scorer) & (overall["name"] == name)].iloc[0]
    span = span_text(name, row["low"], row["high"])
    return Tile(title, value_text(name, row["value"]), (explanation, _interval(span) if span else str(row["reason"])))


def _money_tile(evaluation: Evaluation, scorer: str) -> list[Tile]:
    """Return one tile, or none where no price is known."""
    money = evaluation.money
    now = money[(money["scorer"] == scorer) & (money["capacity"] == evaluation.capacity)]
    if now.empty:
        return []
    row = now.iloc[0]
    span = span_text("recall_at_capacity", row["low"], row["high"])
    total = row["money"] / row["share"] if row["share"] else money["money"].max()
    of_all = f"of the {total:,.0f} {evaluation.currency} that known frauds asked for"
    return [Tile("Money found", percent(row["share"]), (of_all, _interval(span) if span else ""))]


def _interval(span: str) -> str:
    return f"90 % interval: {span}"


def _plots(evaluation: Evaluation) -> list[Plot]:
    plots = [
        Plot(precision_recall_plot(evaluation), "Purity of the queue", "Further up and to the right is better."),
        Plot(capacity_plot(evaluation), "What time buys", "Steep at the left is better: few looks find most frauds."),
        Plot(calibration_plot(evaluation), "Honest scores", "On the dotted line a score is a probability."),
    ]
    if not evaluation.money.empty:
        plots.append(Plot(money_plot(evaluation), "What time saves", "The same in money: price times fraud found."))
    return plots


def _promise(optimism: pd.DataFrame) -> _Beside | None:
    if optimism.empty:
        return None
    plot = Plot(optimism_plot(optimism), "Promised and kept", "Bars are 90 % intervals.")
    return _Beside(optimism_table(optimism), plot)


def _evidence(ablation: pd.DataFrame) -> _Beside | None:
    if ablation.empty:
        return None
    plot = Plot(ablation_plot(ablation), "Without it", "The further left, the more it is needed.")
    return _Beside(ablation_table(ablation), plot)


def _card_table(card: dict[str, Any]) -> Table:
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
    return Table(["", ""], list(facts.items()), texts=2)


def _day(moment: str) -> str:
    return pd.Timestamp(moment).strftime("%Y-%m-%d")
