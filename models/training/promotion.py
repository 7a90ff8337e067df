"""Whether a candidate may replace the champion: only when it is better on rows neither has learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.estimator.scorer import feature_matrix
from models.evaluation.metrics import average_precision, daily_queue, precision_in, resampled

if TYPE_CHECKING:
    from models.estimator.scorer import Scorer
    from models.training.candidate import Candidate

MIN_FRAUDS = 10
"""Fewer frauds than this on rows new to both cannot tell two models apart."""
MIN_AGREEMENT = 0.8
"""Share of the resamples in which the candidate's average precision must be the higher one."""
TOLERATED_PRECISION_LOSS = 0.02
"""At the daily capacity; analysts feel precision, average precision alone may hide a loss there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Promote or not, why in one sentence, and the figures it rests on (NaN where they could not be had)."""

    promote: bool
    why: str
    candidate_average_precision: float
    champion_average_precision: float
    agreement: float
    rows: int


def decide(candidate: Candidate, examples: pd.DataFrame, champion: Scorer, *, capacity: int, seed: int) -> Decision:
    """Compare candidate and champion on the same test rows.

    The candidate is judged by its fold models, which knew nothing of their test rows. A champion that learned is
    judged only on moments after it was trained: on older rows it would be quoting what it learned.

    Parameters
    ----------
    candidate
        What was trained.
    examples
        The rows it was trained on: its ``scored`` points into them.
    champion
        The current model, or the rule.
    capacity
        Listings that analysts judge in a day.
    seed
        Of the paired bootstrap by seller.
    """
    scored = candidate.scored
    if champion.trained_until is not None:
        scored = scored[scored["as_of"] > pd.Timestamp(champion.trained_until)]
    x = feature_matrix(examples.iloc[scored["row"].to_numpy()], candidate.specs)
    both = scored.assign(champion=champion.probabilities(champion.margins(x)))
    return compare(both, champion_id=champion.model_id, capacity=capacity, seed=seed)


def compare(scored: pd.DataFrame, *, champion_id: str, capacity: int, seed: int) -> Decision:
    """Decide from rows with ``y, as_of, seller_key``, ``score`` (the candidate's) and ``champion``."""
    y = scored["y"].to_numpy("float64")
    frauds, legits = int((y == 1).sum()), int((y == 0).sum())
    if frauds < MIN_FRAUDS or not legits:
        nan = float("nan")
        why = (
            f"Not promoted: only {frauds} fraud and {legits} legit decisions are new to both {champion_id} and the "
            f"candidate; {MIN_FRAUDS} frauds are needed to tell them apart."
        )
        return Decision(
            promote=False,
            why=why,
            candidate_average_precision=nan,
            champion_average_precision=nan,
            agreement=nan,
            rows=frauds + legits,
        )
    return _weighed(scored, y, champion_id=champion_id, capacity=capacity, seed=seed)


def _weighed(scored: pd.DataFrame, y: np.ndarray, *, champion_id: str, capacity: int, seed: int) -> Decision:
    sellers = scored["seller_key"].to_numpy("int64")
    everyone = np.ones(len(y))
    value, draws, precision = {}, {}, {}
    for name in ("score", "champion"):
        p = scored[name].to_numpy("float64")
        statistic = average_precision(y, p)
        value[name], draws[name] = statistic(everyone), resampled(statistic, sellers, seed=seed)
        precision[name] = precision_in(daily_queue(p, scored["as_of"], capacity), y)(everyone)
    agreement = float(np.mean(draws["score"] > draws["champion"]))
    surely = value["score"] > value["champion"] and agreement >= MIN_AGREEMENT
    # A queue without a decided row has no precision; it cannot have got worse.
    kept = not precision["score"] < precision["champion"] - TOLERATED_PRECISION_LOSS
    promote = surely and kept
    why = (
        f"{'Promoted' if promote else 'Not promoted'}: average precision {value['score']:.3f} against "
        f"{value['champion']:.3f} of {champion_id}, higher in {agreement:.0%} of the resamples "
        f"({MIN_AGREEMENT:.0%} needed); precision at {capacity} a day {precision['score']:.3f} against "
        f"{precision['champion']:.3f}."
    )
    return Decision(
        promote=promote,
        why=why,
        candidate_average_precision=value["score"],
        champion_average_precision=value["champion"],
        agreement=agreement,
        rows=int((~np.isnan(y)).sum()),
    )
