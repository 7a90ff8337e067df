"""Rows as plain dictionaries, for pages that show a few of them: a frame of ten rows costs more than its query.

The values are those of `data.catalog.database.frames`: times are aware UTC, hashes unsigned, what is missing is
``None``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float

from data.catalog.database.frames import EPOCH, HASH_COLUMNS, KEYS_A_QUERY, is_time

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    Convert = Callable[[Any], Any]

BITS_64 = (1 << 64) - 1


def read_records(connection: Connection, query: Select[Any]) -> list[dict[str, Any]]:
    """Run a query and return its rows: by column, what `data.catalog.database.frames.records` gives of a frame of them.

    Times are ``datetime`` in UTC.
    """
    names = list(query.selected_columns.keys())
    kinds = zip(names, query.selected_columns, strict=True)
    converts = {name: convert for name, column in kinds if (convert := _convert(name, column)) is not None}
    with connection.execute(query) as found:
        rows = [dict(zip(names, row, strict=True)) for row in (found.cursor.fetchall() if found.cursor else [])]
    for name, convert in converts.items():
        for row in rows:
            if row[name] is not None:
                row[name] = convert(row[name])
    return rows


def read_records_by_keys(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], keys: Collection[Any]
) -> list[dict[str, Any]]:
    """Run a query for rows whose ``column`` is among ``keys``, however many; order is not defined."""
    distinct = list(dict.fromkeys(keys))
    rows: list[dict[str, Any]] = []
    for start in range(0, len(distinct), KEYS_A_QUERY):
        rows += read_records(connection, query.where(column.in_(distinct[start : start + KEYS_A_QUERY])))
    return rows


def to_moment(microseconds: int) -> datetime:
    """Return microseconds since 1970 in UTC as an aware time."""
    return EPOCH + timedelta(microseconds=microseconds)


def _convert(name: str, column: ColumnElement[Any]) -> Convert | None:
    """Return what turns a stored value into that of a dictionary; ``None`` if it is that already."""
    if is_time(name):
        return to_moment
    if name in HASH_COLUMNS:
        return lambda signed: signed & BITS_64
    return _number if isinstance(column.type, Float) else None


def _number(value: float) -> float | None:
    """Return a number; ``None`` for what is none, which PostgreSQL can hold."""
    return None if value != value else float(value)
