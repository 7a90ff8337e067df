"""Machine code for the workers of a run: in a fresh checkout it is compiled once, while they collect tests."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.shared_by_workers import made_once

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).resolve().parents[1]


def compile_meanwhile() -> Callable[[], None]:
    """Begin to compile in a process apart, and return what ends it."""
    process = subprocess.Popen([sys.executable, "-m", "tests.kernels"], cwd=CHECKOUT, stdout=subprocess.DEVNULL)

    def end() -> None:
        process.kill()
        process.wait()

    return end


@cache
def compiled() -> None:
    """Wait until all kernels are compiled."""
    made_once("kernels", _compile)


def _compile(_folder: Path) -> None:
    from features.copies import near_duplicates
    from features.hashing import selfcheck

    selfcheck.warmup(print)
    near_duplicates.warmup(print)


if __name__ == "__main__":
    compiled()
