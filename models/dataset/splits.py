"""Time-ordered folds with a gap for labels to arrive, apart by seller and by photo, and the check that recomputes them.

The words are those of prequential validation with a delay period (Fraud Detection Handbook, chapter 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.errors import LeakError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from numpy.typing import NDArray

FIRST_TRAINING_SHARE = 0.4
"""Share of the labelled examples that lies before the first cut."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """One cut in time: learn from what was known at it, be judged on what came after.

    Parameters
    ----------
    number
        From 1, in order of time.
    cut, end
        Tested are moments in ``(cut, end]``.
    delay
        Trained are moments up to ``cut - delay`` whose decision was known by ``cut``.
    train, test
        Row numbers in the examples. ``test`` holds undecided rows too: they compete for the analysts' time.
    left_out
        Training rows given up because a decided test row has their seller or their photos.
    """

    number: int
    cut: pd.Timestamp
    end: pd.Timestamp
    delay: timedelta
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    left_out: int


def prequential_folds(examples: pd.DataFrame, *, folds: int, delay: timedelta) -> list[Fold]:
    """Cut the examples into consecutive test periods with about equally many decided rows each.

    Rows that share a seller or a photo cluster with a decided test row are dropped from *training*. Dropping them
    from the test would remove nearly every theft, since a copied photo's victim stands in the past, and the busiest
    sellers with them; the stream that is judged must stay what analysts would have met. Undecided test rows bind
    nothing: nothing about them can be remembered.

    Parameters
    ----------
    examples
        ``EXAMPLE_COLUMNS``; row numbers of the result are positions in it.
    folds
        Number of test periods.
    delay
        Gap between the last moment trained on and the cut.

    Returns
    -------
    list of Fold
        Fewer than ``folds`` when equal times leave a period empty; ``train`` may lack a class.
    """
    decided_at = examples.loc[examples["y"].notna(), "as_of"]
    if decided_at.empty:
        return []
    shares = np.linspace(FIRST_TRAINING_SHARE, 1.0, folds + 1)
    edges = pd.DatetimeIndex(decided_at.quantile(shares, interpolation="lower").drop_duplicates())
    return [
        _fold(examples, number=number, cut=cut, end=end, delay=delay)
        for number, (cut, end) in enumerate(pairwise(edges), start=1)
    ]


def _fold(examples: pd.DataFrame, *, number: int, cut: pd.Timestamp, end: pd.Timestamp, delay: timedelta) -> Fold:
    as_of, y = examples["as_of"], examples["y"]
    test = np.flatnonzero((as_of > cut) & (as_of <= end))
    known = np.flatnonzero((as_of <= cut - delay) & (examples["known_at"] <= cut) & y.notna())
    decided = test[y.notna().to_numpy()[test]]
    train = apart(groups_of(examples), known, decided)
    return Fold(
        number=number,
        cut=cut,
        end=end,
        delay=delay,
        train=train,
        test=test,
        left_out=len(known) - len(train),
    )


def groups_of(examples: pd.DataFrame) -> NDArray[np.int64]:
    """Return what must not be both learned from and judged by, seller and photo cluster; shape (rows, 2)."""
    return examples[["seller_key", "photo_cluster"]].to_numpy("int64")


def apart(groups: NDArray[np.int64], rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those of ``rows`` that share no group with any of ``others``; ``groups`` has a column for each kind."""
    shares = np.zeros(len(rows), dtype=bool)
    for values in groups.T:
        shares |= np.isin(values[rows], values[others])
    return rows[~shares]


def check_split(examples: pd.DataFrame, folds: Sequence[Fold]) -> None:
    """Recompute from the bare rows that no fold learns from its own test, and name every leak.

    Written without the functions that made the folds, row by row over plain sets, so that a mistake in them
    cannot hide here.

    Raises
    ------
    LeakError
        With one sentence for each kind of leak of each fold.
    """
    leaks: list[str] = []
    tested_before: set[int] = set()
    for fold in folds:
        leaks += [f"fold {fold.number}: {leak}" for leak in _leaks(examples, fold)]
        again = tested_before.intersection(fold.test.tolist())
        if again:
            leaks.append(f"fold {fold.number}: {len(again)} row(s) are tested in an earlier fold too")
        tested_before.update(fold.test.tolist())
    if leaks:
        raise LeakError(leaks)


def _leaks(examples: pd.DataFrame, fold: Fold) -> list[str]:
    train, test = examples.iloc[fold.train], examples.iloc[fold.test]
    decided = test[test["y"].notna()]
    latest = fold.cut - fold.delay
    counts = {
        "row(s) stand in training and in test": len(set(fold.train.tolist()) & set(fold.test.tolist())),
        "training row(s) have no decision": sum(y not in (0.0, 1.0) for y in train["y"]),
        f"training row(s) lie after {latest} (the cut less the label delay)": sum(
            moment > latest for moment in train["as_of"]
        ),
        f"training label(s) became known after the cut {fold.cut}": sum(
            known > fold.cut for known in train["known_at"]
        ),
        f"test row(s) lie outside ({fold.cut}, {fold.end}]": sum(
            not fold.cut < moment <= fold.end for moment in test["as_of"]
        ),
        "seller(s) stand in training and in test": len(
            set(train["seller_key"].tolist()) & set(decided["seller_key"].tolist())
        ),
        "photo cluster(s) stand in training and in test": len(
            set(train["photo_cluster"].tolist()) & set(decided["photo_cluster"].tolist())
        ),
    }
    return [f"{count} {leak}" for leak, count in counts.items() if count]
