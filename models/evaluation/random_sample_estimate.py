"""How much fraud lies outside of what analysts look at, estimated from listings drawn at random.

What is reviewed because it scored high says nothing of what was not reviewed. Listings drawn by lot do: each stands for
as many as its chance of being drawn was small (Horvitz & Thompson 1952).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from models.evaluation.metrics import LEVEL

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """An estimated share with its interval; NaN throughout where nothing was decided on."""

    value: float
    low: float
    high: float
    decided: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSampleEstimate:
    """What the reviewed top and the rest below it hold.

    Parameters
    ----------
    precision
        Share of frauds in the top, from its decided listings.
    fraud_in_rest
        Share of frauds in the rest, from those drawn at random and decided.
    recall
        Share of all frauds that the top holds.
    top, rest
        How many listings there are of each.
    drawn
        How many of the rest were drawn.
    """

    precision: Share
    fraud_in_rest: Share
    recall: Share
    top: int
    rest: int
    drawn: int


def random_sample_estimate(scored: pd.DataFrame, top: NDArray[np.bool_]) -> RandomSampleEstimate:
    """Estimate precision and recall of a reviewed top over *all* frauds, found or not.

    Decided listings of the rest that were not drawn are not looked at: why they were decided on is not known.
    Listings of one seller count as independent, which they nearly are where few are drawn.

    Parameters
    ----------
    scored
        Every listing of a stretch of time: ``y`` (1 fraud, 0 legit, NaN undecided) and ``propensity``, the chance with
        which it was drawn at random, NaN where it was not drawn.
    top
        Which of them are reviewed, shape (rows,).
    """
    y = scored["y"].to_numpy("float64")
    propensity = scored["propensity"].to_numpy("float64")
    drawn = ~top & ~np.isnan(propensity)
    sampled = drawn & ~np.isnan(y)
    precision = weighted_share(y[top & ~np.isnan(y)], np.ones(int((top & ~np.isnan(y)).sum())))
    in_rest = weighted_share(y[sampled], 1 / propensity[sampled])
    counts = int(top.sum()), int((~top).sum())
    return RandomSampleEstimate(
        precision=precision,
        fraud_in_rest=in_rest,
        recall=_recall(precision, in_rest, *counts),
        top=counts[0],
        rest=counts[1],
        drawn=int(drawn.sum()),
    )


def weighted_share(y: NDArray[np.float64], weight: NDArray[np.float64]) -> Share:
    """Estimate a share from rows that stand for ``weight`` listings each.

    The interval is Wilson's (1927) at the effective number of rows (Kish 1965): it stays honest where no fraud was
    found, which is what most audits find, and where a bootstrap would claim certainty.

    Parameters
    ----------
    y
        1 or 0, shape (rows,).
    weight
        Positive, shape (rows,).
    """
    if not y.size:
        return Share(value=math.nan, low=math.nan, high=math.nan, decided=0)
    value = float(weight @ y / weight.sum())
    effective = float(weight.sum() ** 2 / (weight @ weight))
    z = float(norm.ppf((1 + LEVEL) / 2))
    middle = (value + z**2 / (2 * effective)) / (1 + z**2 / effective)
    half = z / (1 + z**2 / effective) * math.sqrt(value * (1 - value) / effective + z**2 / (4 * effective**2))
    # Rounding must not put the estimate outside of its own interval.
    low, high = max(0.0, min(middle - half, value)), min(1.0, max(middle + half, value))
    return Share(value=value, low=low, high=high, decided=len(y))


def _recall(precision: Share, in_rest: Share, top: int, rest: int) -> Share:
    """Set the frauds of the top against all; the bounds take both shares at their unfavourable, or favourable, ends."""

    def recall(in_top: float, below: float) -> float:
        found, missed = in_top * top, below * rest
        return found / (found + missed) if found + missed > 0 else math.nan

    if not rest:
        in_rest = Share(value=0.0, low=0.0, high=0.0, decided=0)
    return Share(
        value=recall(precision.value, in_rest.value),
        low=recall(precision.low, in_rest.high),
        high=recall(precision.high, in_rest.low),
        decided=precision.decided + in_rest.decided,
    )
