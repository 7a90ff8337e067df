"""A Prefect server for all flows that tests run in their own process: one for all workers of a run."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import sys
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import httpx

from flows.runtime.environment import prepare_prefect
from tests.full_run import FULL
from tests.shared_by_workers import made_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_LIMIT_S = 120
LOOK_EVERY_S = 0.1
ADDRESS = "address"  # the file that holds the server's
NEW = "new.db"  # a database as servers have it when they have just started


@contextmanager
def flows_reported(home: Path) -> Iterator[None]:
    """Let flows of this process report to the run's server while the block runs; ``home`` is Prefect's own folder."""
    prepare_prefect(home, quiet=True)
    server = made_once("prefect", _start)
    # Not before: what Prefect reads of the environment it reads now.
    from prefect.context import _temporary_global_settings_context, get_settings_context
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with (
        temporary_settings({PREFECT_API_URL: (server / ADDRESS).read_text()}),
        _temporary_global_settings_context(get_settings_context()),  # threads know no other
    ):
        yield


def give_database(home: Path) -> None:
    """Spare a home's own server the making of its database, which takes longer than all else it does; not in full runs.

    To be called in a test that has the fixture ``prefect_server``.
    """
    if not FULL:
        (home / "prefect").mkdir(parents=True)
        shutil.copyfile(made_once("prefect", _start) / NEW, home / "prefect" / "prefect.db")


def _start(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = ["--factory", "prefect.server.api.server:create_app", "--lifespan", "on"]
    place = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    # What Prefect's own servers for tests are told: nothing to look at, no schedules.
    environment = {"PREFECT_HOME": str(folder), "PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1"}
    command = [sys.executable, "-m", "uvicorn", *app, *place]
    # Not by `subprocess`, which complains when the worker that started it has no more to do and it goes on.
    server = os.posix_spawn(sys.executable, command, {**os.environ, **environment}, setsid=True)
    address = f"http://127.0.0.1:{port}/api"
    deadline = time.monotonic() + START_LIMIT_S
    while not _is_up(address):
        assert os.waitpid(server, os.WNOHANG) == (0, 0), "the Prefect server ended before it answered"
        assert time.monotonic() < deadline, f"no Prefect server within {START_LIMIT_S} s"
        time.sleep(LOOK_EVERY_S)
    with closing(sqlite3.connect(folder / "prefect.db")) as made, closing(sqlite3.connect(folder / NEW)) as copy:
        made.backup(copy)
    (folder / ADDRESS).write_text(address)


def _is_up(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health").is_success
    except httpx.TransportError:
        return False
