"""Whether what comes now is still like what came before, by more than chance and by enough to matter.

A seller's listings resemble each other, so chance moves shares by much more than a count of listings suggests. Here
chance is what shuffling sellers between then and now does (a permutation test), and many features are judged together
by their largest deviation (Westfall & Young 1993), so that fifty of them raise no more false alarms than one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import binomtest, gamma
from scipy.stats import t as student

from models.evaluation.metrics import LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

BINS = 10
ABSENT = 0.5
"""Added to the count of every bin, so that an empty one has a logarithm (Jeffreys)."""
PERMUTATIONS = 499
AT_ONCE = 50
FALSE_ALARMS = 0.01
"""Chance that a comparison of any number of features raises an alarm although nothing changed."""
MATERIAL = 0.25
"""Population stability index from which a shift calls for action, as is customary (Siddiqi 2006)."""
LEAST_UNITS = 20
LEAST_PERIODS = 3
FACTOR = 1.5
"""By how much a rate must rise or fall to matter."""
TINY = 1e-12


def quantile_edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what parts values into bins of like numbers, shape (k,), ascending; missing ones are not looked at.

    A bin holds what is above one edge and not above the next. A value that many share has an edge at itself and one
    just below, so that it has a bin of its own.
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return np.empty(0)
    edges = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
    repeated = edges[:-1][edges[:-1] == edges[1:]]
    lowest = [known.min()] if known.min() == edges[0] else []
    return np.unique([*edges, *np.nextafter([*repeated, *lowest], -np.inf)])


def stability_indexes(
    before: NDArray[np.float64], now: NDArray[np.float64], starts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the population stability index of each column, 0 where the shares of its bins agree.

    Parameters
    ----------
    before, now
        Counts over the same bins, shape (comparisons, bins of all columns); bins empty on both sides say nothing.
    starts
        Where the bins of each column begin, shape (columns,).

    Returns
    -------
    ndarray
        Shape (comparisons, columns).
    """
    filled = (before + now) > 0
    a, b = (np.where(filled, side + ABSENT, 0.0) for side in (before, now))
    bins = np.diff(np.append(starts, before.shape[1]))
    sums = [np.repeat(np.add.reduceat(side, starts, axis=1), bins, axis=1) for side in (a, b)]
    p, q = (np.where(filled, side / np.maximum(whole, TINY), 1.0) for side, whole in zip((a, b), sums, strict=True))
    return np.add.reduceat((p - q) * np.log(p / q), starts, axis=1)


def shifts(
    before: pd.DataFrame,
    now: pd.DataFrame,
    *,
    units_before: ArrayLike,
    units_now: ArrayLike,
    seed: int,
) -> pd.DataFrame:
    """Compare two sets of rows, column by column.

    Parameters
    ----------
    before, now
        The same float64 columns, NaN for missing.
    units_before, units_now
        What belongs together for each row, such as its seller within a period; shuffled as a whole.
    seed
        Of the shuffling.

    Returns
    -------
    pandas.DataFrame
        One row a column of ``before``, the furthest moved first: ``feature, psi, by_chance`` (what it stays below in
        99 % of the shuffles, all features together), ``chance`` (that any feature moves so far), ``moved``, and
        ``median_before, median_now, missing_before, missing_now``.
    """
    rows = np.concatenate([before.to_numpy(np.float64), now.to_numpy(np.float64)])
    is_now = np.repeat([False, True], [len(before), len(now)])
    units = np.concatenate([_coded(units_before), _coded(units_now) + len(before)])
    counts, starts = _binned(rows, is_now)
    whole, label = _by_unit(counts, units, is_now)
    observed = _shuffled(whole, label[None], starts)[0]
    null = _null(whole, label, starts, np.random.default_rng(seed))
    surprise, furthest = _surprise(observed, null), _surprise(null, null).max(axis=1)
    chance = (np.append(furthest, surprise.max())[None] >= surprise[:, None]).mean(axis=1)
    limit = _as_surprising(float(np.quantile(furthest, 1 - FALSE_ALARMS)), null)
    table = pd.DataFrame(
        {
            "feature": before.columns,
            "psi": observed,
            "by_chance": limit,
            "chance": chance,
            "moved": (chance <= FALSE_ALARMS) & (observed >= MATERIAL),
            "median_before": before.median().to_numpy(),
            "median_now": now.median().to_numpy(),
            "missing_before": before.isna().mean().to_numpy(),
            "missing_now": now.isna().mean().to_numpy(),
        }
    )
    return table.iloc[np.argsort(-surprise, kind="stable")].reset_index(drop=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share of cases with its interval; NaN throughout without cases."""

    hits: int
    cases: int

    @property
    def share(self) -> float:
        """Hits among the cases."""
        return self.hits / self.cases if self.cases else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval (1927) at the level of all our intervals."""
        if not self.cases:
            return math.nan, math.nan
        interval = binomtest(self.hits, self.cases).proportion_ci(LEVEL, method="wilson")
        return float(interval.low), float(interval.high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.share:.1%} ({low:.1%} to {high:.1%})" if self.cases else "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateShift:
    """A rate now beside the same rate in the periods before.

    Parameters
    ----------
    now, before
        ``before`` sums all periods before.
    chance
        That a difference as large comes about without any change; NaN with fewer than three periods before.
    """

    now: Rate
    before: Rate
    chance: float

    @property
    def rose(self) -> bool:
        """Whether it rose by more than chance, and by enough to matter."""
        return self.chance <= FALSE_ALARMS and self.now.share >= FACTOR * self.before.share

    @property
    def fell(self) -> bool:
        """Whether it fell by more than chance, and by enough to matter."""
        return self.chance <= FALSE_ALARMS and self.now.share * FACTOR <= self.before.share


def rates(counts: pd.DataFrame, *, hits: str, cases: str) -> dict[int, Rate]:
    """Return the rate of each ``period`` of a table of counts."""
    columns = (counts[name].astype("int64").tolist() for name in ("period", hits, cases))
    return {number: Rate(hits=hit, cases=case) for number, hit, case in zip(*columns, strict=True)}


def rate_shift(now: Rate, before: Sequence[Rate]) -> RateShift:
    """Compare a rate with that of periods before.

    How much the periods differed among themselves, where that is more than chance alone makes them, widens what is
    taken for chance (overdispersion, McCullagh & Nelder 1989); few periods make it a guess, which Student's
    distribution pays for.
    """
    past = [rate for rate in before if rate.cases]
    total = Rate(hits=sum(rate.hits for rate in past), cases=sum(rate.cases for rate in past))
    if len(past) < LEAST_PERIODS or not now.cases:
        return RateShift(now=now, before=total, chance=math.nan)
    expected = (total.hits + now.hits + ABSENT) / (total.cases + now.cases + 2 * ABSENT)
    spread = expected * (1 - expected)
    squares = [rate.cases * (rate.share - total.share) ** 2 / spread for rate in past]
    dispersion = max(1.0, sum(squares) / (len(past) - 1))
    deviation = (now.share - total.share) / math.sqrt(dispersion * spread * (1 / now.cases + 1 / total.cases))
    return RateShift(now=now, before=total, chance=float(2 * student.sf(abs(deviation), len(past) - 1)))


def _coded(units: ArrayLike) -> NDArray[np.int64]:
    return np.asarray(pd.factorize(np.asarray(units))[0], dtype=np.int64)


def _binned(rows: NDArray[np.float64], is_now: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each value's bin, numbered over all columns, shape (rows, columns), and where each column's begin.

    The edges follow the values before; the last bin of a column is that of missing values.
    """
    bins, starts, width = np.empty(rows.shape, dtype=np.int64), [], 0
    for number, values in enumerate(rows.T):
        edges = quantile_edges(values[~is_now])
        own = np.searchsorted(edges, values, side="left")
        bins[:, number] = width + np.where(np.isnan(values), len(edges) + 1, own)
        starts.append(width)
        width += len(edges) + 2
    return bins, np.array([*starts, width], dtype=np.int64)


def _by_unit(
    bins: NDArray[np.int64], units: NDArray[np.int64], is_now: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the counts of each unit in each bin, shape (units, bins), and which units are of now."""
    codes, of_row = np.unique(units, return_inverse=True)
    width = int(bins.max()) + 1
    cells = (of_row[:, None] * width + bins).ravel()
    counts = np.bincount(cells, minlength=len(codes) * width).reshape(len(codes), width)
    label = np.zeros(len(codes), dtype=np.bool_)
    label[of_row[is_now]] = True
    return counts.astype(np.float32), label


def _null(
    counts: NDArray[np.float32],
    label: NDArray[np.bool_],
    starts: NDArray[np.int64],
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the indexes of each column after each shuffle of the units, shape (shuffles, columns)."""
    parts = []
    for first in range(0, PERMUTATIONS, AT_ONCE):
        some = np.repeat(label[None], min(AT_ONCE, PERMUTATIONS - first), axis=0)
        parts.append(_shuffled(counts, generator.permuted(some, axis=1), starts))
    return np.concatenate(parts)


def _surprise(indexes: NDArray[np.float64], null: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far out each index lies among its column's shuffles, comparable between columns: -log of a chance.

    The chance is that of a gamma distribution with the shuffles' mean and variance (Satterthwaite 1946), as the
    index of rare values has a longer tail than others. It only serves to compare; what it is worth, the shuffles tell.
    """
    shape, scale = _gamma(null)
    return np.asarray(-gamma.logsf(indexes, shape, scale=scale), np.float64)


def _as_surprising(surprise: float, null: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the index of each column that is as surprising."""
    shape, scale = _gamma(null)
    return np.asarray(gamma.isf(math.exp(-surprise), shape, scale=scale), np.float64)


def _gamma(null: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean, variance = np.maximum(null.mean(axis=0), TINY), np.maximum(null.var(axis=0), TINY**2)
    return mean**2 / variance, variance / mean


def _shuffled(counts: NDArray[np.float32], labels: NDArray[np.bool_], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    now = (labels.astype(np.float32) @ counts).astype(np.float64)
    now = np.pad(now, ((0, 0), (0, int(starts[-1]) - now.shape[1])))
    total = np.pad(counts.sum(axis=0, dtype=np.float64), (0, int(starts[-1]) - counts.shape[1]))
    return stability_indexes(total - now, now, starts[:-1])
