"""One run at a time in a home."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from filelock import FileLock, Timeout

from data.errors import BusyError
from flows.runtime.orphans import end_orphans

if TYPE_CHECKING:
    from collections.abc import Iterator

Lock = Literal["run", "schedule"]
LOCKS: tuple[Lock, ...] = ("run", "schedule")


@contextmanager
def hold(home: Path, what: str, *, lock: Lock = "run") -> Iterator[None]:
    """Hold a home; the operating system lets go of it when the process ends, however it ends.

    A run inside a run of the same process is let in. Who gets in first ends what killed runs left behind.

    Parameters
    ----------
    home
        Folder that holds everything a run writes.
    what
        What others are told is going on.
    lock
        Runs keep out runs, schedules keep out schedules; a schedule's runs are runs.

    Raises
    ------
    BusyError
        Another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    note = _note(home, lock)
    held = _file_lock(home, lock)
    try:
        held.acquire(timeout=0)
    except Timeout as error:
        raise BusyError(str(home), holder(home, lock=lock) or "unknown process") from error
    outermost = held.lock_counter == 1
    try:
        if outermost:
            note.write_text(f"{what}, process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
            end_orphans(home)
        yield
    finally:
        if outermost:
            note.unlink(missing_ok=True)
        held.release()


def holder(home: Path, *, lock: Lock = "run") -> str | None:
    """Return what the holder's note says; ``None`` if there is none. A killed holder leaves its note behind."""
    try:
        return _note(home, lock).read_text().strip() or None
    except FileNotFoundError:
        return None


def killed_holders(home: Path) -> dict[Lock, str]:
    """Return the notes of holders that were killed."""
    notes = {lock: holder(home, lock=lock) for lock in LOCKS if not is_held(home, lock=lock)}
    return {lock: note for lock, note in notes.items() if note is not None}


def clear_note(home: Path, *, lock: Lock = "run") -> None:
    """Remove the note of a killed holder."""
    _note(home, lock).unlink(missing_ok=True)


def is_held(home: Path, *, lock: Lock = "run") -> bool:
    """Tell whether a process, this one included, holds a home."""
    held = _file_lock(home, lock)
    if held.is_locked:
        return True
    if not Path(held.lock_file).exists():
        return False
    try:
        held.acquire(timeout=0)
    except Timeout:
        return True
    held.release()
    return False


def _file_lock(home: Path, lock: Lock) -> FileLock:
    return FileLock(home.resolve() / f"{lock}.lock", is_singleton=True, thread_local=False)


def _note(home: Path, lock: Lock) -> Path:
    return home / f"{lock}.holder"
