"""Pairs of pictures that somebody found to be different photos: they are not brought up again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from data.catalog.database.frames import read_by_keys, update_by_keys, upsert, whole_table
from data.catalog.database.schema import different_photos, sightings

if TYPE_CHECKING:
    from sqlalchemy import Connection

COLUMNS = tuple(column.name for column in different_photos.columns)
PAIR = ["image_id", "other_image_id"]


def remember_different(connection: Connection, pairs: pd.DataFrame) -> None:
    """Keep that the pictures of some pairs are different photos; of what is known already, the earliest time counts.

    What was seen of these pictures since is to be matched again.

    Parameters
    ----------
    pairs
        ``image_id, other_image_id`` in any order, and ``known_at``.
    """
    ids = pairs[PAIR]
    told = pd.DataFrame({"image_id": ids.min(axis=1), "other_image_id": ids.max(axis=1), "known_at": pairs["known_at"]})
    both = pd.concat([different_of(connection, told["image_id"]).assign(is_new=False), told.assign(is_new=True)])
    # The sort is stable: what is told again comes behind what was known.
    earliest = both.sort_values("known_at", kind="stable").drop_duplicates(PAIR)
    new = earliest.loc[earliest["is_new"], [*PAIR, "known_at"]]
    if not new.empty:
        upsert(connection, different_photos, new)
        _reopen(connection, new)


def different_of(connection: Connection, image_ids: pd.Series[str]) -> pd.DataFrame:
    """Return the pairs of different photos that some pictures are in, each once: all columns of the table."""
    query = whole_table(different_photos, COLUMNS)
    one = read_by_keys(connection, query, different_photos.c.image_id, image_ids)
    other = read_by_keys(connection, query, different_photos.c.other_image_id, image_ids)
    return pd.concat([one, other]).drop_duplicates(PAIR, ignore_index=True)


def _reopen(connection: Connection, pairs: pd.DataFrame) -> None:
    """Let sightings of either picture be matched again, from the time on that a pair is known to be different."""
    since = pd.concat([pairs.set_index(side)["known_at"] for side in PAIR]).groupby(level=0).min()
    query = whole_table(sightings, ("image_id", "listing_key", "observed_at")).where(sightings.c.matched == 1)
    seen = read_by_keys(connection, query, sightings.c.image_id, since.index.to_series())
    later = seen[seen["observed_at"] >= seen["image_id"].map(since)]
    update_by_keys(connection, sightings, sightings.c.listing_key, later["listing_key"], matched=0)
