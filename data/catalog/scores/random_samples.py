"""Listings drawn at random to be looked at whatever they score: the only ones that tell what the queue misses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from data.catalog.database.frames import insert, read_frame, whole_table
from data.catalog.database.schema import audits, scores

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection

AUDIT_WINDOW = pd.Timedelta(days=28)
"""How far back from the newest moment of a run is drawn: of a first load of years, analysts shall not get years' worth;
and how long a stretch says how many listings a day brings."""
COLUMNS = ("listing_key", "as_of", "model_id", "band", "propensity", "run_id")


def draw_audits(connection: Connection, run_id: str, *, per_day: float, seed: int) -> int:
    """Draw listings of a run at random and keep them with their propensity; return how many were drawn.

    Every score of the run's last `AUDIT_WINDOW` has the same chance, so that ``per_day`` are drawn a day on average
    however many runs a day has. Whether a moment is drawn follows from its listing, its time and the seed alone; a run
    that was drawn from is not drawn from again.

    Parameters
    ----------
    per_day
        Listings to look at in a day.
    seed
        Another one draws other listings.
    """
    if per_day <= 0 or _drawn_from(connection, run_id):
        return 0
    names = ("listing_key", "as_of", "model_id", "band", "run_id")
    newest = connection.execute(select(func.max(scores.c.as_of)).where(scores.c.run_id == run_id)).scalar()
    if newest is None:
        return 0
    since = newest - int(AUDIT_WINDOW / pd.Timedelta(microseconds=1))
    recent = whole_table(scores, names).where(scores.c.as_of > since, scores.c.as_of <= newest)
    run = read_frame(connection, recent.where(scores.c.run_id == run_id))
    propensity = min(1.0, per_day / _daily_volume(connection, since, newest))
    chosen = run[_uniform(run, seed) < propensity].assign(propensity=propensity)
    return insert(connection, audits, chosen) if len(chosen) else 0


def all_audits(connection: Connection) -> pd.DataFrame:
    """Return every listing drawn, once for each moment: ``COLUMNS``, in the order of their moments."""
    return read_frame(connection, whole_table(audits, COLUMNS).order_by(audits.c.as_of, audits.c.listing_key))


def _drawn_from(connection: Connection, run_id: str) -> bool:
    return (
        connection.execute(select(audits.c.listing_key).where(audits.c.run_id == run_id).limit(1)).first() is not None
    )


def _daily_volume(connection: Connection, since: int, newest: int) -> float:
    """Return how many moments a day (UTC) with any brings, over a stretch of time; at least 1."""
    micros_a_day = int(pd.Timedelta(days=1) / pd.Timedelta(microseconds=1))
    moments = (
        select(scores.c.listing_key, scores.c.as_of)
        .where(scores.c.as_of > since, scores.c.as_of <= newest)
        .distinct()
        .subquery()
    )
    day = moments.c.as_of - moments.c.as_of % micros_a_day
    counts = select(func.count(), func.count(func.distinct(day))).select_from(moments)
    rows, days = connection.execute(counts).one()
    return rows / days if days else 1.0


def _uniform(moments: pd.DataFrame, seed: int) -> NDArray[np.float64]:
    """Return a number from 0 to 1 for each moment that looks random and depends on nothing but it and the seed."""
    key = moments["listing_key"].to_numpy("int64").view(np.uint64)
    at = moments["as_of"].astype("datetime64[us, UTC]").astype("int64").to_numpy().view(np.uint64)
    mixed = _scrambled(key ^ _scrambled(at ^ _scrambled(np.array([seed % 2**64], dtype=np.uint64))))
    return (mixed >> np.uint64(11)).astype("float64") / 2.0**53


def _scrambled(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix 64 bits so that each of the result depends on all (the finisher of SplitMix64, Steele et al. 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
