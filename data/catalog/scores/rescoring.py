"""Scoring a moment again: what says the same stays, what says otherwise takes its place, and the old one is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from data.catalog.database.frames import insert, read_by_keys, to_instant, upsert
from data.catalog.database.schema import features, past_features, past_scores, scores
from data.catalog.scores.scores import SCORE_KEYS, packed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Table

VECTOR_KEYS = ("listing_key", "as_of", "spec")
PLACE = frozenset({"rank", "run_id"})
"""Where a score stood among those of its run: not what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """Who replaces rows, and when."""

    run_id: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """How many scores were new, said otherwise than the one that is there, or said the same and were left alone."""

    added: int
    changed: int
    unchanged: int


def revise_scores(connection: Connection, rows: pd.DataFrame, revision: Revision) -> Revised:
    """Keep the scores of moments that may have been scored before, all by one model.

    A row that says the same as the one that is there is not written; another replaces it, and the old one goes to
    ``past_scores``. Doing it twice is doing it once.

    Parameters
    ----------
    rows
        All columns of ``scores``, one row for each moment.
    """
    known = _known(connection, scores, rows, SCORE_KEYS)
    says = [column.name for column in scores.columns if column.name not in PLACE]
    new, changed, old = _told_apart(rows, known, SCORE_KEYS, says)
    _set_aside(connection, past_scores, old, revision)
    upsert(connection, scores, pd.concat([new, changed]))
    return Revised(added=len(new), changed=len(changed), unchanged=len(rows) - len(new) - len(changed))


def revise_features(
    connection: Connection, moments: pd.DataFrame, vectors: pd.DataFrame, spec: str, revision: Revision
) -> None:
    """Keep feature vectors as `data.catalog.scores.scores.save_features` does; the old go to ``past_features``."""
    rows = packed(moments, vectors, spec)
    known = _known(connection, features, rows, VECTOR_KEYS)
    new, changed, old = _told_apart(rows, known, VECTOR_KEYS, [*VECTOR_KEYS, "vector"])
    _set_aside(connection, past_features, old, revision)
    upsert(connection, features, pd.concat([new, changed]))


def _known(connection: Connection, table: Table, rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return what is kept of the listings of some rows, within the rows' span of time and of the same kind."""
    kind = table.c[keys[-1]]
    query = table.select().where(
        table.c.as_of.between(to_instant(rows["as_of"].min()), to_instant(rows["as_of"].max())),
        kind.in_(rows[keys[-1]].unique().tolist()),
    )
    return read_by_keys(connection, query, table.c.listing_key, rows["listing_key"])


def _told_apart(
    rows: pd.DataFrame, known: pd.DataFrame, keys: Sequence[str], says: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the rows that are new, those that say otherwise than what is known, and what these replace."""
    incoming, there = rows.set_index(list(keys), drop=False), known.set_index(list(keys), drop=False)
    both = incoming.index.isin(there.index)
    again = incoming[both]
    before = there.loc[again.index]
    differs = pd.Series(False, index=again.index)
    for name in says:
        now, then = again[name].astype(object), before[name].astype(object)
        differs |= ~((now == then).fillna(False).astype(bool) | (now.isna() & then.isna()))
    parts = incoming[~both], again[differs], before[differs]
    new, changed, old = (part.reset_index(drop=True) for part in parts)
    return new, changed, old


def _set_aside(connection: Connection, past: Table, old: pd.DataFrame, revision: Revision) -> None:
    replaced_at = pd.Series(pd.Timestamp(revision.now), index=old.index, dtype="datetime64[us, UTC]")
    insert(connection, past, old.assign(replaced_at=replaced_at, replaced_by=revision.run_id))
