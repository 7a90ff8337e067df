"""How good scores are: against decisions, beside the baselines, by period, by slice and by capacity."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve

from models.evaluation.metrics import (
    RANDOM_ORDER,
    calibration_bins,
    daily_queue,
    measures,
    shares,
)
from models.evaluation.slices import slice_table
from models.evaluation.value_at_stake import value_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

SCORE_COLUMN = "score"
CANDIDATE = "candidate"
"""What a model is called in the tables before it has an id."""
CAPACITY_STEPS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Capacities looked at, as multiples of the one given."""
CURVE_POINTS = 200
TABLES = ("overall", "periods", "slices", "calibration", "capacities", "money")
"""What a stored card keeps."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """All tables of one evaluation; shares and probabilities from 0 to 1, NaN where a figure has no meaning.

    Parameters
    ----------
    overall
        ``scorer, name, value, low, high, rows, frauds, reason``: one row for each scorer and figure.
    periods
        The same columns after ``period``, for the evaluated scores only.
    slices
        `models.evaluation.slices.SLICE_COLUMNS`.
    calibration
        ``bin, rows, mean_score, fraud_share, low, high``, over the decided rows.
    capacities
        ``scorer, capacity, precision, precision_low, precision_high, recall, recall_low, recall_high``.
    money
        `models.evaluation.value_at_stake.VALUE_COLUMNS`, in ``currency``; empty where no known fraud has a price.
    curve
        ``scorer, recall, precision``, thinned.
    capacity
        Listings a day.
    rows, decided, frauds
        What was judged on.
    """

    overall: pd.DataFrame
    periods: pd.DataFrame
    slices: pd.DataFrame
    calibration: pd.DataFrame
    capacities: pd.DataFrame
    money: pd.DataFrame
    curve: pd.DataFrame
    capacity: int
    rows: int
    decided: int
    frauds: int
    currency: str = ""

    def value(self, name: str, scorer: str) -> float:
        """Return one figure of one scorer."""
        table = self.overall
        return float(table.loc[(table["scorer"] == scorer) & (table["name"] == name), "value"].iloc[0])


def evaluate(
    scored: pd.DataFrame,
    *,
    capacity: int,
    scorer: str,
    baselines: Sequence[str] = (),
    slices: Sequence[str] = (),
    high: float = 1.0,
    currency: str = "",
    seed: int = 0,
) -> Evaluation:
    """Judge scores against decisions.

    Parameters
    ----------
    scored
        ``seller_key``, ``as_of``, ``y`` (1 fraud, 0 legit, NaN undecided), ``score``, and the columns of
        ``baselines`` and ``slices``; optionally ``period`` (default: the calendar month) and ``price``, NaN if unknown.
    capacity
        Listings that analysts judge in a day.
    scorer
        What the evaluated scores are called in the tables.
    baselines, slices
        Columns to set beside them, and to look at group by group.
    high
        Least score of the band ``high``.
    currency
        What the prices are in.
    seed
        Of the bootstrap.
    """
    scored = scored.reset_index(drop=True)
    columns = {scorer: SCORE_COLUMN, **{name: name for name in baselines}}
    decided = scored[scored["y"].notna()]
    queue = daily_queue(scored[SCORE_COLUMN].to_numpy("float64"), scored["as_of"], capacity)[decided.index]
    priced = scored if "price" in scored else scored.assign(price=np.nan)
    return Evaluation(
        overall=_overall(scored, columns, capacity=capacity, seed=seed),
        periods=_periods(scored, scorer, capacity=capacity, seed=seed),
        slices=slice_table(decided, slices, score=SCORE_COLUMN, queue=queue, high=high, seed=seed),
        calibration=_calibration(decided, seed=seed),
        capacities=_capacities(scored, columns, capacity=capacity, seed=seed),
        money=value_curve(priced, columns, evaluated=scorer, capacity=capacity, seed=seed),
        curve=pd.concat([_curve(decided, name, column) for name, column in columns.items()]),
        capacity=capacity,
        rows=len(scored),
        decided=len(decided),
        frauds=int((decided["y"] == 1).sum()),
        currency=currency,
    )


def evaluation_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return the tables that a stored card keeps, as plain lists and numbers with ``None`` for NaN."""
    tables = {
        name: getattr(evaluation, name).astype(object).where(getattr(evaluation, name).notna(), None) for name in TABLES
    }
    counts = {name: getattr(evaluation, name) for name in ("capacity", "rows", "decided", "frauds", "currency")}
    return {**counts, **{name: table.to_dict(orient="records") for name, table in tables.items()}}


def _overall(scored: pd.DataFrame, columns: dict[str, str], *, capacity: int, seed: int) -> pd.DataFrame:
    rows = [
        {"scorer": name, **asdict(figure)}
        for name, column in columns.items()
        for figure in measures(scored, score=column, capacity=capacity, seed=seed)
    ]
    return pd.DataFrame(rows + _random_order(scored, capacity))


def _random_order(scored: pd.DataFrame, capacity: int) -> list[dict[str, Any]]:
    """Return what drawing the daily queue by lot would give on average."""
    y = scored["y"].to_numpy("float64")
    base_rate = float(np.mean(y[~np.isnan(y)])) if (~np.isnan(y)).any() else float("nan")
    looked_at = daily_queue(np.zeros(len(y)), scored["as_of"], capacity)
    expected = {
        "average_precision": base_rate,
        "precision_at_capacity": base_rate,
        "recall_at_capacity": float(looked_at.mean()) if len(y) else float("nan"),
    }
    counts = {"rows": int((~np.isnan(y)).sum()), "frauds": int((y == 1).sum())}
    return [
        {"scorer": RANDOM_ORDER, "name": name, "value": value, "low": value, "high": value, **counts, "reason": ""}
        for name, value in expected.items()
    ]


def _periods(scored: pd.DataFrame, scorer: str, *, capacity: int, seed: int) -> pd.DataFrame:
    period = scored["period"] if "period" in scored else scored["as_of"].dt.strftime("%Y-%m")
    rows = [
        {"period": str(name), "scorer": scorer, **asdict(figure)}
        for name, part in scored.groupby(period, sort=True)
        for figure in measures(part, score=SCORE_COLUMN, capacity=capacity, seed=seed)
    ]
    return pd.DataFrame(rows)


def _calibration(decided: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    score = decided[SCORE_COLUMN]
    bins, at = np.unique(calibration_bins(score.to_numpy("float64")), return_inverse=True)
    table = decided.groupby(bins[at]).agg(rows=("y", "size"), mean_score=(SCORE_COLUMN, "mean"))
    inside = (at[:, None] == np.arange(len(bins))).astype(float)
    frauds = inside * decided["y"].to_numpy("float64")[:, None]
    found = shares(frauds, inside, decided["seller_key"].to_numpy("int64"), seed=seed)
    table = table.assign(fraud_share=found[:, 0], low=found[:, 1], high=found[:, 2])
    return table.rename_axis("bin").reset_index()


def _capacities(scored: pd.DataFrame, columns: dict[str, str], *, capacity: int, seed: int) -> pd.DataFrame:
    y = scored["y"].to_numpy("float64")
    steps = sorted({max(1, round(step * capacity)) for step in CAPACITY_STEPS})
    queue_steps = [(name, step) for name in columns for step in steps]
    queues = np.column_stack(
        [daily_queue(scored[columns[name]].to_numpy("float64"), scored["as_of"], step) for name, step in queue_steps]
    )
    fraud = (y == 1)[:, None]
    looked_at = queues & ~np.isnan(y)[:, None]
    parts = np.concatenate([queues & fraud, queues & fraud], axis=1)
    wholes = np.concatenate([looked_at, np.broadcast_to(fraud, queues.shape)], axis=1)
    found = shares(parts.astype(float), wholes.astype(float), scored["seller_key"].to_numpy("int64"), seed=seed)
    precision, recall = np.split(found, 2)
    table = pd.DataFrame(queue_steps, columns=["scorer", "capacity"])
    table[["precision", "precision_low", "precision_high"]] = precision
    table[["recall", "recall_low", "recall_high"]] = recall
    return table


def _curve(decided: pd.DataFrame, scorer: str, column: str) -> pd.DataFrame:
    if not (decided["y"] == 1).any():
        return pd.DataFrame({"scorer": [], "recall": [], "precision": []}).astype({"scorer": "str"})
    precision, recall, _ = precision_recall_curve(decided["y"], decided[column])
    kept = np.unique(np.linspace(0, len(recall) - 1, CURVE_POINTS).astype(int))
    return pd.DataFrame({"scorer": scorer, "recall": recall[kept], "precision": precision[kept]})
