"""One run at a time in a home."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from data.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def hold(home: Path, what: str) -> Iterator[None]:
    """Hold a home for one run; the operating system lets go of it when the process ends, however it ends.

    A run inside a run of the same process is let in.

    Raises
    ------
    BusyError
        Another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    note = home / "run.holder"
    lock = FileLock(home / "run.lock", is_singleton=True, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        holder = note.read_text() if note.exists() else "unknown process"
        raise BusyError(str(home), holder.strip()) from error
    try:
        note.write_text(f"{what}, process {os.getpid()}\n")
        yield
    finally:
        lock.release()
