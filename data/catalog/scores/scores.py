"""Scores with the feature vectors they were made from, so that each can be replayed, and which model is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import bindparam, select

from data.catalog.database.frames import insert, read_frame, to_rows, upsert, whole_table
from data.catalog.database.schema import features, model_events, scores

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

VECTOR = np.dtype("<f8")
SCORE_KEYS = ("listing_key", "as_of", "model_id")
KEPT, PROMOTED, ROLLED_BACK = "kept", "promoted", "rolled back to"


def save_scores(connection: Connection, rows: pd.DataFrame) -> None:
    """Keep scores: one row for each (listing_key, as_of, model_id), all columns of the table."""
    upsert(connection, scores, rows)


def save_features(connection: Connection, moments: pd.DataFrame, vectors: pd.DataFrame, spec: str) -> None:
    """Keep feature vectors as little-endian float64, in column order; NaN is kept bit for bit."""
    upsert(connection, features, packed(moments, vectors, spec))


def packed(moments: pd.DataFrame, vectors: pd.DataFrame, spec: str) -> pd.DataFrame:
    """Return feature vectors as rows of the table ``features``."""
    rows = moments[["listing_key", "as_of"]].reset_index(drop=True).assign(spec=spec)
    blobs = [row.tobytes() for row in np.ascontiguousarray(vectors.to_numpy(VECTOR))]
    return rows.assign(vector=pd.Series(blobs, dtype=object))


def unpack(vectors: pd.Series, names: list[str]) -> pd.DataFrame:
    """Return stored vectors as a frame of float64 columns ``names``."""
    values = np.frombuffer(b"".join(vectors), dtype=VECTOR).reshape(len(vectors), len(names))
    return pd.DataFrame(values, columns=names, index=vectors.index)


def rank_run(connection: Connection, run_id: str) -> None:
    """Rank the scores of a run from 1, the highest first; equal scores in the order of their moments."""
    asked = whole_table(scores, (*SCORE_KEYS, "score")).where(scores.c.run_id == run_id)
    rows = read_frame(connection, asked)
    ordered = rows.sort_values(["score", "as_of", "listing_key"], ascending=[False, True, True], ignore_index=True)
    ranked = to_rows(ordered[list(SCORE_KEYS)].assign(rank=ordered.index + 1))
    if not ranked:
        return
    same = [scores.c[name] == bindparam(f"of_{name}") for name in SCORE_KEYS]
    statement = scores.update().where(*same).values(rank=bindparam("of_rank"))
    # Renamed: a parameter with a column's name would be set, not compared.
    connection.execute(statement, [{f"of_{name}": value for name, value in row.items()} for row in ranked])


def champion(connection: Connection) -> str | None:
    """Return the id of the model in use; ``None`` before the first promotion."""
    query = select(model_events.c.model_id).where(model_events.c.action.in_([PROMOTED, ROLLED_BACK]))
    found: str | None = connection.execute(query.order_by(model_events.c.event.desc()).limit(1)).scalar()
    return found


def history(connection: Connection) -> pd.DataFrame:
    """Return all model events, oldest first."""
    return read_frame(connection, select(model_events).order_by(model_events.c.event))


def previous_champion(connection: Connection) -> str | None:
    """Return the model that was in use before the present one; ``None`` if there was none."""
    events = history(connection)
    used = events.loc[events["action"].isin([PROMOTED, ROLLED_BACK]), ["model_id", "previous_id"]]
    return None if used.empty or pd.isna(used["previous_id"].iloc[-1]) else str(used["previous_id"].iloc[-1])


def record_model(connection: Connection, model_id: str, action: str, reason: str, now: datetime) -> None:
    """Append what happened to a model, together with the champion before it."""
    event = {
        "model_id": [model_id],
        "action": [action],
        "reason": [reason],
        "previous_id": [champion(connection)],
    }
    insert(connection, model_events, pd.DataFrame(event).assign(happened_at=pd.Timestamp(now)))
