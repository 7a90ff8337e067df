"""What is made once for a whole test run, by whichever worker needs it first."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from filelock import FileLock

from tests.watchdog import run_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of this name in the run's own, filled by ``make`` if no worker has done it; others wait."""
    folder = run_folder() / name
    done = folder.with_name(f"{name}.done")
    with FileLock(f"{folder}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
