"""Learn from what was known at a moment, keep the candidate, and promote it when it is better."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pandas as pd

from data.catalog.feature_facts import Market, market
from data.catalog.market.scoring_moments import all_moments
from data.catalog.scores.random_samples import all_audits
from data.catalog.scores.scores import KEPT, PROMOTED, record_model
from data.errors import ModelError
from data.progress import advance
from features.point_in_time.feature_frame import SPECS
from models.dataset.examples import label_moments, make_examples
from models.dataset.photo_clusters import photo_clusters
from models.estimator.custom import custom_estimator
from models.estimator.ensemble import ENSEMBLE
from models.estimator.rule import RULE_ID, rule_for
from models.evaluation.evaluation import CANDIDATE, Evaluation
from models.registry.registry import unsafe_types
from models.serving.scoring.draw_random_sample import with_look_chances
from models.serving.scoring.score_listings import all_prices, describe, scorer_in_use
from models.training.promotion import decide
from models.training.train import LOGISTIC, train

if TYPE_CHECKING:
    from datetime import datetime

    from models.estimator.scorer import Scorer
    from models.serving.context import Context

UNSAFE = "Neither kept nor promoted: its file would hold types that nobody has found safe to load"


class Promote(StrEnum):
    """When a candidate replaces the champion."""

    AUTO = "auto"
    NEVER = "never"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Gathered:
    """Examples as of a moment, and the market they were taken from."""

    examples: pd.DataFrame
    market: Market


def gather(context: Context, *, since: datetime | None, until: datetime, rows: int) -> Gathered:
    """Describe every listing at the one moment it is judged at, with the labels known by ``until``.

    Parameters
    ----------
    since, until
        Moments before the one (exclusive) or after the other are left out.
    rows
        Listings described at once.
    """
    with context.catalog.read() as connection:
        known = market(connection)
        moments = all_moments(connection, None, until)
        audits = all_audits(connection)
    labels = known.labels[known.labels["known_at"] <= pd.Timestamp(until)]
    chosen = label_moments(moments, labels)
    if since is not None:
        chosen = chosen[chosen["as_of"] > pd.Timestamp(since)].reset_index(drop=True)
    chosen = chosen.merge(known.listings, on="listing_key", how="left")
    features = _described(context, chosen, rows)
    # What was posted later must not tie listings together either: the same moment trains the same model later on.
    seen = known.sightings[known.sightings["observed_at"] <= pd.Timestamp(until)]
    clusters = photo_clusters(seen, known.alike)
    examples = make_examples(chosen, features, labels, clusters=clusters, until=until)
    return Gathered(with_look_chances(examples, audits[audits["as_of"] <= pd.Timestamp(until)]), known)


def train_candidate(context: Context, *, until: datetime, promote: Promote, now: datetime) -> dict[str, Any]:
    """Train, judge, keep, and promote if asked or better; return a summary.

    A candidate whose file would not be safe to load is judged like any other, but neither kept nor promoted: its
    ``model_id`` is ``None``.
    """
    settings = context.settings
    if settings.model.estimator:
        custom_estimator(settings.model.estimator, seed=settings.model.seed)  # a wrong name shows before the long work
    examples = gather(context, since=None, until=until, rows=settings.batch_rows).examples
    capacity = settings.review.daily_capacity
    candidate = train(
        examples,
        SPECS,
        until=until,
        settings=settings.model,
        capacity=capacity,
        cost_of_a_look=settings.review.cost_of_a_look,
    )
    champion, instead = rival_of(context)
    decision = decide(candidate, examples, champion, capacity=capacity, seed=settings.model.seed)
    wanted = promote is Promote.ALWAYS or (promote is Promote.AUTO and decision.promote)
    why = decision.why if promote is Promote.AUTO else f"--promote {promote}. {decision.why}"
    unsafe, model_id = unsafe_types(candidate), None
    if unsafe:
        wanted, why = False, f"{UNSAFE} ({unsafe}). By the figures alone: {decision.why}"
    else:
        model_id = context.registry.keep(candidate)
    why += instead
    if model_id is not None:
        with context.catalog.write() as connection:
            record_model(connection, model_id, PROMOTED if wanted else KEPT, why, now)
    shown = (CANDIDATE, ENSEMBLE, LOGISTIC, RULE_ID) if settings.model.estimator else (CANDIDATE, LOGISTIC, RULE_ID)
    return {
        "model_id": model_id,
        "in_use": model_id if wanted else champion.model_id,
        "why": why,
        "examples": len(examples),
        "labelled": int(examples["y"].notna().sum()),
        "frauds": int((examples["y"] == 1).sum()),
        **figures(candidate.evaluation, shown),
    }


def rival_of(context: Context) -> tuple[Scorer, str]:
    """Return what a candidate must beat: the model in use, or the rule and why where that model cannot be used.

    A model of an older feature list must not keep a new one from being trained.
    """
    try:
        return scorer_in_use(context), ""
    except ModelError as unusable:
        return rule_for(SPECS), f" Compared with {RULE_ID}, since the model in use cannot be: {unusable}"


def figures(evaluation: Evaluation, scorers: tuple[str, ...]) -> dict[str, str]:
    """Return the two figures that decide, of each scorer, with their intervals."""
    rows = evaluation.overall.to_dict("records")
    table = {(row["name"], row["scorer"]): row for row in rows}
    wanted = {"average_precision": "average precision", "precision_at_capacity": "precision at capacity"}
    found = {}
    for name, words in wanted.items():
        for scorer in scorers:
            row = table[name, scorer]
            found[f"{words}, {scorer}"] = f"{row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
    return found


def _described(context: Context, moments: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return the features of moments (``listing_key, seller_key, as_of``), on their index.

    Sellers are described one after the other: the past of each is read once, and not again with every day.
    """
    if moments.empty:
        return pd.DataFrame(index=moments.index, columns=[spec.name for spec in SPECS])
    with context.catalog.read() as connection:
        prices = all_prices(connection, moments)
    by_seller, parts = moments.sort_values("seller_key"), []
    for start in range(0, len(moments), rows):
        part = by_seller.iloc[start : start + rows]
        parts.append(describe(context, part[["listing_key", "as_of"]], prices)[0])
        advance("describing", len(part), len(moments))
    return pd.concat(parts).loc[moments.index]
