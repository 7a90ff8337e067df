"""A schedule that is served really fires, survives the death of its server, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psutil
import pytest

from flows.runtime.orphans import end_orphans, find_orphans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FULL = os.environ.get("SEENBEFORE_FULL") == "1"
LIMIT_S = 240
LOOK_EVERY_S = 0.2


class Served:
    """A schedule that fires every minute, as an operator starts it."""

    def __init__(self, home: Path, table: Path) -> None:
        self.home = home
        self.table = table
        command = [sys.executable, "-c", "from flows.cli.app import main; main()", "--home", str(home)]
        command += ["schedule", str(table), "--cron", "* * * * *"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def said(self) -> list[str]:
        """Everything it has said."""
        log = self.home / "schedule.log"
        return log.read_text().splitlines() if log.exists() else []

    def wait_for(self, told: Callable[[list[str]], bool]) -> None:
        """Wait until it has said something."""
        deadline = time.monotonic() + LIMIT_S
        while not told(self.said()):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(LOOK_EVERY_S)

    def append(self, listing_id: str) -> None:
        """Add a listing to the table, known from now on."""
        now = datetime.now(UTC).isoformat()
        row = {"listing_id": listing_id, "seller_id": "s", "created_at": now, "observed_at": now, "image_urls": []}
        with self.table.open("a") as table:
            table.write(json.dumps(row) + "\n")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A schedule of a table with one listing; ended with all that belongs to it, whatever happens."""
    table = tmp_path / "listings.jsonl"
    row = {"listing_id": "first", "seller_id": "s", "created_at": "2026-01-01T00:00:00Z", "image_urls": []}
    table.write_text(json.dumps(row) + "\n")
    schedule = Served(tmp_path / "home", table)
    yield schedule
    schedule.process.kill()
    schedule.process.wait()
    end_orphans(schedule.home)


def scored(lines: list[str], n: int) -> bool:
    """Tell whether a run has scored ``n`` listings."""
    return any(f"{n} listings new, {n} scored" in line for line in lines)


def test_it_fires_and_stops_without_leaving_a_process(served: Served) -> None:
    served.wait_for(lambda lines: scored(lines, 1))
    family = psutil.Process(served.process.pid).children(recursive=True)
    assert family, "its server"
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(LIMIT_S) == 0
    assert not any(process.is_running() for process in family)
    assert find_orphans(served.home) == []
    assert not (served.home / "schedule.holder").exists()


@pytest.mark.slow
@pytest.mark.skipif(not FULL, reason="takes minutes: set SEENBEFORE_FULL=1")
def test_it_goes_on_when_its_server_is_killed_and_scores_what_came_meanwhile(served: Served) -> None:
    served.wait_for(lambda lines: scored(lines, 1))
    (server,) = [child for child in psutil.Process(served.process.pid).children() if "server" in child.cmdline()]
    server.kill()
    served.append("second")
    served.append("third")
    served.wait_for(lambda lines: scored(lines, 2))
    assert any("SIGKILL" in line for line in served.said())
