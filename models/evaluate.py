"""How good scores are: against decisions, beside the baselines, by period, by slice and by capacity."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve

from models.metrics import (
    average_precision,
    calibration_bins,
    daily_queue,
    measure,
    measures,
    precision_in,
    recall_in,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

SCORE_COLUMN = "score"
CANDIDATE = "candidate"
"""What a model is called in the tables before it has an id."""
RANDOM_ORDER = "random order"
CAPACITY_STEPS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Capacities looked at, as multiples of the one given."""
MAX_SLICE_VALUES = 12
CURVE_POINTS = 200


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
        ``slice, group, rows, frauds, above_high, average_precision, low, high, reason``.
    calibration
        ``bin, rows, mean_score, fraud_share``, over the decided rows.
    capacities
        ``scorer, capacity, precision, recall``.
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
    curve: pd.DataFrame
    capacity: int
    rows: int
    decided: int
    frauds: int

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
    seed: int = 0,
) -> Evaluation:
    """Judge scores against decisions.

    Parameters
    ----------
    scored
        ``seller_key``, ``as_of``, ``y`` (1 fraud, 0 legit, NaN undecided), ``score``; a column of scores for each
        name in ``baselines``; a column of groups for each name in ``slices``; optionally ``period``
        (default: the calendar month).
    capacity
        Listings that analysts judge in a day.
    scorer
        What the evaluated scores are called in the tables.
    baselines, slices
        Columns to set beside them, and to look at group by group.
    high
        Least score of the band ``high``.
    seed
        Of the bootstrap.
    """
    scored = scored.reset_index(drop=True)
    columns = {scorer: SCORE_COLUMN, **{name: name for name in baselines}}
    decided = scored[scored["y"].notna()]
    return Evaluation(
        overall=_overall(scored, columns, capacity=capacity, seed=seed),
        periods=_periods(scored, scorer, capacity=capacity, seed=seed),
        slices=_slices(decided, slices, high=high, seed=seed),
        calibration=_calibration(decided),
        capacities=_capacities(scored, columns, capacity=capacity),
        curve=pd.concat([_curve(decided, name, column) for name, column in columns.items()]),
        capacity=capacity,
        rows=len(scored),
        decided=len(decided),
        frauds=int((decided["y"] == 1).sum()),
    )


def evaluation_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return the tables that a stored card keeps, as plain lists and numbers with ``None`` for NaN."""
    tables = {
        name: getattr(evaluation, name).astype(object).where(getattr(evaluation, name).notna(), None)
        for name in ("overall", "periods", "slices", "calibration", "capacities")
    }
    counts = {name: getattr(evaluation, name) for name in ("capacity", "rows", "decided", "frauds")}
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


def _slices(decided: pd.DataFrame, slices: Sequence[str], *, high: float, seed: int) -> pd.DataFrame:
    rows = [
        _slice_row(name, str(group), decided[decided[name] == group], high=high, seed=seed)
        for name in slices
        for group in decided[name].value_counts().index[:MAX_SLICE_VALUES]
    ]
    columns = ["slice", "group", "rows", "frauds", "above_high", "average_precision", "low", "high", "reason"]
    return pd.DataFrame(rows, columns=columns)


def _slice_row(name: str, group: str, part: pd.DataFrame, *, high: float, seed: int) -> dict[str, Any]:
    y, score = part["y"].to_numpy("float64"), part[SCORE_COLUMN].to_numpy("float64")
    sellers = part["seller_key"].to_numpy("int64")
    figure = measure("average_precision", average_precision(y, score), y, sellers, seed=seed)
    return {
        "slice": name,
        "group": group,
        "rows": figure.rows,
        "frauds": figure.frauds,
        "above_high": float((score >= high).mean()),
        "average_precision": figure.value,
        "low": figure.low,
        "high": figure.high,
        "reason": figure.reason,
    }


def _calibration(decided: pd.DataFrame) -> pd.DataFrame:
    score = decided[SCORE_COLUMN]
    grouped = decided.groupby(calibration_bins(score.to_numpy("float64")))
    table = grouped.agg(rows=("y", "size"), mean_score=(SCORE_COLUMN, "mean"), fraud_share=("y", "mean"))
    return table.rename_axis("bin").reset_index()


def _capacities(scored: pd.DataFrame, columns: dict[str, str], *, capacity: int) -> pd.DataFrame:
    y = scored["y"].to_numpy("float64")
    steps = sorted({max(1, round(step * capacity)) for step in CAPACITY_STEPS})
    everyone = np.ones(len(y))
    rows = []
    for name, column in columns.items():
        for step in steps:
            queue = daily_queue(scored[column].to_numpy("float64"), scored["as_of"], step)
            precision, recall = precision_in(queue, y)(everyone), recall_in(queue, y)(everyone)
            rows.append({"scorer": name, "capacity": step, "precision": precision, "recall": recall})
    return pd.DataFrame(rows)


def _curve(decided: pd.DataFrame, scorer: str, column: str) -> pd.DataFrame:
    if not (decided["y"] == 1).any():
        return pd.DataFrame({"scorer": [], "recall": [], "precision": []}).astype({"scorer": "str"})
    precision, recall, _ = precision_recall_curve(decided["y"], decided[column])
    kept = np.unique(np.linspace(0, len(recall) - 1, CURVE_POINTS).astype(int))
    return pd.DataFrame({"scorer": scorer, "recall": recall[kept], "precision": precision[kept]})
