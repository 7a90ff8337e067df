"""Opening the catalog: SQLite in WAL mode, or PostgreSQL, migrated to the schema of this version."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from data.catalog.database.migrations import HEAD, upgrade
from data.catalog.database.schema import claims
from data.errors import CatalogError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

__all__ = ("Catalog", "Connection", "claims_file", "open_catalog", "revision")
BUSY_TIMEOUT_MS = 60_000
CLAIMS_SCHEMA = "desk"
WRITER_LOCK = 0x5EEB  # any fixed number: PostgreSQL's advisory locks are numbered


@dataclass(frozen=True, slots=True)
class Catalog:
    """An open catalog. Use ``read`` and ``write``; close it with ``close``.

    On both databases a reader sees one snapshot and never waits, and writers take turns, so that what a writer reads
    stays true until it commits.
    """

    engine: Engine
    url: str

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection on one consistent snapshot."""
        with self._guarded(), self._connect(writes=False) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """Yield a connection in one transaction that may read and write; it commits at the end or not at all.

        Parameters
        ----------
        durable
            What was committed outlives a power cut too. Without it SQLite may lose the last transactions then, which
            the next run makes again; what people decided cannot be made again. PostgreSQL always waits for its disk.
        """
        with self._guarded(), self._connect(writes=True) as connection:
            lasting = durable and connection.dialect.name == "sqlite"
            if lasting:
                _sqlite_synchronous(connection, "FULL")
            try:
                with connection.begin():
                    _take_turn(connection)
                    yield connection
            finally:
                if lasting:
                    _sqlite_synchronous(connection, "NORMAL")

    @contextmanager
    def claiming(self) -> Iterator[Connection]:
        """Yield a connection in one transaction that may read everything, and write to ``claims`` alone.

        It waits for nobody who writes anything else: whoever opens a case at the desk beside a long load waits for
        other claims only.
        """
        with self._guarded(), self._connect(writes=False) as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                yield connection

    @contextmanager
    def supposing(self) -> Iterator[Connection]:
        """Yield a connection whose writes nobody else sees and nothing keeps: to ask what would be if they were made.

        Other writers wait until it ends.
        """
        with self._guarded(), self._connect(writes=True) as connection:
            transaction = connection.begin()
            try:
                _take_turn(connection)
                yield connection
            finally:
                transaction.rollback()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _connect(self, *, writes: bool) -> Connection:
        connection = self.engine.connect()
        if connection.dialect.name == "postgresql":
            return connection.execution_options(isolation_level="READ COMMITTED" if writes else "REPEATABLE READ")
        return connection.execution_options(seenbefore_write=writes)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise CatalogError(self.url, _short(error), "Nothing of this step was kept; run it again.") from error


def open_catalog(url: str, *, migrate: bool = True) -> Catalog:
    """Open the catalog at a SQLAlchemy URL, create or upgrade its tables, and check its schema.

    Parameters
    ----------
    url
        ``sqlite:///path`` or ``postgresql://…``.
    migrate
        Whether the schema is brought to this version's; without it, only to look at what is there.

    Raises
    ------
    SettingsError
        The URL cannot be understood, or its driver is not installed.
    CatalogError
        The database cannot be reached, or holds a schema of a newer version.
    """
    address = _address(url)
    shown = address.render_as_string(hide_password=True)
    try:
        catalog = Catalog(_engine(address), shown)
        catalog.engine.connect().close()
    except (SQLAlchemyError, OSError) as error:
        raise CatalogError(shown, _short(error), "Check SEENBEFORE_CATALOG_URL and that it is up.") from error
    try:
        if migrate:
            _migrate(catalog)
    except BaseException:
        catalog.close()
        raise
    return catalog


def revision(connection: Connection) -> str | None:
    """Return the revision of the schema; ``None`` where there is none."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise SettingsError([f"SEENBEFORE_CATALOG_URL: expected sqlite:///… or postgresql://…: {error}"]) from error
    backend = address.get_backend_name()
    if backend == "postgresql" and "+" not in address.drivername:
        return address.set(drivername="postgresql+psycopg")
    if backend not in {"sqlite", "postgresql"}:
        raise SettingsError([f"SEENBEFORE_CATALOG_URL: expected sqlite or postgresql, found {backend}"])
    return address


def _engine(address: URL) -> Engine:
    try:
        if address.get_backend_name() == "postgresql":
            return create_engine(address, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise SettingsError(
            [f"SEENBEFORE_CATALOG_URL: {error}; install it with `pip install 'seenbefore[postgres]'`"]
        ) from error
    if address.database:
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    # The connection that was used last knows most of what the next one asks for.
    engine = create_engine(address, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, pool_use_lifo=True)
    event.listen(engine, "connect", _prepare_sqlite)
    if address.database:
        event.listen(engine, "connect", partial(_attach_claims, claims_file(address.database)))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions of its own: we say BEGIN, so that DDL and locks are where we put them.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def claims_file(database: str) -> str:
    """Return the file beside a SQLite catalog in which its claims are: writers lock files, and claims must not wait."""
    path = Path(database)
    return str(path.with_name(f"{path.stem}-claims{path.suffix}"))


def _attach_claims(path: str, connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"ATTACH ? AS {CLAIMS_SCHEMA}", (path,))
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {CLAIMS_SCHEMA}.{pragma}")
    table = claims.to_metadata(MetaData(), schema=CLAIMS_SCHEMA)
    cursor.execute(str(CreateTable(table, if_not_exists=True).compile(dialect=sqlite.dialect())))
    cursor.close()


def _sqlite_synchronous(connection: Connection, level: str) -> None:
    # Past SQLAlchemy, which would begin a transaction: within one SQLite does not change it.
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA main.synchronous={level}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another writer came between: lock up front.
    if not connection.get_execution_options().get("seenbefore_write", False):
        connection.exec_driver_sql("BEGIN")
        return
    # BEGIN IMMEDIATE would lock the claims too; what writes, though it writes nothing, locks its own file.
    connection.exec_driver_sql("BEGIN")
    try:
        connection.exec_driver_sql("DELETE FROM main.alembic_version WHERE 0")
    except OperationalError as error:
        if "no such table" not in str(error):
            raise
        connection.connection.rollback()  # a catalog that has no tables yet
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _take_turn(connection: Connection) -> None:
    """Wait for other writers until the transaction ends; SQLite did when it began."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITER_LOCK})


def _migrate(catalog: Catalog) -> None:
    with catalog.read() as connection:
        if revision(connection) == HEAD:
            return
    with catalog.write() as connection:
        found = revision(connection)
        if found is not None and found > HEAD:
            raise CatalogError(
                catalog.url,
                f"its schema {found} is newer than this version's {HEAD}",
                "Install the version of Seenbefore that wrote it.",
            )
        upgrade(connection)


def _short(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
