"""Which model is in use, and everything that happened to models: append-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import select

from data.catalog.database.frames import insert, read_frame
from data.catalog.database.schema import model_events

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

KEPT, PROMOTED, ROLLED_BACK = "kept", "promoted", "rolled back to"


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
