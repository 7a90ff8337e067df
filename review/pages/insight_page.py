"""How the work goes: what ran, what fails, how good the queue and the model are; and what the keys do."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from fastapi import APIRouter, Request
from starlette.responses import Response

from data.catalog.cases.case_events import Kind
from data.catalog.cases.cases import counters
from data.catalog.cases.desk_statistics import decisions_since, latest_of, latest_runs, undone_since
from data.catalog.database.frames import records
from data.catalog.monitoring_counts import Periods, comparable_pictures, fetch_outcomes
from data.catalog.scores.scores import champion
from data.errors import ModelError
from features.registration.same_photo import operating_point
from models.estimator.rule import RULE_ID
from models.evaluation.random_sample_estimate import Share, weighted_share
from models.registry.card import card_figures
from models.serving.context import Context
from review.access.permissions import Viewer
from review.desk import desk_of

RUNS = 15
DAYS = 30
WEEKS = 8
WEEK_S = 7 * 86_400
HOSTS = 12
FRAUD = {"fraud": 1.0, "legit": 0.0}
KEYS = (
    ("n", "the next case", "everywhere"),
    ("j", "down: the next row or photo", "queue, case"),
    ("k", "up: the row or photo before", "queue, case"),
    ("f", "verdict: fraud", "case"),
    ("g", "verdict: legit", "case"),
    ("d", "verdict: unsure", "case"),
    ("u", "take the last verdict back", "case"),
    ("i", "write a note", "case"),
    ("b", "blink: lay one photo over the other", "case"),
    ("z", "leave the case alone for a while", "case"),
    ("s", "the seller", "case"),
    ("q", "back to the queue", "case"),
    ("[", "the page before", "queue, seller"),
    ("]", "the page after", "queue, seller, audit"),
    ("/", "filter", "queue, audit"),
    ("?", "this page", "everywhere"),
)
router = APIRouter()


@router.get("/insight")
def insight(request: Request, session: Viewer) -> Response:
    """Show how the work goes."""
    desk = desk_of(request)
    now = desk.clock()
    with desk.context.catalog.read() as connection:
        decided = decisions_since(connection, now - timedelta(weeks=WEEKS))
        pictures = comparable_pictures(connection)
        values: dict[str, Any] = {
            "runs": latest_runs(connection, RUNS),
            "hosts": _hosts(fetch_outcomes(connection, Periods(until=now, days=DAYS, count=1))),
            "counters": counters(connection, now),
            "undone": undone_since(connection, now - timedelta(weeks=WEEKS)),
            "monitored": latest_of(connection, "monitor"),
            "model_id": champion(connection) or RULE_ID,
        }
    values |= {
        "weeks": _weeks(decided, pd.Timestamp(now)),
        "bands": _by_band(decided),
        "agreement": _agreement(decided),
        "seconds": _median_seconds(decided),
        "people": decided.groupby("actor").size().sort_values(ascending=False).to_dict(),
        "pictures": pictures,
        "point": operating_point(pictures),
        "figures": _figures(desk.context, values["model_id"]),
        "prefect": _prefect_runs(),
        "days": DAYS,
        "now": now,
        "session": session,
    }
    return desk.templates.TemplateResponse(request, "insight.html", values)


@router.get("/help")
def help_page(request: Request, session: Viewer) -> Response:
    """Show what the keys do, and let people choose others."""
    return desk_of(request).templates.TemplateResponse(request, "help.html", {"keys": KEYS, "session": session})


def _prefect_runs() -> str | None:
    """Return where the Prefect server that the environment names shows its runs; ``None`` if it names none."""
    api = os.environ.get("PREFECT_API_URL", "").rstrip("/")
    return f"{api.removesuffix('/api')}/runs" if api.endswith("/api") else None


def _hosts(outcomes: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the hosts with the most failures: how many of how many addresses, and the commonest reason."""
    failed = outcomes[outcomes["reason"].notna()].sort_values("addresses", ascending=False)
    by_host = failed.groupby("host").agg(failed=("addresses", "sum"), reason=("reason", "first"))
    total = outcomes.groupby("host")["addresses"].sum().rename("asked")
    return records(by_host.join(total).nlargest(HOSTS, "failed").reset_index())


def _first_reviews(decided: pd.DataFrame) -> pd.DataFrame:
    return decided[(decided["kind"] != Kind.SECOND_READING.value) & decided["said"].isin(list(FRAUD))]


def _weeks(decided: pd.DataFrame, now: pd.Timestamp) -> list[dict[str, Any]]:
    """Return for each week what share of the cases from the queue were fraud, the newest first."""
    queue = _first_reviews(decided[decided["audited"] != 1])
    week = ((now - queue["decided_at"]).dt.total_seconds().clip(lower=0) // WEEK_S).astype("int64")
    return [
        {"begins": now - timedelta(weeks=number + 1), "share": _share(queue[week == number])}
        for number in sorted(set(week.tolist()))
    ]


def _by_band(decided: pd.DataFrame) -> dict[str, Share]:
    """Return what share was fraud in each band, and among those drawn at random."""
    first = _first_reviews(decided)
    by_band = {str(band): _share(part) for band, part in first[first["audited"] != 1].groupby("band")}
    drawn = first[first["audited"] == 1]
    return by_band | ({"drawn at random": _share(drawn)} if len(drawn) else {})


def _share(part: pd.DataFrame) -> Share:
    y = np.asarray(part["said"].map(FRAUD), np.float64)
    return weighted_share(y, np.ones(len(y)))


def _agreement(decided: pd.DataFrame) -> Share | None:
    """Return how often second reviewers decided as the first had; ``None`` if nobody reviewed again."""
    again = decided[decided["kind"] == Kind.SECOND_READING.value]
    if again.empty:
        return None
    same = np.asarray(again["said"] == again["verdict"], np.float64)
    return weighted_share(same, np.ones(len(same)))


def _median_seconds(decided: pd.DataFrame) -> float | None:
    seconds = decided["seconds"].dropna()
    return float(seconds.median()) if len(seconds) else None


def _figures(context: Context, model_id: str) -> list[dict[str, Any]]:
    """Return the headline figures of a model's card; none for the rule, or where the card cannot be read."""
    if model_id == RULE_ID:
        return []
    try:
        return card_figures(context.registry.card(model_id))
    except ModelError:
        return []
