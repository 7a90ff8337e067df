"""What a reader should do next, told from the figures alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from models.estimator.rule import RULE_ID
from models.evaluation.metrics import RANDOM_ORDER
from models.training.optimism import OURS

if TYPE_CHECKING:
    import pandas as pd

    from models.evaluation.evaluation import Evaluation

FEW_FRAUDS = 30
"""Fewer frauds than this leave an interval wider than most differences between models."""
FEW_DECIDED = 0.5
WORTH_ANOTHER_LOOK = 0.1
"""Share of all frauds that doubling the daily capacity must find in addition to be worth mentioning."""
WORTH_A_WARNING = 0.05
"""Average precision promised and not kept, from which on it is told, if chance alone does not explain it."""
MEANS_WHAT_IT_SAYS = 0.1
"""Mean distance between score and share of frauds up to which a score may be read as a probability."""


def advice(evaluation: Evaluation, scorer: str, optimism: pd.DataFrame | None = None) -> list[str]:
    """Return sentences, the most urgent first; each follows from a figure of the report.

    Parameters
    ----------
    scorer
        The one evaluated.
    optimism
        What splits promised, as `models.training.optimism.optimism` gives it.
    """
    urgent = (
        _beaten(evaluation, scorer),
        _promised_more(optimism),
        _room_for_all(evaluation),
        _few_frauds(evaluation),
        _undecided(evaluation),
        _more_capacity(evaluation, scorer),
        _miscalibrated(evaluation, scorer),
    )
    always = "Look at the false alarms and misses below: what they share is what the next decisions should cover."
    return [sentence for sentence in urgent if sentence] + [always]


def _beaten(evaluation: Evaluation, scorer: str) -> str:
    if scorer == RULE_ID:
        return "The documented rule is scoring. With labels of both kinds, `seenbefore train` learns a model."
    if RULE_ID not in set(evaluation.overall["scorer"]):
        return ""
    own, rule = (evaluation.value("average_precision", name) for name in (scorer, RULE_ID))
    if not own < rule:
        return ""
    return f"The rule orders these listings better ({rule:.2f} against {own:.2f}): train again, or roll back."


def _promised_more(optimism: pd.DataFrame | None) -> str:
    if optimism is None or optimism.empty:
        return ""
    ours = optimism.loc[optimism["split"] == OURS]
    promised, gap, gap_low = (float(ours[name].iloc[0]) for name in ("promised", "gap", "gap_low"))
    if not (gap >= WORTH_A_WARNING and gap_low > 0):
        return ""
    return (
        f"Its test promised {promised:.2f} and what came next gave {promised - gap:.2f}: something "
        "has changed since it was trained. Train again, and see group by group where it fell."
    )


def _room_for_all(evaluation: Evaluation) -> str:
    if evaluation.value("recall_at_capacity", RANDOM_ORDER) != 1:
        return ""
    return (
        f"No day had more than {evaluation.capacity:,} listings, so figures at capacity say nothing about the order: "
        "set `SEENBEFORE_REVIEW__DAILY_CAPACITY` to what analysts really look at."
    )


def _few_frauds(evaluation: Evaluation) -> str:
    if evaluation.frauds >= FEW_FRAUDS:
        return ""
    return (
        f"Only {evaluation.frauds:,} known frauds stand behind these figures: read the intervals, and collect more "
        "decisions before choosing between models by them."
    )


def _undecided(evaluation: Evaluation) -> str:
    if not evaluation.rows or evaluation.decided / evaluation.rows >= FEW_DECIDED:
        return ""
    share = evaluation.decided / evaluation.rows
    return (
        f"Only {share:.0%} of the listings were decided on. Judge some of the queue and some drawn by lot, and load "
        "the decisions with `seenbefore ingest … --labels FILE`."
    )


def _more_capacity(evaluation: Evaluation, scorer: str) -> str:
    recall = evaluation.capacities.query("scorer == @scorer").set_index("capacity")["recall"]
    now, twice = (recall.get(times * evaluation.capacity, math.nan) for times in (1, 2))
    if not twice - now >= WORTH_ANOTHER_LOOK:
        return ""
    return (
        f"Looking at {2 * evaluation.capacity:,} listings a day in place of {evaluation.capacity:,} would find "
        f"{twice:.0%} of the frauds in place of {now:.0%}."
    )


def _miscalibrated(evaluation: Evaluation, scorer: str) -> str:
    error = evaluation.value("calibration_error", scorer)
    if not error > MEANS_WHAT_IT_SAYS:
        return ""
    return (
        f"Scores are off by {error:.0%} on average: use them to order listings, not as probabilities, until a model "
        "is trained on newer decisions."
    )
