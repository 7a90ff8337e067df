"""A real PostgreSQL for the tests: the one the environment names, or a private one for all workers of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL, NullPool, create_engine, make_url, text

from data.catalog.database.engine import open_catalog
from tests.shared_by_workers import made_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

SERVER_URL_VARIABLE = "SEENBEFORE_TEST_POSTGRES_URL"
NAMED = os.environ.get(SERVER_URL_VARIABLE)  # read at once: tests of flows start without our variables
# Durability is not what is tested, and the disk of a test machine is slow.
SERVER_OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off"

# Tables, indexes and their columns; whoever changed them has no catalog of this version any more.
COLUMNS = """
    SELECT md5(string_agg(concat_ws(' ', relname, attname, atttypid), ',' ORDER BY relname, attnum))
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid WHERE relnamespace = to_regnamespace(:schema)
"""
# As a replica, since triggers keep verdicts from being removed.
EMPTY = """
    DO $$
    DECLARE
        name text;
        used boolean;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR name IN
            SELECT tablename FROM pg_tables WHERE schemaname = '{schema}' AND tablename != 'alembic_version'
        LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM {schema}.%I)', name) INTO used;
            IF used THEN
                EXECUTE format('TRUNCATE {schema}.%I RESTART IDENTITY', name);
            END IF;
        END LOOP;
    END $$
"""


def postgres() -> URL:
    """Return the address of a server, or skip the test with a clear word."""
    pytest.importorskip("psycopg", reason="PostgreSQL is not tested: psycopg is not installed")
    if NAMED:
        return make_url(NAMED).set(drivername="postgresql+psycopg")
    programs = server_programs()
    if programs is None:
        pytest.skip(f"PostgreSQL is not tested: no server programs here, and {SERVER_URL_VARIABLE} names no server")
    return private_server(programs)


def private_server(programs: Path) -> URL:
    """Return the address of this run's own server, behind a socket in a folder; it ends with the run."""
    folder = made_once("postgres", partial(_start, programs))
    return URL.create("postgresql+psycopg", username="seenbefore", database="postgres", query={"host": str(folder)})


def server_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, if they are installed."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    of_debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda found: float(found.parts[-3]))
    return of_debian[-1].parent if of_debian else None


def _start(programs: Path, folder: Path) -> None:
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        # The server inherits what the starting program holds: a pipe would never close.
        with (folder / f"{program}.txt").open("wb") as log:
            command = [programs / program, "-D", folder / "cluster", *arguments]
            subprocess.run(command, user=user, cwd=folder, stdout=log, stderr=log, check=True)

    run("initdb", "--username=seenbefore", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
    run("pg_ctl", "-w", "-l", str(folder / "server.log"), "-o", f"{SERVER_OPTIONS} -k {folder}", "start")


@contextmanager
def fresh_schema(server: URL) -> Iterator[str]:
    """Make an empty schema, yield the address of a database that has only this one, and remove it."""
    # A schema is all that a catalog sees of its database, and is made in a tenth of the time.
    name = _new_name()
    with _connected(server) as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    yield _address(server, name)
    with _connected(server) as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))


@contextmanager
def _connected(server: URL) -> Iterator[Connection]:
    engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def _new_name() -> str:
    return f"seenbefore_{uuid.uuid4().hex}"


def _address(server: URL, schema: str) -> str:
    return server.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)


class Schemas:
    """Schemas with a catalog's tables that tests use one after the other: emptying one is faster than making it."""

    def __init__(self, server: URL) -> None:
        self._server = server
        self._unused: list[str] = []
        self._shape: object = None

    @contextmanager
    def one(self) -> Iterator[str]:
        """Yield the address of a catalog without any rows, for one test."""
        schema = self._unused.pop() if self._unused else self._made()
        yield _address(self._server, schema)
        with _connected(self._server) as connection:
            if self._shape == _shape(connection, schema):
                connection.execute(text(EMPTY.format(schema=schema)))
                self._unused.append(schema)
            else:
                connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))

    def _made(self) -> str:
        schema = _new_name()
        with _connected(self._server) as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
            open_catalog(_address(self._server, schema)).close()
            self._shape = _shape(connection, schema)
        return schema

    def close(self) -> None:
        """Remove them."""
        with _connected(self._server) as connection:
            for schema in self._unused:
                connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


def _shape(connection: Connection, schema: str) -> object:
    columns = connection.execute(text(COLUMNS), {"schema": schema}).scalar_one()
    version = connection.execute(text(f"SELECT version_num FROM {schema}.alembic_version"))  # noqa: S608 -- our own name
    return columns, version.scalars().all()
