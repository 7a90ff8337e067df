"""Nothing that a test run starts outlives it, however it ends: a watchdog waits for its end and clears up.

Everything that the run starts inherits an environment variable that names the run's own folder. The watchdog is a
process apart; when the pipe to it closes, because the run has ended or was killed, it ends all processes with this
variable and removes the folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "TEST_RUN_FOLDER"  # none of our own prefixes, which tests of settings take out of their environment
GRACE_S = 5
LOOK_EVERY_S = 0.02


def watch() -> Callable[[], None]:
    """Make the run's folder, let a watchdog wait for the end of this process, and return what tells it to act now."""
    folder = Path(tempfile.mkdtemp(prefix="seenbefore-tests-"))
    folder.chmod(0o711)  # PostgreSQL wants another user than root, who has to come through
    os.environ.pop(MARK, None)
    command = [sys.executable, str(Path(__file__)), str(folder)]
    watchdog = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    os.environ[MARK] = str(folder)

    def end() -> None:
        os.environ.pop(MARK, None)
        watchdog.communicate()

    return end


def run_folder() -> Path:
    """Return the folder of this run, which all its workers share."""
    return Path(os.environ[MARK])


def clear_up(folder: Path) -> None:
    """End what belongs to a run, and what that has started; remove the run's folder."""
    while members := _members(folder):
        for process in members:
            with suppress(psutil.NoSuchProcess):
                # Killed, PostgreSQL leaves its shared memory behind; others may take their time, or do not listen.
                process.terminate() if process.name() == "postgres" else process.kill()
        deadline = time.monotonic() + GRACE_S
        while any(map(_lives, members)) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
        for process in filter(_lives, members):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    shutil.rmtree(folder, ignore_errors=True)


def _members(folder: Path) -> list[psutil.Process]:
    found = {process for process in psutil.process_iter() if _belongs(process, folder)}
    return list(filter(_lives, found.union(*map(_children, found))))


def _belongs(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(folder)
    except (psutil.Error, OSError):
        return False


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE  # which its parent may leave lying for ever
    except psutil.NoSuchProcess:
        return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    # Programs that rename themselves, as Chromium and PostgreSQL do, write over their environment.
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # meant for the run, whose end it waits for
    sys.stdin.read()
    clear_up(Path(sys.argv[1]))
