"""Which rows are learned from at a moment, and how much each of them counts.

Listings get a decision because somebody looked at them, and people look at what scores high. Two things set that right:
listings drawn at random stand for all that had the same chance, and undecided ones can count a little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.dataset.splits import apart, groups_of

if TYPE_CHECKING:
    from datetime import timedelta

    from numpy.typing import NDArray

    from data.settings import ModelSettings, Undecided

MAX_WEIGHT = 20.0
"""A row drawn with a chance of one in a thousand must not outvote all others: weights beyond this are cut off, which
costs a little bias and saves much variance."""
WEAK_WEIGHT = 0.1
"""Ten mature listings without a decision speak as loudly as one that somebody found to be legit."""
LEFT_OUT: Undecided = "left_out"
WEAKLY_LEGIT: Undecided = "weakly_legit"
POLICIES: dict[Undecided, str] = {
    LEFT_OUT: "undecided left out",
    WEAKLY_LEGIT: "undecided weakly legit",
}
"""What each policy is called in tables."""


def selection_weights(examples: pd.DataFrame) -> NDArray[np.float64]:
    """Return how many listings each row stands for: the inverse of its chance of being looked at, cut off.

    Parameters
    ----------
    examples
        With a ``chance_of_a_look`` column: the chance with which a row was drawn at random where only that made
        somebody look at it, and else 1, as without the column; such a row stands for itself.
    """
    if "chance_of_a_look" not in examples:
        return np.ones(len(examples))
    return np.minimum(1 / examples["chance_of_a_look"].to_numpy("float64"), MAX_WEIGHT)


def mature_undecided(
    examples: pd.DataFrame, *, cut: pd.Timestamp, mature: timedelta, test: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rows that nobody had decided on by ``cut``, though they were old enough by then.

    What was decided later is not known yet: such a row is undecided too, whatever it turned out to be.

    Parameters
    ----------
    examples
        ``EXAMPLE_COLUMNS``.
    cut
        The moment that is looked back from.
    mature
        Age from which silence says something.
    test
        Rows whose sellers and photos must not be learned from.
    """
    silent = ~(examples["known_at"] <= cut) & (examples["as_of"] <= cut - mature)
    return apart(groups_of(examples), np.flatnonzero(silent), test)


def training_rows(
    examples: pd.DataFrame,
    decided: NDArray[np.int64],
    *,
    cut: pd.Timestamp,
    test: NDArray[np.int64],
    undecided: Undecided,
    settings: ModelSettings,
) -> pd.DataFrame:
    """Return the rows to learn from in order of time, with ``weight`` and ``weak`` (nobody decided on it).

    Parameters
    ----------
    examples
        As `models.dataset.examples.make_examples` gives them.
    decided
        Rows whose decision was known by ``cut``.
    cut, test
        As for `mature_undecided`.
    undecided
        Whether undecided rows are left out.
    settings
        The age from which listings are mature.
    """
    firm = examples.iloc[decided].assign(weight=selection_weights(examples)[decided], weak=False)
    if undecided == LEFT_OUT:
        return firm
    rows = mature_undecided(examples, cut=cut, mature=pd.Timedelta(days=settings.mature_days), test=test)
    silent = examples.iloc[rows].assign(y=0.0, weight=WEAK_WEIGHT, weak=True)
    return pd.concat([firm, silent]).sort_index()
