"""Judge a model on listings it has not learned from, and show where it errs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from data.durable import write_text
from data.errors import NotEnoughLabels
from features.point_in_time.feature_frame import SPECS
from models.estimator.rule import RULE_ID, rule_for
from models.estimator.scoring import score
from models.evaluation.evaluation import Evaluation, evaluate
from models.evaluation.metrics import daily_queue
from models.evaluation.random_sample_estimate import random_sample_estimate
from models.evaluation.value_at_stake import commonest_currency
from models.reports.evaluation_report import report_html
from models.reports.report_tables import overall_markdown
from models.serving.learning.example_groups import SLICES, example_groups
from models.serving.learning.retrain_variants import retrain_variants
from models.serving.learning.train_model import Gathered, figures, gather
from models.serving.learning.worst_errors import worst_errors
from models.serving.scoring.score_listings import scorer_in_use, scorer_named
from models.training.out_of_fold import VariantTables

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from data.catalog.feature_facts import Market
    from models.estimator.scorer import Scorer
    from models.serving.context import Context

WORST = 5
TABLES = ("overall", "periods", "slices", "calibration", "capacities", "money", "curve")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """All that a report tells: ``scored`` holds the listings judged, with scores, groups and prices."""

    scorer: Scorer
    market: Market
    scored: pd.DataFrame
    evaluation: Evaluation
    tried: VariantTables


def evaluate_model(
    context: Context,
    *,
    model_id: str | None,
    since: datetime | None,
    until: datetime,
    out: Path | None,
    quick: bool = False,
) -> dict[str, Any]:
    """Evaluate a kept model, or the one in use, and write tables and a report; return a summary.

    Listings up to the moment the model was trained at are left out: on them it would quote what it learned.

    Parameters
    ----------
    quick
        Whether to leave out what needs training again: the promise of the splits, and the blocks of features.

    Raises
    ------
    NotEnoughLabels
        No decision on later listings is known yet.
    """
    scorer = scorer_in_use(context) if model_id is None else scorer_named(context, model_id)
    start = max((moment for moment in (since, scorer.trained_until) if moment is not None), default=None)
    gathered = gather(context, since=start, until=until, rows=context.settings.batch_rows)
    _require_both(gathered.examples["y"], start, scorer)
    scored, currency = _scored(context, gathered, scorer)
    baselines = () if scorer.model_id == RULE_ID else (RULE_ID,)
    evaluation = evaluate(
        scored,
        capacity=context.settings.review.daily_capacity,
        scorer=scorer.model_id,
        baselines=baselines,
        slices=SLICES,
        high=scorer.bands.high,
        currency=currency,
        seed=context.settings.model.seed,
    )
    tried = VariantTables() if quick else retrain_variants(context, scorer, scored[scored["y"].notna()])
    judged = _Judged(scorer=scorer, market=gathered.market, scored=scored, evaluation=evaluation, tried=tried)
    folder = out or context.settings.home / "reports" / f"{scorer.model_id}-{until:%Y%m%d-%H%M%S}"
    report = _write(context, folder, judged)
    return _summary(evaluation, (scorer.model_id, *baselines)) | {"report": str(report)}


def figures_markdown(folder: Path) -> str:
    """Return the main table of an evaluation that was written to a folder."""
    return overall_markdown(pd.read_csv(folder / "overall.csv", keep_default_na=False, na_values=[""]))


def _summary(evaluation: Evaluation, scorers: tuple[str, ...]) -> dict[str, Any]:
    """Return what was judged, and the figures of the model that was and of what it is compared with."""
    return {
        "model_id": scorers[0],
        "listings": evaluation.rows,
        "labelled": evaluation.decided,
        "frauds": evaluation.frauds,
        **figures(evaluation, scorers),
    }


def _require_both(y: pd.Series, start: datetime | None, scorer: Scorer) -> None:
    fraud, legit = int((y == 1).sum()), int((y == 0).sum())
    if not fraud or not legit:
        when = f"of listings after {start:%Y-%m-%d %H:%M} UTC, " if start else ""
        raise NotEnoughLabels(fraud=fraud, legit=legit, needed=1, what_for=f"{when}to evaluate {scorer.model_id}")


def _scored(context: Context, gathered: Gathered, scorer: Scorer) -> tuple[pd.DataFrame, str]:
    """Return the examples with their scores and groups, prices in one currency, and which that is."""
    examples, known = gathered.examples, gathered.market
    currency = examples["listing_key"].map(known.listings.set_index("listing_key")["currency"])
    price, named = commonest_currency(examples["price"], currency)
    scored = examples[["listing_key", "seller_key", "as_of", "y", "propensity"]].assign(
        price=price,
        score=score(examples, scorer, SPECS).table["score"],
        **{RULE_ID: score(examples, rule_for(SPECS), SPECS).table["score"]},
    )
    return scored.join(example_groups(context, examples, known)), named


def _write(context: Context, folder: Path, judged: _Judged) -> Path:
    tables = {name: getattr(judged.evaluation, name) for name in TABLES}
    for name, table in {**tables, "ablation": judged.tried.ablation, "optimism": judged.tried.optimism}.items():
        if len(table.columns):
            write_text(folder / f"{name}.csv", table.to_csv(index=False))
    report = folder / "report.html"
    write_text(report, _page(context, judged))
    return report


def _page(context: Context, judged: _Judged) -> str:
    scorer, scored = judged.scorer, judged.scored
    misses = scored[(scored["y"] == 1) & (scored["score"] < scorer.bands.high)].nsmallest(WORST, "score")
    alarms = scored[(scored["y"] == 0) & (scored["score"] >= scorer.bands.medium)].nlargest(WORST, "score")
    looked_at = daily_queue(scored["score"].to_numpy("float64"), scored["as_of"], judged.evaluation.capacity)
    return report_html(
        judged.evaluation,
        {} if scorer.trained_until is None else context.registry.card(scorer.model_id),
        model_id=scorer.model_id,
        tried=judged.tried,
        audit=random_sample_estimate(scored, looked_at),
        misses=worst_errors(context, misses, scorer, judged.market),
        false_alarms=worst_errors(context, alarms, scorer, judged.market),
    )
