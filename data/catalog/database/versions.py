"""Versions: a row that says something new adds a version, one that repeats what is known adds nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.catalog.database.frames import to_microseconds
from data.catalog.database.keys import joined_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT = -1


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of incoming rows: ``new`` versions, and ``contradicted`` rows that say otherwise at the same time."""

    new: pd.DataFrame
    contradicted: pd.DataFrame


def content_ids(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return an id of each row's content in ``columns``; missing differs from empty."""
    return joined_ids(*(_texts(frame[name]) for name in columns))


def settle(incoming: pd.DataFrame, known: pd.DataFrame, key: str) -> Settled:
    """Tell new versions from repetitions and contradictions.

    Parameters
    ----------
    incoming
        Rows with ``key``, ``observed_at`` and ``content_id``, in reading order.
    known
        The versions already kept of the same keys, same three columns.
    key
        Name of the key column.
    """
    columns = [key, "observed_at", "content_id"]
    # Only these columns are put together: others would have to be filled, and filled whole numbers lose their bits.
    rows = pd.concat(
        [known[columns].assign(row=KEPT), incoming[columns].assign(row=np.arange(len(incoming)))], ignore_index=True
    ).sort_values([key, "observed_at", "row"], kind="stable", ignore_index=True)
    contradicts = rows["content_id"] != rows.groupby([key, "observed_at"])["content_id"].transform("first")
    first = rows.drop_duplicates([key, "observed_at"])
    # A version that repeats the one before it says nothing.
    repeats = first["content_id"] == first.groupby(key, sort=False)["content_id"].shift()
    return Settled(_rows(incoming, first.loc[~repeats, "row"]), _rows(incoming, rows.loc[contradicts, "row"]))


def _rows(incoming: pd.DataFrame, numbers: pd.Series) -> pd.DataFrame:
    return incoming.iloc[np.sort(numbers[numbers != KEPT])]


def _texts(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = to_microseconds(column)
    return column.astype(object).map(repr, na_action="ignore").astype(object).where(column.notna(), "")
