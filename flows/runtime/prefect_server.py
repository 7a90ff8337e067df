"""A Prefect server that outlives a single run: the operator's, or one in the home."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from data.errors import OutsideError
from flows.runtime.environment import SERVER_START_LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USUAL_PORT = 4200
HEALTH_POLL_S = 0.5
HEALTH_LIMIT_S = 5
STOP_LIMIT_S = 20
# What keeps Prefect's log off the terminal must not keep it out of the server's own file.
NOT_FOR_THE_SERVER = "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"


class ServerError(OutsideError):
    """A Prefect server did not start, or does not answer."""

    def __init__(self, where: str, found: str, advice: str) -> None:
        super().__init__(f"The Prefect server at {where} cannot be used: {found}. {advice}")


@dataclass(frozen=True, slots=True)
class Server:
    """A Prefect server that answers.

    Parameters
    ----------
    api
        Address of its API.
    process
        The server itself where it was started here; ``None`` for the operator's.
    log
        What it writes; ``None`` for the operator's.
    """

    api: str
    process: subprocess.Popen[bytes] | None = None
    log: Path | None = None

    @property
    def pages(self) -> str:
        """Where people look at its runs."""
        return self.api.removesuffix("/").removesuffix("/api")

    @property
    def ended(self) -> str | None:
        """How the server ended; ``None`` as long as it runs, and always for the operator's."""
        status = None if self.process is None else self.process.poll()
        if status is None:
            return None
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


@contextmanager
def prefect_server(home: Path) -> Iterator[Server]:
    """Yield the Prefect server that ``PREFECT_API_URL`` names, or start one in the home and end it with the block.

    Raises
    ------
    ServerError
        It does not answer, or did not start.
    """
    named = os.environ.get("PREFECT_API_URL")
    if named:
        if not is_healthy(named):
            raise ServerError(named, "it does not answer", "Start it, or unset PREFECT_API_URL to have one started.")
        yield Server(named)
        return
    server = _start(home)
    try:
        _wait_healthy(server)
        yield server
    finally:
        _stop(server)


def is_healthy(api: str) -> bool:
    """Tell whether a Prefect server answers at an API address."""
    try:
        # Never through a proxy: the server is on this machine or in the operator's own network.
        answer = httpx.get(f"{api.rstrip('/')}/health", timeout=HEALTH_LIMIT_S, trust_env=False)
    except httpx.HTTPError:
        return False
    return not answer.is_server_error  # one that asks who we are is up, too


def _start(home: Path) -> Server:
    log = home.resolve() / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".log.before"))
    port = _free_port()
    command = [sys.executable, "-P", "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if name != NOT_FOR_THE_SERVER}
    with log.open("wb") as out:
        # A session of its own: Ctrl-C in the terminal is for us, and we end the server when its runs have ended.
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)  # noqa: S603
    return Server(f"http://127.0.0.1:{port}/api", process, log)


def _free_port() -> int:
    for port in (USUAL_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def _wait_healthy(server: Server) -> None:
    deadline = time.monotonic() + SERVER_START_LIMIT_S
    advice = f"Its log is {server.log}."
    while not is_healthy(server.api):
        if server.ended:
            raise ServerError(server.api, f"it ended while starting, {server.ended}", advice)
        if time.monotonic() > deadline:
            raise ServerError(server.api, f"it was not ready after {SERVER_START_LIMIT_S} s", advice)
        time.sleep(HEALTH_POLL_S)


def _stop(server: Server) -> None:
    process = server.process
    if process is None or process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
