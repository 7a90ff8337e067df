"""Sketches: what the search for copies keeps of a picture, as bytes whose meaning is not known here."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import LargeBinary

from data.catalog.database.frames import delete_by_keys, insert, read_batches, read_by_keys, whole_table
from data.catalog.database.schema import sketches

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select

BLOBS = tuple(column.name for column in sketches.columns if isinstance(column.type, LargeBinary))
BATCH_ROWS = 2_000
"""Some 34 MB at 17 kB a sketch."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredSketches:
    """Sketches of one recipe as they are stored, one row a picture.

    Parameters
    ----------
    image_id
        The pictures, sorted; shape (n,).
    blobs
        For each column that was asked for its bytes, shape (n, bytes), ``uint8``.
    """

    image_id: pd.Series[str]
    blobs: dict[str, NDArray[np.uint8]]


def sketches_of(
    connection: Connection, image_ids: pd.Series[str] | Sequence[str], recipe: str, *, blobs: Sequence[str] = BLOBS
) -> StoredSketches:
    """Return the sketches of some pictures; those without one of this recipe are left out.

    Parameters
    ----------
    blobs
        The columns to read: without the thumbnails it is 40 times less.
    """
    found = read_by_keys(connection, _of_recipe(recipe, blobs), sketches.c.image_id, image_ids)
    return _stacked(found.sort_values("image_id", ignore_index=True), blobs)


def all_sketches(
    connection: Connection, recipe: str, *, blobs: Sequence[str] = BLOBS, rows: int = BATCH_ROWS
) -> Generator[StoredSketches]:
    """Yield all sketches of a recipe, sorted by picture, at most ``rows`` at a time and always at least one part.

    Parameters
    ----------
    blobs
        The columns to read.
    """
    query = _of_recipe(recipe, blobs).order_by(sketches.c.image_id)
    with closing(read_batches(connection, query, rows)) as batches:
        for batch in batches:
            yield _stacked(batch, blobs)


def replace_sketches(
    connection: Connection, image_ids: pd.Series[str] | Sequence[str], sketched: pd.DataFrame | None
) -> None:
    """Keep the sketches (all columns of the table) of some pictures; those that have none now lose what they had."""
    forget_sketches(connection, image_ids)
    if sketched is not None:
        insert(connection, sketches, sketched)


def forget_sketches(connection: Connection, image_ids: pd.Series[str] | Sequence[str]) -> None:
    """Remove the sketches of some pictures."""
    delete_by_keys(connection, sketches, sketches.c.image_id, image_ids)


def _of_recipe(recipe: str, blobs: Sequence[str]) -> Select[Any]:
    return whole_table(sketches, ("image_id", *blobs)).where(sketches.c.recipe == recipe)


def _stacked(rows: pd.DataFrame, blobs: Sequence[str]) -> StoredSketches:
    return StoredSketches(rows["image_id"], {name: _octets(rows[name]) for name in blobs})


def _octets(column: pd.Series) -> NDArray[np.uint8]:
    lengths = set(column.map(len))
    if len(lengths) > 1:
        raise ValueError(f"{column.name} of sketches of one recipe differ in length: {sorted(lengths)} bytes")
    return np.frombuffer(b"".join(column), np.uint8).reshape(len(column), lengths.pop() if lengths else 0)
