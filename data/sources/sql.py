"""Tables and queries of any database SQLAlchemy knows, as ``sqlalchemy-url#table-or-query``."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, make_url, select, table, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from data.errors import SourceError, UnreachableError
from data.sources.batching import Record, gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, CursorResult, Engine

    from data.sources.batching import Batch

EXAMPLE = "Write it like postgresql+psycopg://user@host/market#listings, or …#select … from … order by …"
READING = ("select", "with", "values")


@dataclass(frozen=True, slots=True)
class SqlTable:
    """A table or the result of a query. SQLite and PostgreSQL are opened for reading only.

    Rows come in the order the database gives them: order a query whose batches must be the same when read again.

    Parameters
    ----------
    url
        Where the database is, credentials included; never shown.
    what
        A table (``listings``, ``shop.listings``) or a query, told apart by the blanks of the latter.
    """

    url: URL
    what: str

    @classmethod
    def parse(cls, address: str) -> SqlTable:
        """Read ``sqlalchemy-url#table-or-query``.

        Raises
        ------
        SourceError
            If there is no ``#``, nothing behind it, or no such kind of database. The address is not repeated: it may
            hold a password.
        """
        before, _, what = address.partition("#")
        kind = before.partition(":")[0]
        try:
            url = make_url(before)
        except (ArgumentError, ValueError) as error:
            raise SourceError(f"the {kind} address", "it is no SQLAlchemy URL", EXAMPLE) from error
        if not what.strip():
            raise SourceError(_place(url), "it names neither a table nor a query", EXAMPLE)
        return cls(url, what.strip())

    @property
    def name(self) -> str:
        """Kind, host and database, and the table or ``query``: no user, no password, no options."""
        return f"{_place(self.url)}#{'query' if self._is_query else self.what}"

    def columns(self) -> list[str]:
        """Return the names of the columns of the result."""
        with self._result(rows=1) as result:
            names = list(result.keys())
        if len(set(names)) < len(names):
            raise SourceError(self.name, "the query names a column twice", "Rename one of them with `as`.")
        return names

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield all rows, at most ``rows`` at a time, streamed where the driver can."""
        columns = self.columns()
        with self._result(rows) as result:
            yield from gather(_records(result, columns), self.name, columns, rows)

    @property
    def _is_query(self) -> bool:
        return len(self.what.split()) > 1

    @contextmanager
    def _result(self, rows: int) -> Iterator[CursorResult[Any]]:
        self._refuse_missing_file()
        try:
            engine = create_engine(self.url, poolclass=NullPool)
            with self._connect(engine) as connection:
                options = {"stream_results": True, "yield_per": rows, "postgresql_readonly": True}
                with closing(self._execute(connection.execution_options(**options))) as result:
                    yield result
        except (ImportError, NoSuchModuleError) as error:
            advice = "Install it: pip install 'seenbefore[postgres]' brings PostgreSQL's."
            raise SourceError(self.name, f"the driver of {self.url.drivername} is missing", advice) from error
        except (SQLAlchemyError, UnicodeError) as error:
            raise SourceError(self.name, self._said(error), "Check the table or query.") from error

    def _connect(self, engine: Engine) -> Connection:
        try:
            connection = engine.connect()
        except OperationalError as error:
            raise UnreachableError(self.name, self._said(error)) from error
        if self.url.get_backend_name() == "sqlite":
            connection.exec_driver_sql("pragma query_only = on")
        return connection

    def _execute(self, connection: Connection) -> CursorResult[Any]:
        if self._is_query:
            if self.what.split()[0].lower() not in READING:
                raise SourceError(self.name, "it is no query", f"It must begin with {' or '.join(READING)}.")
            result = connection.exec_driver_sql(self.what)
        else:
            schema, _, name = self.what.rpartition(".")
            result = connection.execute(select(text("*")).select_from(table(name, schema=schema or None)))
        return result

    def _refuse_missing_file(self) -> None:
        path = self.url.database if self.url.get_backend_name() == "sqlite" else None
        if path and path != ":memory:" and not path.startswith("file:") and not Path(path).exists():
            raise SourceError(self.name, "there is no such file", "Check the path.")

    def _said(self, error: Exception) -> str:
        said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        return said.replace(self.url.password, "***") if self.url.password else said


def _place(url: URL) -> str:
    shown = Path(url.database or "").name if url.get_backend_name() == "sqlite" else url.database or ""
    return f"{url.get_backend_name()}://{url.host or ''}/{shown}"


def _records(result: CursorResult[Any], columns: list[str]) -> Iterator[Record]:
    for number, row in enumerate(result, start=1):
        yield Record(number, dict(zip(columns, map(_as_text, row), strict=True)))


def _as_text(value: Any) -> str | None:
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "surrogateescape")
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
