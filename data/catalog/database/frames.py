"""Frames to rows and back: one place that knows how pandas' types are stored.

Columns named ``*_at`` or ``as_of`` are ``datetime64[us, UTC]`` in frames and microseconds in tables; picture hashes are
``uint64`` in frames and signed in tables; texts are ``str`` with NA for NULL; nullable whole numbers are ``Int64``.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.types import is_float_dtype
from sqlalchemy import Float, Integer, LargeBinary, Text, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    import numpy.typing as npt
    from sqlalchemy import ColumnElement, Connection, Select, Table
    from sqlalchemy.types import TypeEngine

    Keys = npt.NDArray[Any] | pd.Series | Sequence[Any]

    import numpy.typing as npt

HASH_COLUMNS = frozenset({"ahash", "phash", "dhash", "whash", "colorhash", "untransposed_phash"})
KEYS: Any = bindparam("keys", expanding=True)
"""Stands in a query for the keys that `read_portions` gives it: ``column.in_(KEYS)``."""
KEYS_A_QUERY = 10_000  # below SQLite's 32,766 and PostgreSQL's 65,535 parameters
ROWS_A_STATEMENT = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NOT_A_TIME = int(np.iinfo(np.int64).min)  # what numpy reads as "no time"
TEXTS: Any = pd.StringDtype(na_value=np.nan)
SEPARATOR = "\x1f"  # the unit separator; ids hold no control characters, and contents are escaped
KEY_BYTES = 8
ID_BYTES = 16


def is_time(name: str) -> bool:
    """Tell whether a column of this name holds a time."""
    return name.endswith("_at") or name == "as_of"


def to_microseconds(times: pd.Series) -> pd.Series:
    """Return times as ``Int64`` microseconds since 1970 in UTC, NA where missing."""
    numbers = times.astype("datetime64[us, UTC]").astype("int64").astype("Int64")
    return numbers.mask(times.isna())


def to_instants(*times: datetime) -> tuple[int, ...]:
    """Return aware times as microseconds since 1970 in UTC."""
    return tuple(map(to_instant, times))


def to_instant(moment: datetime) -> int:
    """Return an aware time as microseconds since 1970 in UTC."""
    # Their differences are not all told alike by what other libraries make of a time.
    plain = datetime.fromisoformat(moment.isoformat())
    return (plain - EPOCH) // MICROSECOND


def read_frame(connection: Connection, query: Select[Any], values: dict[str, Any] | None = None) -> pd.DataFrame:
    """Run a query, with values for its parameters, and return its rows with the column types of this module."""
    names = list(query.selected_columns.keys())
    kinds = [column.type for column in query.selected_columns]
    with connection.execute(query, values) as found:
        # The driver's own tuples: making rows of them costs twice what reading a million does.
        return _frame(names, kinds, found.cursor.fetchall() if found.cursor else [])


def read_batches(connection: Connection, query: Select[Any], rows: int) -> Generator[pd.DataFrame]:
    """Run a query and yield its rows, at most ``rows`` at a time and one frame at least, also when there are none."""
    names = list(query.selected_columns.keys())
    kinds = [column.type for column in query.selected_columns]
    with connection.execute(query.execution_options(yield_per=rows)) as found:
        yield _frame(names, kinds, found.fetchmany(rows))
        for part in found.partitions(rows):
            yield _frame(names, kinds, part)


def read_by_keys(
    connection: Connection,
    query: Select[Any],
    column: ColumnElement[Any],
    keys: Keys,
) -> pd.DataFrame:
    """Run a query for rows whose ``column`` is among ``keys``, however many; order is not defined."""
    return read_portions(connection, query.where(column.in_(KEYS)), keys)


def read_each(connection: Connection, *lookups: tuple[Select[Any], Keys]) -> list[pd.DataFrame]:
    """Run several queries one after the other, each with its keys, as `read_portions` does."""
    return [read_portions(connection, query, keys) for query, keys in lookups]


def read_portions(
    connection: Connection, query: Select[Any] | Callable[[list[Any]], Select[Any]], keys: Keys
) -> pd.DataFrame:
    """Run a query for some keys, as many at a time as it can take; order is not defined.

    Parameters
    ----------
    query
        Asks for rows that are ``.in_(KEYS)``; or makes the query of a list of keys.
    """
    parts = [
        read_frame(connection, query(some)) if callable(query) else read_frame(connection, query, {"keys": some})
        for some in _portions(keys)
    ]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


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
    for some in _portions(keys):
        connection.execute(table.delete().where(column.in_(some)))


def replace_by_keys(
    connection: Connection, table: Table, columns: Sequence[ColumnElement[Any]], keys: Keys, frame: pd.DataFrame
) -> None:
    """Insert rows in place of those any of whose ``columns`` is among ``keys``."""
    for column in columns:
        delete_by_keys(connection, table, column, keys)
    insert(connection, table, frame)


def update_by_keys(
    connection: Connection,
    table: Table,
    column: ColumnElement[Any],
    keys: Keys,
    **values: object,
) -> None:
    """Set ``values`` in the rows whose ``column`` is among ``keys``."""
    for some in _portions(keys):
        connection.execute(table.update().where(column.in_(some)).values(**values))


def whole_table(table: Table, columns: Sequence[str]) -> Select[Any]:
    """Return the query for some columns of a table, in the given order."""
    return select(*(table.c[name] for name in columns))


def to_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as the driver takes them: Python values, ``None`` for missing, whole microseconds."""
    names = list(frame.columns)
    columns = [_values(name, frame[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as dictionaries of plain Python values, ``None`` for missing, times as they are.

    Numbers of numpy are none that a database driver knows: SQLite would take them for bytes.
    """
    rows: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")  # type: ignore[assignment]
    return rows


def joined_keys(*columns: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the key of each row of texts: ``joined_keys(marketplaces, listing_ids)`` are listing keys.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    digests = b"".join(_digest(text, KEY_BYTES).digest() for text in _joined(columns))
    return np.frombuffer(digests, dtype="<i8").astype(np.int64)


def joined_ids(*columns: Iterable[str]) -> list[str]:
    """Return 32 hex digits for each row of texts, which nobody can make two rows share."""
    return [_digest(text, ID_BYTES).hexdigest() for text in _joined(columns)]


def _portions(keys: Keys) -> Iterator[list[Any]]:
    """Yield the distinct keys, missing ones left out, as many at a time as a query can take; one list at least."""
    column = pd.Series(keys).dropna().drop_duplicates()
    distinct = (to_microseconds(column) if isinstance(column.dtype, pd.DatetimeTZDtype) else column).tolist()
    for start in range(0, max(1, len(distinct)), KEYS_A_QUERY):
        yield distinct[start : start + KEYS_A_QUERY]


def _frame(names: Sequence[str], kinds: Sequence[TypeEngine[Any]], rows: Sequence[Any]) -> pd.DataFrame:
    # Column by column: to take a million rows apart at once costs ten times as much.
    columns = (list(map(itemgetter(place), rows)) for place in range(len(names)))
    return pd.DataFrame(
        {name: _column(name, kind, values) for name, kind, values in zip(names, kinds, columns, strict=True)}
    )


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
    elif (name in HASH_COLUMNS or name.endswith("_key")) and is_float_dtype(column.dtype) and column.notna().any():
        raise TypeError(f"{name} came as floating point, which cannot hold 64 bits: expected Int64 or UInt64")
    elif name in HASH_COLUMNS:
        column = _signed(column)
    return column.astype(object).where(column.notna(), None).tolist()


def _signed(column: pd.Series) -> pd.Series:
    """Return unsigned hashes as the signed numbers with the same bits."""
    hashes = column.astype("UInt64")
    signed = hashes.to_numpy(np.uint64, na_value=0).view(np.int64)
    return pd.Series(signed, index=column.index, dtype="Int64").mask(hashes.isna())


def _column(name: str, kind: TypeEngine[Any], values: Sequence[Any]) -> pd.Series:
    if is_time(name):
        instants = _whole_numbers(values)
        if instants is None:
            instants = pd.Series(values, dtype="Int64").to_numpy(np.int64, na_value=NOT_A_TIME)
        return pd.Series(instants.view("datetime64[us]")).dt.tz_localize("UTC")
    if isinstance(kind, Float):
        return pd.Series(np.array(values, dtype=np.float64))
    if isinstance(kind, Text):
        # Past pandas, which looks at every text by itself: eight times as fast.
        return pd.Series(TEXTS.__from_arrow__(pa.array(values, pa.large_string())))
    if isinstance(kind, LargeBinary):
        return pd.Series(values, dtype=object)
    if not isinstance(kind, Integer):
        return pd.Series(values)
    numbers = _whole_numbers(values)
    if numbers is not None:
        return pd.Series(numbers.view(np.uint64) if name in HASH_COLUMNS else numbers)
    whole = pd.Series(values, dtype="Int64")
    if name not in HASH_COLUMNS:
        return whole
    hashes = pd.Series(whole.to_numpy(np.int64, na_value=0).view(np.uint64))
    return hashes.astype("UInt64").mask(whole.isna())


def _whole_numbers(values: Sequence[Any]) -> npt.NDArray[np.int64] | None:
    """Return whole numbers as an array, nothing if one is missing."""
    try:
        return np.array(values, dtype=np.int64)
    except TypeError:
        return None


def _joined(columns: tuple[Iterable[str], ...]) -> Iterable[str]:
    return (SEPARATOR.join(row) for row in zip(*columns, strict=True))


def _digest(text: str, size: int) -> hashlib.blake2b:
    return hashlib.blake2b(text.encode(), digest_size=size)
