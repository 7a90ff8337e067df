"""Prefect processes that killed runs left behind, found by the mark that every run gives to what it starts.

The mark is an environment variable, so a process carries it from its first instruction on, and nothing without it is
ever touched: not another home's server, not one the operator started, not a process that got a reused id.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

MARK = "_SEENBEFORE_STARTED_BY"
PREFECT = "prefect"
END_LIMIT_S = 10


@dataclass(frozen=True, slots=True)
class Orphan:
    """A living process whose run is dead; signals reach it only while its id and start time are still its own."""

    process: psutil.Process
    command: str

    def __str__(self) -> str:
        return f"process {self.process.pid} ({self.command})"


def mark_children(home: Path) -> None:
    """Mark whatever this process starts from now on as started by it, for ``home``."""
    os.environ[MARK] = f"{os.getpid()} {home.resolve()}"


def find_orphans(home: Path) -> list[Orphan]:
    """Return the Prefect processes of this home whose run is dead; other users' are not looked at."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or ())
        if PREFECT in command and _is_left_over(process, home):
            found.append(Orphan(process, command))
    return found


def end_orphans(home: Path) -> list[Orphan]:
    """End what killed runs of this home left behind, first asking, then not; return what was ended."""
    found = find_orphans(home)
    stubborn = _ended(found, psutil.Process.terminate)
    _ended([leftover for leftover in found if leftover.process in stubborn], psutil.Process.kill)
    return found


def _is_left_over(process: psutil.Process, home: Path) -> bool:
    try:
        starter, _, of_home = process.environ().get(MARK, "").partition(" ")
        return of_home == str(home.resolve()) and not _has_started(int(starter), process)
    except (psutil.Error, OSError):
        return False


def _has_started(starter: int, process: psutil.Process) -> bool:
    """Tell whether the process with the starter's id still is the one that started this process."""
    try:
        candidate = psutil.Process(starter)
        is_older: bool = candidate.create_time() <= process.create_time()
        return is_older and candidate.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ended(found: Sequence[Orphan], how: Callable[[psutil.Process], None]) -> set[psutil.Process]:
    for leftover in found:
        try:
            how(leftover.process)
        except psutil.NoSuchProcess:
            continue
    return set(psutil.wait_procs([leftover.process for leftover in found], timeout=END_LIMIT_S)[1])
