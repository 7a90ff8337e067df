"""The groups a report looks at one by one: who sells, how the photos were changed, how dear it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models.evaluation.metrics import average_precision, measure, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SLICE_COLUMNS = (
    "slice", "group", "rows", "frauds", "found", "found_low", "found_high", "alarmed", "alarmed_low", "alarmed_high",
    "average_precision", "low", "high", "reason",
)  # fmt: skip
MAX_SLICE_VALUES = 12
YOUNG_DAYS = 90
"""An account up to this age is young; thieves' accounts mostly are, and so are newcomers'."""
SUDDEN_BURST = 3.0
"""From this multiple of its ordinary pace on, an older account has changed its habits: it may be in other hands ..."""
LONG_SILENCE_DAYS = 60
"""... or after so long a silence, or with goods and a place that are both new to it."""
QUARTERS = ("cheapest quarter", "second quarter", "third quarter", "dearest quarter")
OWN_PHOTOS = "no copied photo"
MIXED_EDIT = "several edits"


def account_groups(examples: pd.DataFrame) -> pd.Series:
    """Tell young accounts, older ones whose habits suddenly changed, and older ones going on as ever.

    Parameters
    ----------
    examples
        ``account_age_days, burst, silence_ended_days, category_habit, location_habit``, as the features have them.
    """
    age = examples["account_age_days"]
    changed = (
        (examples["burst"] >= SUDDEN_BURST)
        | (examples["silence_ended_days"] >= LONG_SILENCE_DAYS)
        | ((examples["category_habit"] == 0) & (examples["location_habit"] == 0))
    )
    groups = np.select(
        [age.isna(), age <= YOUNG_DAYS, changed],
        ["age not known", f"up to {YOUNG_DAYS} days old", "older, habits suddenly changed"],
        "older, as ever",
    )
    return pd.Series(groups, index=examples.index, dtype="str")


def price_bands(price: pd.Series, market: pd.DataFrame) -> pd.Series:
    """Say in which quarter of its kind's prices each price lies.

    Parameters
    ----------
    price
        NaN where the listing states none.
    market
        What prices are compared within (category, currency), on the same index.
    """
    place = price.groupby([market[name] for name in market], dropna=False).rank(pct=True)
    quarter = np.clip(np.ceil(place * len(QUARTERS)) - 1, 0, len(QUARTERS) - 1)
    named: pd.Series = quarter.map(dict(enumerate(QUARTERS))).fillna("no price").astype("str")
    return named


def edit_groups(edit: pd.Series) -> pd.Series:
    """Name what was done to the surest copied photo; missing where no photo counts as copied."""
    groups = edit.where(~edit.str.contains("+", regex=False, na=False), MIXED_EDIT)
    named: pd.Series = groups.replace({"none": "same file"}).fillna(OWN_PHOTOS).astype("str")
    return named


def slice_table(
    decided: pd.DataFrame, slices: Sequence[str], *, score: str, queue: NDArray[np.bool_], high: float, seed: int
) -> pd.DataFrame:
    """Judge scores within each group of each slice.

    Parameters
    ----------
    decided
        ``y``, ``seller_key``, the scores, and a column of groups for each slice.
    slices
        Those columns; of each, the ``MAX_SLICE_VALUES`` largest groups are shown.
    score
        Column of the scores.
    queue
        Whether analysts would have looked at the row, shape (rows,).
    high
        Least score of the band ``high``.
    seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        ``SLICE_COLUMNS``: ``found`` is the share of the group's frauds that analysts would have looked at,
        ``alarmed`` the share of its honest listings in the band ``high``; each with its interval.
    """
    rows = [
        _slice_row(name, str(group), decided[of_group], score=score, queue=queue[of_group], high=high, seed=seed)
        for name in slices
        for group in decided[name].value_counts().index[:MAX_SLICE_VALUES]
        for of_group in [(decided[name] == group).to_numpy()]
    ]
    return pd.DataFrame(rows, columns=list(SLICE_COLUMNS))


def _slice_row(
    name: str, group: str, part: pd.DataFrame, *, score: str, queue: NDArray[np.bool_], high: float, seed: int
) -> dict[str, Any]:
    y, p = part["y"].to_numpy("float64"), part[score].to_numpy("float64")
    sellers = part["seller_key"].to_numpy("int64")
    figure = measure("average_precision", average_precision(y, p), y, sellers, seed=seed)
    fraud, honest = y == 1, y == 0
    parts = np.column_stack([fraud & queue, honest & (p >= high)])
    found, alarmed = shares(parts.astype(float), np.column_stack([fraud, honest]).astype(float), sellers, seed=seed)
    values = (
        name, group, figure.rows, figure.frauds, *found, *alarmed, figure.value, figure.low, figure.high, figure.reason
    )  # fmt: skip
    return dict(zip(SLICE_COLUMNS, values, strict=True))
