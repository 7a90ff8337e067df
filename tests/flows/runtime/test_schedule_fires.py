"""A schedule that is served really runs, survives the death of its server, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import httpx
import psutil
import pytest

from flows.runtime.orphans import end_orphans, find_orphans
from tests.full_run import FULL
from tests.prefect_server import give_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT_S = 240
LOOK_EVERY_S = 0.2
RUNNER_LOOKS_EVERY_S = 1
EVERY_MINUTE, ONCE_A_YEAR = "* * * * *", "0 0 1 1 *"
PAGES = re.compile(r"Runs and their logs: (http://\S+)\.\s")
T = TypeVar("T")

takes_minutes = pytest.mark.skipif(not FULL, reason="takes minutes: set SEENBEFORE_FULL=1")


class Served:
    """A schedule as an operator starts it."""

    def __init__(self, home: Path, table: Path, cron: str) -> None:
        self.home = home
        self.table = table
        command = [sys.executable, "-c", "from flows.cli.app import main; main()", "--home", str(home)]
        command += ["schedule", str(table), "--cron", cron]
        environment = {**os.environ, "PREFECT_RUNNER_POLL_FREQUENCY": str(RUNNER_LOOKS_EVERY_S)}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def said(self) -> list[str]:
        """Everything it has said."""
        log = self.home / "schedule.log"
        return log.read_text().splitlines() if log.exists() else []

    def wait_for(self, told: Callable[[list[str]], T]) -> T:
        """Wait until it has said something, and return what was made of it."""
        deadline = time.monotonic() + LIMIT_S
        while not (found := told(self.said())):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(LOOK_EVERY_S)
        return found

    def trigger(self) -> None:
        """Have its deployment run at once, as the button on Prefect's page does."""
        api = self.wait_for(lambda lines: PAGES.search("\n".join(lines)))[1] + "/api"
        deployment = self.wait_for(lambda _: httpx.post(f"{api}/deployments/filter", json={}).json())[0]
        httpx.post(f"{api}/deployments/{deployment['id']}/create_flow_run", json={}).raise_for_status()

    def append(self, listing_id: str) -> None:
        """Add a listing to the table, known from now on."""
        now = datetime.now(UTC).isoformat()
        row = {"listing_id": listing_id, "seller_id": "s", "created_at": now, "observed_at": now, "image_urls": []}
        with self.table.open("a") as table:
            table.write(json.dumps(row) + "\n")


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path, prefect_server: None) -> Iterator[Served]:
    """A schedule of a table with one listing; ended with all that belongs to it, whatever happens."""
    table = tmp_path / "listings.jsonl"
    row = {"listing_id": "first", "seller_id": "s", "created_at": "2026-01-01T00:00:00Z", "image_urls": []}
    table.write_text(json.dumps(row) + "\n")
    give_database(tmp_path / "home")
    schedule = Served(tmp_path / "home", table, request.param)
    yield schedule
    schedule.process.kill()
    schedule.process.wait()
    end_orphans(schedule.home)


def scored(lines: list[str], n: int) -> bool:
    """Tell whether a run has scored ``n`` listings."""
    return any(f"{n} listings new, {n} scored" in line for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("served", [ONCE_A_YEAR], indirect=True)
def test_a_run_that_is_triggered_scores_and_the_end_leaves_no_process(served: Served) -> None:
    served.trigger()
    served.wait_for(lambda lines: scored(lines, 1))
    assert_ends_alone(served)


@takes_minutes
@pytest.mark.parametrize("served", [EVERY_MINUTE], indirect=True)
def test_it_fires_and_stops_without_leaving_a_process(served: Served) -> None:
    served.wait_for(lambda lines: scored(lines, 1))
    assert_ends_alone(served)


def assert_ends_alone(served: Served) -> None:
    """Stop a schedule as an operator does; nothing of it may stay."""
    family = psutil.Process(served.process.pid).children(recursive=True)
    assert family, "its server"
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(LIMIT_S) == 0
    assert not any(process.is_running() for process in family)
    assert find_orphans(served.home) == []
    assert not (served.home / "schedule.holder").exists()


@takes_minutes
@pytest.mark.parametrize("served", [EVERY_MINUTE], indirect=True)
def test_it_goes_on_when_its_server_is_killed_and_scores_what_came_meanwhile(served: Served) -> None:
    served.wait_for(lambda lines: scored(lines, 1))
    (server,) = [child for child in psutil.Process(served.process.pid).children() if "server" in child.cmdline()]
    server.kill()
    served.append("second")
    served.append("third")
    served.wait_for(lambda lines: scored(lines, 2))
    assert any("SIGKILL" in line for line in served.said())
