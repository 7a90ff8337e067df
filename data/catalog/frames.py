"""Frames to rows and back: one place that knows how pandas' types are stored.

Columns named ``*_at`` or ``as_of`` are ``datetime64[us, UTC]`` in frames and microseconds in tables; picture hashes are
``uint64`` in frames and signed in tables; texts are ``str`` with NA for NULL; nullable whole numbers are ``Int64``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import Float, Integer, LargeBinary, Text, select
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt
    from sqlalchemy import ColumnElement, Connection, Select, Table
    from sqlalchemy.types import TypeEngine

    Keys = npt.NDArray[Any] | pd.Series | Sequence[Any]

HASH_COLUMNS = frozenset({"ahash", "phash", "dhash", "whash", "colorhash"})
KEYS_A_QUERY = 10_000  # below SQLite's 32,766 and PostgreSQL's 65,535 parameters
ROWS_A_STATEMENT = 10_000


def is_time(name: str) -> bool:
    """Tell whether a column of this name holds a time."""
    return name.endswith("_at") or name == "as_of"


def to_microseconds(times: pd.Series) -> pd.Series:
    """Return times as ``Int64`` microseconds since 1970 in UTC, NA where missing."""
    numbers = times.astype("datetime64[us, UTC]").astype("int64").astype("Int64")
    return numbers.mask(times.isna())


def read_frame(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """Run a query and return its rows with the column types of this module."""
    names = list(query.selected_columns.keys())
    kinds = [column.type for column in query.selected_columns]
    rows = connection.execute(query).fetchall()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pd.DataFrame(
        {name: _column(name, kind, values) for name, kind, values in zip(names, kinds, columns, strict=True)}
    )


def read_by_keys(
    connection: Connection,
    query: Select[Any],
    column: ColumnElement[Any],
    keys: Keys,
) -> pd.DataFrame:
    """Run a query for rows whose ``column`` is among ``keys``, however many; order is not defined."""
    distinct = pd.unique(pd.Series(keys)).tolist()
    parts = [
        read_frame(connection, query.where(column.in_(distinct[start : start + KEYS_A_QUERY])))
        for start in range(0, len(distinct), KEYS_A_QUERY)
    ]
    parts = [part for part in parts if len(part)] or parts[:1]
    if not parts:
        return read_frame(connection, query.where(column.in_([])))
    return pd.concat(parts, ignore_index=True)


def insert(connection: Connection, table: Table, frame: pd.DataFrame) -> int:
    """Insert rows whose primary key is new, leave the others as they are, and return how many were offered."""
    return _write(connection, table, frame, lambda statement: statement.on_conflict_do_nothing())


def upsert(connection: Connection, table: Table, frame: pd.DataFrame, *, update: Iterable[str] = ()) -> int:
    """Insert rows; where the primary key is there, overwrite ``update`` (default: all other columns)."""
    keys = {column.name for column in table.primary_key}
    names = tuple(update) or tuple(name for name in frame.columns if name not in keys)

    def overwrite(statement: Any) -> Any:
        return statement.on_conflict_do_update(
            index_elements=sorted(keys), set_={name: statement.excluded[name] for name in names}
        )

    return _write(connection, table, frame, overwrite)


def delete_by_keys(connection: Connection, table: Table, column: ColumnElement[Any], keys: Keys) -> None:
    """Delete the rows whose ``column`` is among ``keys``."""
    distinct = pd.unique(pd.Series(keys)).tolist()
    for start in range(0, len(distinct), KEYS_A_QUERY):
        connection.execute(table.delete().where(column.in_(distinct[start : start + KEYS_A_QUERY])))


def update_by_keys(
    connection: Connection,
    table: Table,
    column: ColumnElement[Any],
    keys: Keys,
    **values: object,
) -> None:
    """Set ``values`` in the rows whose ``column`` is among ``keys``."""
    distinct = pd.unique(pd.Series(keys)).tolist()
    for start in range(0, len(distinct), KEYS_A_QUERY):
        connection.execute(table.update().where(column.in_(distinct[start : start + KEYS_A_QUERY])).values(**values))


def whole_table(table: Table, columns: Sequence[str]) -> Select[Any]:
    """Return the query for some columns of a table, in the given order."""
    return select(*(table.c[name] for name in columns))


def to_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as the driver takes them: Python values, ``None`` for missing, whole microseconds."""
    names = list(frame.columns)
    columns = [_values(name, frame[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _write(connection: Connection, table: Table, frame: pd.DataFrame, settle: Callable[[Any], Any]) -> int:
    if frame.empty:
        return 0
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = settle(dialect.insert(table))
    rows = to_rows(frame)
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        connection.execute(statement, rows[start : start + ROWS_A_STATEMENT])
    return len(rows)


def _values(name: str, column: pd.Series) -> list[Any]:
    if is_time(name):
        column = to_microseconds(column)
    elif name in HASH_COLUMNS and column.dtype == np.uint64:
        column = pd.Series(column.to_numpy().view(np.int64), index=column.index)
    elif name in HASH_COLUMNS and str(column.dtype) == "UInt64":
        signed = column.fillna(0).to_numpy(np.uint64).view(np.int64)
        column = pd.Series(signed, index=column.index).astype("Int64").mask(column.isna())
    return column.astype(object).where(column.notna(), None).tolist()


def _column(name: str, kind: TypeEngine[Any], values: Sequence[Any]) -> pd.Series:
    if is_time(name):
        return pd.to_datetime(pd.Series(values, dtype="Int64"), unit="us", utc=True).astype("datetime64[us, UTC]")
    if isinstance(kind, Float):
        return pd.Series(np.array(values, dtype=np.float64))
    if isinstance(kind, Text):
        return pd.Series(values, dtype="str")
    if isinstance(kind, LargeBinary):
        return pd.Series(values, dtype=object)
    if not isinstance(kind, Integer):
        return pd.Series(values)
    whole = pd.Series(values, dtype="Int64")
    if name in HASH_COLUMNS:
        unsigned = whole.fillna(0).to_numpy(np.int64).view(np.uint64)
        hashes = pd.Series(unsigned)
        return hashes.astype("UInt64").mask(whole.isna()) if whole.isna().any() else hashes
    return whole if whole.isna().any() else whole.astype("int64")
