"""The report: how good a model is, where it errs, what to do next, and what it was made from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from models.estimator.rule import RULE_ID
from models.evaluation.metrics import RANDOM_ORDER
from models.registry.card import estimator_sentence
from models.reports.advice import advice
from models.reports.misjudged import Case, cases_html
from models.reports.page import bullets, cell, note, page, plot, section, table, tile
from models.reports.plots import (
    ablation_plot,
    calibration_plot,
    capacity_plot,
    money_plot,
    optimism_plot,
    precision_recall_plot,
)
from models.reports.report_tables import (
    ablation_table,
    audit_table,
    calibration_table,
    capacities_table,
    figures_table,
    money_table,
    optimism_table,
    overall_table,
    percent,
    slices_table,
    span_text,
    value_text,
)
from models.training.out_of_fold import Tried

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.evaluation.evaluation import Evaluation
    from models.evaluation.random_sample_estimate import AuditEstimate

Sections = dict[str, tuple[str, str, str]]
"""Heading, content and lead of each section by its anchor."""
THIS_MODEL = "this model"
THE_RULE = "the rule"


def report_html(
    evaluation: Evaluation,
    card: dict[str, Any],
    *,
    model_id: str,
    tried: Tried | None = None,
    audit: AuditEstimate | None = None,
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
    tried
        What came of training the same recipe again.
    audit
        What listings drawn at random say of those that nobody would have looked at.
    misses, false_alarms
        Frauds scored low and honest listings scored high, the worst first; all text is escaped.
    """
    scorer = str(evaluation.overall["scorer"].iloc[0])
    told, tried = _in_words(evaluation, scorer), tried or Tried()
    sections = {
        "next": ("What to do next", bullets(advice(evaluation, scorer, tried.optimism)), ""),
        **_where_it_errs(misses, false_alarms),
        **_how_good(told),
        **({} if audit is None else {"unseen": ("What nobody looked at", _unseen(audit), "")}),
        **_why(told, tried),
        "card": ("What it was made from", _card(card), ""),
    }
    body = "\n".join(section(anchor, heading, content, lead) for anchor, (heading, content, lead) in sections.items())
    links = "\n".join(f'<a href="#{anchor}">{heading}</a>' for anchor, (heading, _, _) in sections.items())
    title = f"How good is {model_id}?"
    return page(title, f"{_opening(evaluation, scorer, model_id)}\n<nav>{links}</nav>\n{body}")


def _where_it_errs(misses: Sequence[Case], false_alarms: Sequence[Case]) -> Sections:
    return {
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
    }


def _how_good(told: Evaluation) -> Sections:
    return {
        "figures": (
            "Beside the baselines",
            overall_table(told),
            "Small print, here and below: 90 % interval, resampled by seller.",
        ),
        "plots": ("In pictures", _plots(told), ""),
        "capacity": (
            "By daily capacity",
            capacities_table(told),
            "Right: how many of the decided listings looked at are fraud. Found: how many of all known frauds are "
            "looked at.",
        ),
        "money": (
            "By money",
            money_table(told),
            "The prices of the known frauds that were looked at, added up, and their share of all. Ordering by price "
            "times score looks at dear listings first: that may find more money, and fewer frauds.",
        ),
        "calibration": (
            "Does a score mean what it says?",
            calibration_table(told.calibration),
            "Both columns should agree.",
        ),
    }


def _why(told: Evaluation, tried: Tried) -> Sections:
    return {
        **({} if tried.optimism.empty else {"promise": ("Did it keep its promise?", _promise(tried), "")}),
        **({} if tried.ablation.empty else {"evidence": ("Which evidence carries it", _evidence(tried), "")}),
        "periods": ("Period by period", figures_table(told.periods, "period", told.capacity), ""),
        "groups": (
            "Group by group",
            slices_table(told.slices),
            f"Frauds found: the share of the group's known frauds among the {told.capacity:,} looked at a day. "
            "Honest in band high: the share of its honest listings that would be accused.",
        ),
    }


def _in_words(evaluation: Evaluation, scorer: str) -> Evaluation:
    """Call the scorers in tables and plots what analysts call them."""
    words = {RULE_ID: THE_RULE, scorer: THE_RULE if scorer == RULE_ID else THIS_MODEL}
    tables = {name: getattr(evaluation, name) for name in ("overall", "capacities", "money", "curve")}
    return replace(evaluation, **{name: table.replace({"scorer": words}) for name, table in tables.items()})


def _opening(evaluation: Evaluation, scorer: str, model_id: str) -> str:
    known = (
        f"Judged on {evaluation.rows:,} listings, of which {evaluation.decided:,} were decided and "
        f"{evaluation.frauds:,} were fraud; analysts can look at {evaluation.capacity:,} a day."
    )
    by_lot = evaluation.value("precision_at_capacity", RANDOM_ORDER)
    tiles = "".join(
        (
            _tile(evaluation, scorer, "precision_at_capacity", f"of the decided listings looked at were fraud; by lot "
                  f"{percent(by_lot)}", "Right alarms"),
            _tile(evaluation, scorer, "recall_at_capacity", "of all known frauds were looked at", "Frauds found"),
            _tile(evaluation, scorer, "average_precision", "average precision; 1 is a perfect order", "Order"),
            _money_tile(evaluation, scorer),
        )
    )  # fmt: skip
    return f'<h1>How good is {cell(model_id)}?</h1>{note(known)}<div class="tiles">{tiles}</div>'


def _tile(evaluation: Evaluation, scorer: str, name: str, explained: str, title: str) -> str:
    table_of = evaluation.overall
    row = table_of[(table_of["scorer"] == scorer) & (table_of["name"] == name)].iloc[0]
    span = span_text(name, row["low"], row["high"])
    return tile(
        value_text(name, row["value"]), title, explained, f"90 % interval: {span}" if span else str(row["reason"])
    )


def _money_tile(evaluation: Evaluation, scorer: str) -> str:
    money = evaluation.money
    now = money[(money["scorer"] == scorer) & (money["capacity"] == evaluation.capacity)]
    if now.empty:
        return ""
    row = now.iloc[0]
    span = span_text("recall_at_capacity", row["low"], row["high"])
    total = row["money"] / row["share"] if row["share"] else money["money"].max()
    of_all = f"of the {total:,.0f} {evaluation.currency} that known frauds asked for"
    return tile(percent(row["share"]), "Money found", of_all, f"90 % interval: {span}" if span else "")


def _unseen(audit: AuditEstimate) -> str:
    if not audit.fraud_in_rest.decided:
        return note(
            f"{audit.rest:,} listings lay below the daily queue; no decision is known on any that was drawn at random "
            f"from them ({audit.audited:,} were). Until some are, nobody knows how many frauds are overlooked: recall "
            "above counts known frauds only."
        )
    return note(
        f"Of {audit.rest:,} listings below the daily queue, {audit.audited:,} were drawn at random, whatever they "
        "scored. What was decided on them stands for all others."
    ) + audit_table(audit)


def _plots(evaluation: Evaluation) -> str:
    drawn = [
        plot(precision_recall_plot(evaluation), "Purity of the queue", "Further up and to the right is better."),
        plot(capacity_plot(evaluation), "What time buys", "Steep at the left is better: few looks find most frauds."),
        plot(calibration_plot(evaluation), "Honest scores", "On the dotted line a score is a probability."),
    ]
    if not evaluation.money.empty:
        drawn.append(plot(money_plot(evaluation), "What time saves", "The same in money: price times fraud found."))
    return f'<div class="plots">{"".join(drawn)}</div>'


def _promise(tried: Tried) -> str:
    lead = note(
        "Before a model is used, a test on past listings promises how good it will be. Ours tests on later listings of "
        "other sellers with other photos. Most reports draw their test listings at random: beside one ad of a burst "
        "the model then knows its neighbours, and it learns from decisions that came later. Both promises beside what "
        "came after training:"
    )
    drawn = plot(optimism_plot(tried.optimism), "Promised and kept", "Bars are 90 % intervals.")
    return lead + _beside(optimism_table(tried.optimism), drawn)


def _evidence(tried: Tried) -> str:
    lead = note(
        "The same recipe trained again on the same test periods, each time without one group of features. What others "
        "can stand in for loses little, so a small change does not mean that the group is useless."
    )
    drawn = plot(ablation_plot(tried.ablation), "Without it", "The further left, the more it is needed.")
    return lead + _beside(ablation_table(tried.ablation), drawn)


def _beside(content: str, drawn: str) -> str:
    return f'<div class="beside">{content}{drawn}</div>'


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
