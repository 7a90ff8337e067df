"""An ingest that is killed anywhere is finished by the next one, and nobody can tell the difference afterwards."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from data.errors import ExitCode
from flows.cli.app import answer
from flows.runtime.lock import hold, is_held
from flows.runtime.orphans import end_orphans, find_orphans
from tests.faults.interrupted import SMALL_STEPS, Market, digest, pictures, progress
from tests.full_run import FULL, often

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
KILLS = often(in_full=10, otherwise=2)
RUN_LIMIT_S = 180
JITTER_S = 0.05
LOOK_EVERY_S = 0.002


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """The same small market for all tests."""
    return Market.drawn(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def undisturbed(market: Market, prefect_variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home into which the market was ingested in one go."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    finish(market, home, prefect_variables)
    return home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home in which nothing of a killed run is left at the end, whatever happened."""
    yield tmp_path / "home"
    end_orphans(tmp_path / "home")


def finish(market: Market, home: Path, prefect_variables: dict[str, str]) -> None:
    """Ingest to the end: in this process where time matters, else as before."""
    if FULL:
        process = market.start_ingest(home, prefect_variables)
        assert process.wait(RUN_LIMIT_S) == ExitCode.DONE, (home.parent / f"{home.name}.log").read_text()
        return
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL_STEPS.items():
            patch.setenv(name, value)
        assert answer(["--home", str(home), *market.command]) == ExitCode.DONE


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a run and nothing else: a power cut spares no server, the out-of-memory killer does."""
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_anywhere_and_run_again_it_knows_what_an_undisturbed_run_knows(
    seed: int, market: Market, undisturbed: Path, home: Path, prefect_variables: dict[str, str]
) -> None:
    moment = random.Random(seed)
    steps = moment.randrange(progress(undisturbed))
    process = market.start_ingest(home, prefect_variables)
    while progress(home) < steps:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(LOOK_EVERY_S)
    time.sleep(moment.uniform(0, JITTER_S))
    kill(process)
    done = progress(home)
    assert not is_held(home)
    finish(market, home, prefect_variables)
    print(f"seed {seed}: killed after {done} of {progress(undisturbed)} steps")
    assert digest(home) == digest(undisturbed)
    assert pictures(home) == pictures(undisturbed)
    assert find_orphans(home) == []


def test_the_server_of_a_run_that_is_killed_while_it_starts_is_ended_by_the_next_one(
    market: Market, home: Path
) -> None:
    process = market.start_ingest(home, {})
    deadline = time.monotonic() + RUN_LIMIT_S
    while not (found := [child for child in psutil.Process(process.pid).children() if _is_server(child)]):
        assert time.monotonic() < deadline, "it started no server"
        time.sleep(LOOK_EVERY_S)
    kill(process)
    assert [leftover.process for leftover in find_orphans(home)] == found
    with hold(home, "next run"):
        assert not any(child.is_running() for child in found)


def _is_server(process: psutil.Process) -> bool:
    try:
        return "prefect.server" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False
