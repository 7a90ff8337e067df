"""Figures of merit with intervals: resampled by seller, since a seller's listings stand and fall together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Statistic = Callable[["NDArray[np.float64]"], float]
"""Takes a weight for each row, shape (n,), and returns a figure, NaN where it has no meaning."""

RANDOM_ORDER = "random order"
"""What a queue drawn by lot is called among the scorers."""
RESAMPLES = 200
LEVEL = 0.9
"""Share of the resamples that an interval covers."""
CALIBRATION_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure with its interval.

    ``value``, ``low`` and ``high`` are NaN where the figure has no meaning, and ``reason`` says why.
    """

    name: str
    value: float
    low: float
    high: float
    rows: int
    frauds: int
    reason: str = ""


def measures(scored: pd.DataFrame, *, score: str, capacity: int, seed: int) -> list[Measure]:
    """Compute every figure of one column of scores.

    Parameters
    ----------
    scored
        ``y`` (1, 0, NaN undecided), ``as_of``, ``seller_key`` and the column named ``score``. Undecided rows take
        their places in the daily queue and count nowhere else.
    score
        Column of probabilities.
    capacity
        Listings that analysts judge in a day.
    seed
        Of the bootstrap.
    """
    y = scored["y"].to_numpy("float64")
    p = scored[score].to_numpy("float64")
    queue = daily_queue(p, scored["as_of"], capacity)
    statistics = {
        "average_precision": average_precision(y, p),
        "precision_at_capacity": precision_in(queue, y),
        "recall_at_capacity": recall_in(queue, y),
        "brier": brier(y, p),
        "calibration_error": calibration_error(y, p),
    }
    sellers = scored["seller_key"].to_numpy("int64")
    return [measure(name, statistic, y, sellers, seed=seed) for name, statistic in statistics.items()]


def measure(
    name: str, statistic: Statistic, y: NDArray[np.float64], sellers: NDArray[np.int64], *, seed: int
) -> Measure:
    """Compute a figure and the interval that resampling whole sellers gives it."""
    value = statistic(np.ones(len(y)))
    low, high = interval(statistic, sellers, seed=seed) if not math.isnan(value) else (math.nan, math.nan)
    rows, frauds = int((~np.isnan(y)).sum()), int((y == 1).sum())
    reason = "" if not math.isnan(value) else _why_meaningless(rows, frauds)
    return Measure(name=name, value=value, low=low, high=high, rows=rows, frauds=frauds, reason=reason)


def _why_meaningless(rows: int, frauds: int) -> str:
    if rows == 0:
        return "no decided listing"
    if frauds == 0:
        return "no fraud among the decided listings"
    return "only frauds among the decided listings" if frauds == rows else "no decided listing in the queue"


def interval(statistic: Statistic, sellers: NDArray[np.int64], *, seed: int) -> tuple[float, float]:
    """Return the percentile interval of ``RESAMPLES`` draws of sellers with replacement (cluster bootstrap)."""
    return span(resampled(statistic, sellers, seed=seed))


def span(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return between which values the middle ``LEVEL`` of the resamples lie; those without meaning are left out."""
    values = values[~np.isnan(values)]
    if not values.size:
        return math.nan, math.nan
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def resampled(statistic: Statistic, sellers: NDArray[np.int64], *, seed: int) -> NDArray[np.float64]:
    """Return the figure of each resample; the same seed draws the same sellers, so that differences are paired."""
    keys, seller_at = np.unique(sellers, return_inverse=True)
    return np.array([statistic(times[seller_at]) for times in _draws(len(keys), seed)])


def _draws(sellers: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each seller is drawn, once for each resample; shape (sellers,)."""
    generator = np.random.default_rng(seed)
    for _ in range(RESAMPLES):
        yield np.bincount(generator.integers(0, sellers, size=sellers), minlength=sellers).astype(np.float64)


def shares(
    parts: NDArray[np.float64], wholes: NDArray[np.float64], sellers: NDArray[np.int64], *, seed: int
) -> NDArray[np.float64]:
    """Compute many shares with their intervals in one go, from the same draws of sellers as `resampled`.

    Parameters
    ----------
    parts, wholes
        Amounts of each row, shape (rows, k): share ``k`` is the sum of a part by the sum of its whole.
    sellers
        Shape (rows,).
    seed
        Of the bootstrap.

    Returns
    -------
    numpy.ndarray
        ``value, low, high``, shape (k, 3); NaN where the whole is nothing.
    """
    keys, seller_at = np.unique(sellers, return_inverse=True)
    amounts = (*parts.T, *wholes.T)
    by_seller = np.array([np.bincount(seller_at, weights=amount, minlength=len(keys)) for amount in amounts])
    by_seller = by_seller.reshape(len(amounts), len(keys)).T
    drawn = [np.ones(len(keys)), *_draws(len(keys), seed)]
    part, whole = np.split(np.stack([times @ by_seller for times in drawn]), 2, axis=1)
    found = np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
    spans = np.array([span(draws) for draws in found[1:].T]).reshape(-1, 2)
    return np.column_stack([found[0], spans])


def average_precision(y: NDArray[np.float64], score: NDArray[np.float64]) -> Statistic:
    """Precision averaged over the recall steps, ties taken together; undecided rows left out.

    The same figure as scikit-learn's, sorted once for all resamples.
    """
    known = np.flatnonzero(~np.isnan(y))
    order = known[np.argsort(-score[known], kind="stable")]
    fraud, ordered = y[order], score[order]
    step_ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if order.size else order

    def statistic(weight: NDArray[np.float64]) -> float:
        caught = np.cumsum(weight[order] * fraud)[step_ends]
        seen = np.cumsum(weight[order])[step_ends]
        if not caught.size or caught[-1] == 0 or caught[-1] == seen[-1]:
            return math.nan
        precision = np.divide(caught, seen, out=np.zeros_like(caught), where=seen > 0)
        return float(np.sum(np.diff(caught, prepend=0.0) * precision) / caught[-1])

    return statistic


def daily_queue(score: NDArray[np.float64], as_of: pd.Series, capacity: int) -> NDArray[np.bool_]:
    """Say which rows are among the ``capacity`` highest of their day (UTC); of equals, the earlier row."""
    day = as_of.dt.floor("D").to_numpy()
    place = pd.Series(score).groupby(day).rank(method="first", ascending=False)
    return (place <= capacity).to_numpy()


def precision_in(queue: NDArray[np.bool_], y: NDArray[np.float64]) -> Statistic:
    """Share of frauds among the decided rows of the queue."""
    judged = queue & ~np.isnan(y)
    return _ratio((y == 1) & judged, judged)


def recall_in(queue: NDArray[np.bool_], y: NDArray[np.float64]) -> Statistic:
    """Share of the known frauds that the queue holds."""
    return _ratio((y == 1) & queue, y == 1)


def _ratio(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> Statistic:
    def statistic(weight: NDArray[np.float64]) -> float:
        total = weight[whole].sum()
        return float(weight[part].sum() / total) if total else math.nan

    return statistic


def brier(y: NDArray[np.float64], score: NDArray[np.float64]) -> Statistic:
    """Mean squared distance of probability and outcome over the decided rows (Brier 1950)."""
    known = ~np.isnan(y)
    squared = (score[known] - y[known]) ** 2

    def statistic(weight: NDArray[np.float64]) -> float:
        total = weight[known].sum()
        return float(weight[known] @ squared / total) if total else math.nan

    return statistic


def calibration_bins(score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each row, from 0: bins of about equal size by score; equal scores share one."""
    edges = np.unique(np.quantile(score, np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1])) if score.size else score
    return np.searchsorted(edges, score, side="left")


def calibration_error(y: NDArray[np.float64], score: NDArray[np.float64]) -> Statistic:
    """Mean distance of probability and fraud share over bins of equal size (expected calibration error)."""
    known = np.flatnonzero(~np.isnan(y))
    bins = calibration_bins(score[known])
    surplus = score[known] - y[known]

    def statistic(weight: NDArray[np.float64]) -> float:
        total = weight[known].sum()
        gaps = np.abs(np.bincount(bins, weights=weight[known] * surplus))
        return float(gaps.sum() / total) if total else math.nan

    return statistic
