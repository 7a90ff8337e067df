"""Look at the last days of a home: read what happened, and judge it beside the time before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.catalog.feature_facts import known_labels
from data.catalog.monitoring_counts import (
    Periods,
    comparable_pictures,
    fetch_outcomes,
    hub_photos,
    known_span,
    label_lags,
    matched_listings,
    matches_by_certainty,
    queued,
    sampled_features,
    sampled_scores,
)
from data.catalog.scores.random_samples import all_audits
from data.catalog.scores.scores import unpack
from data.errors import ModelError
from data.progress import advance
from features.point_in_time.feature_frame import SPEC_FINGERPRINT, SPECS
from features.registration.same_photo import operating_point, probability
from models.dataset.examples import training_labels
from models.estimator.rule import RULE_ID
from models.evaluation.random_sample_estimate import random_sample_estimate
from models.monitoring.drift_checks import HIGH, freshness, input_drift, match_rate, score_drift
from models.monitoring.queue_checks import label_lag, operating_point_check, queue_precision, random_sample_check
from models.monitoring.supply_checks import SHOWN, fetch_failures, hub_images
from models.serving.scoring.score_listings import scorer_in_use

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from data.catalog.database.engine import Connection
    from models.estimator.scorer import Scorer
    from models.monitoring.checks import Check
    from models.serving.context import Context

PERIODS = 9
"""The newest and eight to compare it with."""
ROWS = 10_000
"""Most descriptions, and scores, that are compared on either side."""
SEVERAL = 3
"""Sellers who took up a photo, from which it is shown."""
CLOSE_LOG_ODDS = 1.0
"""How far from the operating point a match is still close to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoredHome:
    """What all checks share: a home on one snapshot, the model in use, and the periods to look at.

    Parameters
    ----------
    pictures
        How many distinct pictures there are to compare with.
    """

    context: Context
    connection: Connection
    scorer: Scorer
    periods: Periods
    pictures: int

    @property
    def seed(self) -> int:
        """Of everything random."""
        return self.context.settings.model.seed

    @property
    def learned_until(self) -> datetime:
        """Where the periods begin that the model has not learned from."""
        return max(self.periods.since(self.periods.count), self.scorer.trained_until or self.periods.since(PERIODS))


def checks(context: Context, *, until: datetime, days: float) -> tuple[list[Check], Periods, str]:
    """Run every check; return them with the periods looked at and the id of the model in use."""
    periods = Periods(until=until, days=days, count=PERIODS)
    found: list[Check] = []
    with context.catalog.read() as connection:
        watched = MonitoredHome(
            context=context,
            connection=connection,
            scorer=scorer_in_use(context),
            periods=periods,
            pictures=comparable_pictures(connection),
        )
        for run in CHECKS:
            found.append(run(watched))
            advance("checking", 1, len(CHECKS))
    return found, periods, watched.scorer.model_id


def _freshness(watched: MonitoredHome) -> Check:
    span = known_span(watched.connection)
    return freshness(None if span is None else pd.Timestamp(span[1]), watched.periods)


def _input_drift(watched: MonitoredHome) -> Check:
    (after, until), compared_with = _training_window(watched)
    now = _described(watched, watched.periods.since(1), watched.periods.until)
    before = _described(watched, after, until)
    return input_drift(before, now, compared_with=compared_with, periods=watched.periods, seed=watched.seed)


def _training_window(watched: MonitoredHome) -> tuple[tuple[datetime, datetime], str]:
    """Return the span that the model learned from, or the periods before for the rule, and what it is called."""
    before = watched.periods.since(1)
    if watched.scorer.model_id == RULE_ID:
        return (watched.periods.since(watched.periods.count), before), "the periods before"
    data = watched.context.registry.card(watched.scorer.model_id)["data"]
    first, last = (pd.Timestamp(data[name]).to_pydatetime() for name in ("first_moment", "last_moment"))
    return (first, min(last, before)), f"the training window ({first:%Y-%m-%d} to {last:%Y-%m-%d})"


def _described(watched: MonitoredHome, after: datetime, until: datetime) -> pd.DataFrame:
    found = sampled_features(watched.connection, SPEC_FINGERPRINT, after, until, ROWS)
    values = unpack(found["vector"], [spec.name for spec in SPECS])
    return pd.concat([_units(found, watched.periods), values], axis=1)


def _score_drift(watched: MonitoredHome) -> Check:
    newest, spans = watched.periods.since(1), []
    for after, until in ((watched.learned_until, newest), (max(newest, watched.learned_until), watched.periods.until)):
        found = sampled_scores(watched.connection, watched.scorer.model_id, after, until, ROWS)
        spans.append(pd.concat([_units(found, watched.periods), found["score"]], axis=1))
    before, now = spans
    return score_drift(before, now, bands=watched.scorer.bands, periods=watched.periods, seed=watched.seed)


def _units(found: pd.DataFrame, periods: Periods) -> pd.DataFrame:
    """Return the seller and the period of each row."""
    return pd.DataFrame({"seller_key": found["seller_key"], "period": _numbers(found["as_of"], periods)})


def _numbers(times: pd.Series, periods: Periods) -> pd.Series:
    ages_s = (pd.Timestamp(periods.until) - times).dt.total_seconds()
    numbers: pd.Series = (ages_s / periods.length.total_seconds()).floordiv(1).astype("int64")
    return numbers


def _match_rate(watched: MonitoredHome) -> Check:
    return match_rate(matched_listings(watched.connection, watched.periods), watched.periods)


def _hub_images(watched: MonitoredHome) -> Check:
    found = hub_photos(
        watched.connection,
        watched.periods.since(1),
        watched.periods.until,
        same_photo=operating_point(watched.pictures),
        sellers=SEVERAL,
        limit=SHOWN,
    )
    return hub_images(found, watched.periods)


def _fetch_failures(watched: MonitoredHome) -> Check:
    return fetch_failures(fetch_outcomes(watched.connection, watched.periods), watched.periods)


def _label_lag(watched: MonitoredHome) -> Check:
    delay_days = watched.context.settings.model.delay_days
    return label_lag(label_lags(watched.connection, watched.periods), watched.periods, delay_days=delay_days)


def _queue_precision(watched: MonitoredHome) -> Check:
    periods = watched.periods
    found = queued(watched.connection, periods.since(periods.count), periods.until, HIGH)
    learned = {model_id: _learned_until(watched, model_id) for model_id in found["model_id"].unique()}
    fresh = found[found["as_of"] > found["model_id"].map(learned).astype(found["as_of"].dtype)].reset_index(drop=True)
    decided = _decided(watched, fresh).assign(period=_numbers(fresh["as_of"], periods))
    return queue_precision(decided, periods, model_id=watched.scorer.model_id)


def _learned_until(watched: MonitoredHome, model_id: str) -> pd.Timestamp:
    """Return when a model stopped learning; the end of time for one that is not kept, whose scores prove nothing."""
    if model_id == RULE_ID:
        return pd.Timestamp(0, tz="UTC")
    try:
        return pd.Timestamp(watched.context.registry.card(model_id)["data"]["trained_until"])
    except ModelError:
        return pd.Timestamp(watched.periods.until)


def _decided(watched: MonitoredHome, rows: pd.DataFrame) -> pd.DataFrame:
    """Add the decision on each listing that is known by now."""
    known = known_labels(watched.connection, rows[["listing_key", "seller_key"]])
    return rows.assign(y=training_labels(rows, known, watched.periods.until)["y"])


def _audited(watched: MonitoredHome) -> Check:
    periods = watched.periods
    after = watched.learned_until
    scored = sampled_scores(watched.connection, watched.scorer.model_id, after, periods.until, ROWS * PERIODS)
    drawn = all_audits(watched.connection)[["listing_key", "as_of", "propensity"]]
    rows = _decided(watched, scored.merge(drawn, on=["listing_key", "as_of"], how="left"))
    top = (rows["band"] == HIGH).to_numpy(np.bool_)
    days = (periods.until - after).total_seconds() / 86_400
    return random_sample_check(random_sample_estimate(rows, top), days=round(days))


def _operating_point(watched: MonitoredHome) -> Check:
    point = operating_point(watched.pictures)
    low, high = (float(probability(np.log(point / (1 - point)) + step)) for step in (-CLOSE_LOG_ODDS, CLOSE_LOG_ODDS))
    counts = matches_by_certainty(
        watched.connection, watched.periods.since(1), watched.periods.until, (low, point, high)
    )
    return operating_point_check(counts, pictures=watched.pictures, point=point, edges=(low, high))


CHECKS: tuple[Callable[[MonitoredHome], Check], ...] = (
    _freshness,
    _input_drift,
    _score_drift,
    _match_rate,
    _hub_images,
    _fetch_failures,
    _label_lag,
    _queue_precision,
    _audited,
    _operating_point,
)


def as_rows(found: list[Check]) -> list[dict[str, Any]]:
    """Return checks as plain values: ``check, state, found, alarms`` (each ``sentence, advice``) and ``figures``."""
    return [
        {
            "check": check.code,
            "state": str(check.state),
            "found": check.found,
            "alarms": [{"sentence": alarm.sentence, "advice": alarm.advice} for alarm in check.alarms],
            "figures": _plain(check.table),
        }
        for check in found
    ]


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", date_format="iso"))
    return rows
