"""Versions: a row that says something new adds a version, one that repeats what is known adds nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from data.catalog.frames import to_microseconds
from data.catalog.keys import joined_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of incoming rows: ``new`` versions, and ``contradicted`` rows that say otherwise at the same time."""

    new: pd.DataFrame
    contradicted: pd.DataFrame


def content_keys(frame: pd.DataFrame, columns: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return a key of each row's content in ``columns``; missing differs from empty.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    return joined_keys(*(_texts(frame[name]) for name in columns))


def settle(incoming: pd.DataFrame, known: pd.DataFrame, key: str) -> Settled:
    """Tell new versions from repetitions and contradictions.

    Parameters
    ----------
    incoming
        Rows with ``key``, ``observed_at`` and ``content_key``, in reading order.
    known
        The versions already kept of the same keys, same three columns.
    key
        Name of the key column.
    """
    incoming = incoming.assign(_order=range(len(incoming)), _kept=False)
    kept = known[[key, "observed_at", "content_key"]].assign(_order=-1, _kept=True)
    rows = pd.concat([kept, incoming], ignore_index=True).sort_values([key, "observed_at", "_order"], kind="stable")
    at_once = rows.groupby([key, "observed_at"], sort=False)["content_key"]
    contradicts = rows["content_key"] != at_once.transform("first")
    first = rows.drop_duplicates([key, "observed_at"])
    # A version that repeats the one before it says nothing, unless it is already kept.
    repeats = first["content_key"] == first.groupby(key, sort=False)["content_key"].shift()
    new = first[~first["_kept"] & ~repeats]
    contradicted = rows[contradicts & ~rows["_kept"]]
    return Settled(
        *(
            part.sort_values("_order")[list(incoming.columns)].drop(columns=["_order", "_kept"])
            for part in (new, contradicted)
        )
    )


def _texts(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = to_microseconds(column)
    return column.astype(object).map(repr, na_action="ignore").astype(object).where(column.notna(), "")
