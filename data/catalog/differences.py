"""Pairs of pictures that somebody found to be different photos: they are not brought up again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from data.catalog.frames import insert, read_by_keys, whole_table
from data.catalog.tables import different_photos

if TYPE_CHECKING:
    from sqlalchemy import Connection

COLUMNS = tuple(column.name for column in different_photos.columns)


def remember_different(connection: Connection, pairs: pd.DataFrame) -> None:
    """Keep that the pictures of some pairs are different photos; what is known already stays as it is.

    Parameters
    ----------
    pairs
        ``image_id, other_image_id`` in any order, and ``known_at``.
    """
    ids = pairs[["image_id", "other_image_id"]]
    ordered = pd.DataFrame({"image_id": ids.min(axis=1), "other_image_id": ids.max(axis=1), "known_at": pairs["known_at"]})
    earliest = ordered.sort_values("known_at").drop_duplicates(["image_id", "other_image_id"])
    insert(connection, different_photos, earliest)


def different_of(connection: Connection, image_ids: pd.Series[str]) -> pd.DataFrame:
    """Return the pairs of different photos that some pictures are in, each once: all columns of the table."""
    query = whole_table(different_photos, COLUMNS)
    one = read_by_keys(connection, query, different_photos.c.image_id, image_ids)
    other = read_by_keys(connection, query, different_photos.c.other_image_id, image_ids)
    return pd.concat([one, other]).drop_duplicates(["image_id", "other_image_id"], ignore_index=True)
