"""What processes say of compiling: all in a full run; else one stops where it would begin, another finds it done."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.conftest import CHECKOUT
from tests.full_run import FULL

if TYPE_CHECKING:
    from pathlib import Path

ASK = "from {module} import warmup\nprint(warmup(print))"
ASK_AND_STOP = "from {module} import warmup\nwarmup(lambda sentence: print(sentence) or exit())"


def announcements(module: str, empty: Path) -> list[str]:
    """Return what a process that finds nothing compiled says in a module's warmup, and what a later one says.

    ``empty`` is a folder for compiled code. The later process finds there what the first has compiled; outside a full
    run it finds what this process has.
    """
    script = ASK.format(module=module)
    if FULL:
        return [_said(script, empty), _said(script, empty)]
    return [_said(ASK_AND_STOP.format(module=module), empty), _said(script, None)]


def _said(script: str, compiled: Path | None) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT), *sys.path])}
    if compiled:
        environment["NUMBA_CACHE_DIR"] = str(compiled)
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
