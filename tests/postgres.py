"""A real PostgreSQL for the tests: the one the environment names, or a private one that ends with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL, create_engine, make_url, text

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER_URL_VARIABLE = "SEENBEFORE_TEST_POSTGRES_URL"
NAMED = os.environ.get(SERVER_URL_VARIABLE)  # read at once: tests of flows start without our variables
# Durability is not what is tested, and the disk of a test machine is slow.
SERVER_OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c synchronous_commit=off"


@contextmanager
def postgres() -> Iterator[URL]:
    """Yield the address of a server, or skip the test with a clear word."""
    pytest.importorskip("psycopg", reason="PostgreSQL is not tested: psycopg is not installed")
    if NAMED:
        yield make_url(NAMED).set(drivername="postgresql+psycopg")
        return
    programs = _server_programs()
    if programs is None:
        pytest.skip(f"PostgreSQL is not tested: no server programs here, and {SERVER_URL_VARIABLE} names no server")
    with _private_server(programs) as url:
        yield url


def _server_programs() -> Path | None:
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    of_debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda found: float(found.parts[-3]))
    return of_debian[-1].parent if of_debian else None


@contextmanager
def _private_server(programs: Path) -> Iterator[URL]:
    # Not pytest's tmp_path: its folders are closed to the other user that PostgreSQL wants instead of root,
    # and too deep for the name of a socket.
    folder = Path(tempfile.mkdtemp(prefix="seenbefore-postgres-"))
    cluster = folder / "cluster"
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        # The server inherits what the starting program holds: a pipe would never close.
        with (folder / f"{program}.txt").open("wb") as log:
            command = [programs / program, "-D", cluster, *arguments]
            subprocess.run(command, user=user, cwd=folder, stdout=log, stderr=log, check=True)

    try:
        run("initdb", "--username=seenbefore", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        run("pg_ctl", "-w", "-l", str(folder / "server.log"), "-o", f"{SERVER_OPTIONS} -k {folder}", "start")
        try:
            yield URL.create(
                "postgresql+psycopg", username="seenbefore", database="postgres", query={"host": str(folder)}
            )
        finally:
            run("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@contextmanager
def fresh_schema(server: URL) -> Iterator[str]:
    """Make an empty schema, yield the address of a database that has only this one, and remove it."""
    # A schema is all that a catalog sees of its database, and is made in a tenth of the time.
    name = f"seenbefore_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
        yield server.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    finally:
        engine.dispose()
