"""What runs in a home, and what killed runs left there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from data.errors import ExitCode
from flows.cli.doctor.finding import Finding, State, ok
from flows.runtime.lock import LOCKS, Lock, holder, killed_holders
from flows.runtime.orphans import find_orphans
from flows.runtime.prefect_server import is_healthy

if TYPE_CHECKING:
    from pathlib import Path

    from data.settings import Settings


def locks(home: Path) -> list[Finding]:
    """Tell who holds the home, and whether somebody was killed while holding it."""
    killed = killed_holders(home)
    return [_lock(home, lock, killed.get(lock)) for lock in LOCKS]


def _lock(home: Path, lock: Lock, killed: str | None) -> Finding:
    if killed is not None:
        advice = f"Nothing is lost: the next {lock} goes on from there."
        return Finding(lock, State.WARN, f"was killed: {killed}", advice)
    note = holder(home, lock=lock)
    return ok(lock, "none under way" if note is None else f"under way: {note}")


def left_behind(home: Path) -> Finding:
    """Look for Prefect processes whose run of this home is dead."""
    found = find_orphans(home)
    if not found:
        return ok("leftover processes", "none")
    named = ", ".join(str(leftover.process.pid) for leftover in found)
    return Finding(
        "leftover processes",
        State.WARN,
        f"{len(found)} of killed runs: {named}",
        "The next run, or `seenbefore doctor --fix`, ends them.",
    )


def prefect(settings: Settings) -> Finding:
    """Check that the Prefect server answers that the environment names."""
    named = os.environ.get("PREFECT_API_URL")
    if named is None and settings.engine != "threads":
        found = f"SEENBEFORE_ENGINE={settings.engine} needs a server that outlives a run"
        advice = "Start one with `prefect server start` and set PREFECT_API_URL."
        return Finding("prefect server", State.BAD, found, advice, ExitCode.CALLER)
    if named is None:
        return ok("prefect server", "each run starts one of its own")
    if is_healthy(named):
        return ok("prefect server", f"{named} answers")
    advice = "Start it, or unset PREFECT_API_URL to let each run start its own."
    return Finding("prefect server", State.BAD, f"{named} does not answer", advice)
