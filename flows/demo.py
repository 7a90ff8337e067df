"""The whole job as a flow, told step by step: what an operator does over months, in minutes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from prefect import flow

from data.settings import load_settings
from flows.cli.console import STDOUT, show_summary
from flows.ingest import ingest
from flows.retrain import retrain
from flows.score import score
from models.estimator.rule import RULE_ID
from models.serving.context import open_context
from models.serving.demo_market import DAYS, HISTORY_DAYS
from models.serving.learning.evaluate_model import evaluate_model
from models.serving.learning.market_truth import against_truth
from models.serving.learning.train_model import Promote

if TYPE_CHECKING:
    from models.serving.demo_market import Recipe, ServedMarket


@flow(name="seenbefore-demo", validate_parameters=False)
def tour(home: Path, served: ServedMarket, recipe: Recipe) -> None:
    """Walk through history, training, and what came after it."""
    place = str(home)
    _told(
        f"1. The first {HISTORY_DAYS} days: ingest",
        ingest(served.table("listings-1"), sellers=served.table("sellers"), labels=served.table("labels"), home=place),
    )
    first = score(home=place)
    by = "no model yet, so the documented rule does" if first["model_id"] == RULE_ID else "with the model in use"
    _told(f"2. Score them: {by}", first)
    trained = retrain(until=recipe.split_at, promote=Promote.AUTO, home=place)
    _told("3. Train on the labels known by then, judged on time-ordered folds", trained)
    _told(
        f"4. The last {DAYS - HISTORY_DAYS} days: ingest",
        ingest(served.table("listings-2"), sellers=served.table("sellers"), labels=served.table("labels"), home=place),
    )
    _told("5. Score them as they came", score(home=place))
    context = open_context(load_settings(home))
    report = evaluate_model(
        context, model_id=None, since=recipe.split_at, until=datetime.now(UTC), out=home / "reports" / "demo"
    )
    _told("6. Evaluate on the listings it has never seen, by the labels that came in", report)
    _told_truth(context, served, recipe)
    show_summary("What next", {}, next_steps=_next(home, report), as_json=False)


def _told(title: str, summary: dict[str, Any]) -> None:
    STDOUT.print()
    show_summary(title, {name: value for name, value in summary.items() if name != "run_id"}, as_json=False)


def _told_truth(context: Any, served: ServedMarket, recipe: Recipe) -> None:
    truth = pd.read_csv(served.table("truth"), dtype={"listing_id": "str"})
    title = f"7. Beside the market's truth, with {recipe.daily_capacity} listings a day looked at"
    _told(title, against_truth(context, truth, since=recipe.split_at, capacity=recipe.daily_capacity))


def _next(home: Path, report: dict[str, Any]) -> tuple[str, ...]:
    option = f"--home {home}"
    return (
        f"open {report['report']}    tables, plots, the worst misses and false alarms with their pictures",
        f"seenbefore {option} review    the analysts' desk in the browser, with these listings in its queue",
        f"seenbefore {option} export scores --out scores.csv    every score with its reasons",
        f"seenbefore {option} export matches --out matches.csv    every photo seen before, and where",
        f"seenbefore {option} duplicates    photos posted more than once",
        f"seenbefore {option} models list    what was learned",
        "seenbefore run YOUR-LISTINGS.csv    the same on your own market",
    )
