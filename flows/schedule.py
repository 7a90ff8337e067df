"""A served deployment on this machine: a Prefect server in the home, and the runs that it fires."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from data.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HEALTH_POLL_S = 0.5
STOP_LIMIT_S = 20


class ServerError(OutsideError):
    """The Prefect server of this home did not start."""

    def __init__(self, log: Path, found: str) -> None:
        super().__init__(f"The Prefect server did not start: {found}. Its log is {log}.")


@contextmanager
def prefect_server(home: Path, *, start_limit_s: float) -> Iterator[str]:
    """Yield the API address of a Prefect server: the one ``PREFECT_API_URL`` names, or one started in the home.

    A server started here ends with the block.
    """
    named = os.environ.get("PREFECT_API_URL")
    if named:
        yield named
        return
    log = home / "prefect" / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)  # noqa: S603
    try:
        address = f"http://127.0.0.1:{port}/api"
        _wait_healthy(process, address, log, start_limit_s)
        os.environ["PREFECT_API_URL"] = address
        yield address
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        _stop(process)


def serve_run(parameters: Mapping[str, Any], *, cron: str, name: str) -> None:
    """Serve the deployment ``run`` on a cron schedule until interrupted; an overlapping run is left out."""
    from prefect import serve
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import EntrypointType

    from flows.run import run

    one_at_a_time = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    deployment = run.to_deployment(
        name=name,
        cron=cron,
        parameters=dict(parameters),
        concurrency_limit=one_at_a_time,
        entrypoint_type=EntrypointType.MODULE_PATH,
        description="Load new listings, download and match their photos, and score them.",
    )
    serve(deployment, limit=1, print_starting_message=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_healthy(process: subprocess.Popen[bytes], address: str, log: Path, start_limit_s: float) -> None:
    deadline = time.monotonic() + start_limit_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerError(log, f"it ended with status {process.returncode}")
        try:
            if httpx.get(f"{address}/health", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(HEALTH_POLL_S)
    raise ServerError(log, f"it was not ready after {start_limit_s:.0f} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
