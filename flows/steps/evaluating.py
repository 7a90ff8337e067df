"""Judge a model on listings it has not learned from, and show where it errs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.errors import NotEnoughLabels
from features.frame import SPECS
from flows.steps.training import figures, gather
from flows.steps.worst import worst_cases
from models.evaluate import Evaluation, evaluate
from models.report import report_html
from models.rule import RULE_ID, rule_for
from models.score import score
from models.serving.scoring import scorer_in_use, scorer_named

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from data.catalog.facts import Market
    from models.scorer import Scorer
    from models.serving.context import Context

WORST = 5
TABLES = ("overall", "periods", "slices", "calibration", "capacities", "curve")


def evaluate_model(
    context: Context, *, model_id: str | None, since: datetime | None, until: datetime, out: Path | None
) -> dict[str, Any]:
    """Evaluate a kept model, or the one in use, and write tables and a report; return a summary.

    Listings up to the moment the model was trained at are left out: on them it would quote its own lesson.

    Raises
    ------
    NotEnoughLabels
        No decision on later listings is known yet.
    """
    scorer = scorer_in_use(context) if model_id is None else scorer_named(context, model_id)
    learned = scorer.trained_until
    start = max((moment for moment in (since, learned) if moment is not None), default=None)
    gathered = gather(context, since=start, until=until, rows=context.settings.batch_rows)
    scored = _scored(gathered.examples, gathered.market, scorer)
    decided = scored["y"]
    if decided.nunique() < 2:
        fraud, legit = int((decided == 1).sum()), int((decided == 0).sum())
        when = f"of listings after {start:%Y-%m-%d %H:%M} UTC, " if start else ""
        raise NotEnoughLabels(fraud=fraud, legit=legit, needed=1, what_for=f"{when}to evaluate {scorer.model_id}")
    baselines = () if scorer.model_id == RULE_ID else (RULE_ID,)
    judged = evaluate(
        scored,
        capacity=context.settings.review.daily_capacity,
        scorer=scorer.model_id,
        baselines=baselines,
        slices=("new_seller", "category"),
        high=scorer.bands.high,
        seed=context.settings.model.seed,
    )
    folder = out or context.settings.home / "reports" / f"{scorer.model_id}-{until:%Y%m%d-%H%M%S}"
    report = _write(context, folder, judged, scored, scorer, gathered.market)
    return {
        "model_id": scorer.model_id,
        "listings": judged.rows,
        "labelled": judged.decided,
        "frauds": judged.frauds,
        **figures(judged, (scorer.model_id, *baselines)),
        "report": str(report),
    }


def _scored(examples: pd.DataFrame, known: Market, scorer: Scorer) -> pd.DataFrame:
    category = known.listings.set_index("listing_key")["category"]
    rule = score(examples, rule_for(SPECS), SPECS).table["score"]
    return examples[["listing_key", "seller_key", "as_of", "y"]].assign(
        score=score(examples, scorer, SPECS).table["score"],
        new_seller=np.where(examples["seller_listings"] > 0, "known before", "new"),
        category=examples["listing_key"].map(category).fillna("(none)"),
        **{RULE_ID: rule},
    )


def _write(
    context: Context, folder: Path, judged: Evaluation, scored: pd.DataFrame, scorer: Scorer, known: Market
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        getattr(judged, name).to_csv(folder / f"{name}.csv", index=False)
    card = {} if scorer.trained_until is None else context.registry.card(scorer.model_id)
    misses = scored[(scored["y"] == 1) & (scored["score"] < scorer.bands.high)].nsmallest(WORST, "score")
    alarms = scored[(scored["y"] == 0) & (scored["score"] >= scorer.bands.medium)].nlargest(WORST, "score")
    page = report_html(
        judged,
        card,
        model_id=scorer.model_id,
        misses=worst_cases(context, misses, scorer, known),
        false_alarms=worst_cases(context, alarms, scorer, known),
    )
    report = folder / "report.html"
    report.write_text(page, encoding="utf-8")
    return report
