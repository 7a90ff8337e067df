"""One run at a time in a home, and nothing of a killed run stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from data.errors import BusyError, ExitCode
from flows.runtime.lock import hold, holder, is_held
from flows.runtime.orphans import end_orphans, find_orphans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWO_TICKS_S = 0.02  # the kernel keeps start times in hundredths of a second

HOLD = """
import sys
from pathlib import Path
from flows.runtime.lock import hold
with hold(Path(sys.argv[1]), "ingest"):
    print("holding", flush=True)
    sys.stdin.read()
"""
# The run: marks itself and starts something that looks like a Prefect server and outlives it.
RUN = """
import subprocess, sys
from pathlib import Path
from flows.runtime.orphans import mark_children
mark_children(Path(sys.argv[1]))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)  # prefect"], start_new_session=True)
print(child.pid, flush=True)
sys.stdin.read()
"""


# Becomes a process that says it was started by whichever process it is told.
BECOME = """
import os, sys
environment = os.environ | {"_SEENBEFORE_STARTED_BY": f"{int(sys.stdin.readline())} {sys.argv[1]}"}
later = "print('ready', flush=True); import time; time.sleep(600)  # prefect"
os.execve(sys.executable, [sys.executable, "-c", later], environment)
"""


@contextmanager
def running(script: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a script until the block ends."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", script, str(home)], **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def started_by(run: subprocess.Popen[str]) -> Iterator[psutil.Process]:
    """Yield the process whose id a run prints, and make sure that it ends."""
    assert run.stdout is not None
    child = psutil.Process(int(run.stdout.readline()))
    try:
        yield child
    finally:
        with suppress(psutil.NoSuchProcess):
            child.kill()


def test_a_second_run_is_told_who_holds_the_home(tmp_path: Path) -> None:
    with running(HOLD, tmp_path) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert is_held(tmp_path)
        told = rf"ingest, process {other.pid}, since .* One run at a time"
        with pytest.raises(BusyError, match=told) as raised, hold(tmp_path, "score"):
            pytest.fail("let in")
        assert raised.value.exit_code == ExitCode.CALLER


def test_a_killed_holder_lets_go_and_leaves_only_its_note(tmp_path: Path) -> None:
    with running(HOLD, tmp_path) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert not is_held(tmp_path)
        assert f"process {other.pid}" in (holder(tmp_path) or "")
        with hold(tmp_path, "score"):
            assert f"score, process {os.getpid()}" in (holder(tmp_path) or "")
    assert holder(tmp_path) is None


def test_a_run_inside_a_run_is_let_in_and_the_outer_one_goes_on_holding(tmp_path: Path) -> None:
    with hold(tmp_path, "run"):
        with hold(tmp_path, "ingest"):
            pass
        assert is_held(tmp_path)
        assert (holder(tmp_path) or "").startswith("run,")
    assert not is_held(tmp_path)


def test_schedules_keep_out_schedules_but_not_their_runs(tmp_path: Path) -> None:
    with hold(tmp_path, "schedule", lock="schedule"), hold(tmp_path, "run"):
        assert is_held(tmp_path, lock="schedule")


def test_asking_about_a_home_that_was_never_used_makes_no_file(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_started_is_ended_by_the_next_one(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    with running(RUN, home) as run, started_by(run) as child:
        assert find_orphans(home) == [], "its run is alive"
        run.kill()
        # Dead, but nobody has asked for its status yet.
        os.waitid(os.P_PID, run.pid, os.WEXITED | os.WNOWAIT)
        assert [leftover.process for leftover in find_orphans(home)] == [child]
        run.wait()
        assert end_orphans(elsewhere) == [], "another home's"
        with hold(home, "run"):
            assert not child.is_running()
    assert find_orphans(home) == []


def test_a_process_whose_starter_s_id_was_given_to_a_younger_process_is_left_over(tmp_path: Path) -> None:
    with running(BECOME, tmp_path) as older:
        assert older.stdin is not None
        assert older.stdout is not None
        time.sleep(TWO_TICKS_S)
        with running(BECOME, tmp_path) as younger:
            older.stdin.write(f"{younger.pid}\n")
            older.stdin.flush()
            older.stdout.readline()
            assert [leftover.process.pid for leftover in find_orphans(tmp_path)] == [older.pid]


def test_processes_without_our_mark_are_never_touched(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print(1, flush=True); import time; time.sleep(600)  # prefect"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as stranger:
        assert stranger.stdout is not None
        stranger.stdout.readline()
        assert end_orphans(tmp_path) == []
        assert stranger.poll() is None
        stranger.kill()
