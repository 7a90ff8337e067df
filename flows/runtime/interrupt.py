"""Ctrl-C and ``kill``: a command ends within seconds, whatever its workers and Prefect are waiting for.

Prefect's embedded server gets the terminal's Ctrl-C as well, and its client then goes on asking a dead server for a
minute. Everything a run has finished is kept at any moment, so there is nothing to wait for.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

import psutil

from flows.cli.console import STDERR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERRUPTED = 130  # what shells expect of a program that Ctrl-C ended
GRACE_S = 3.0
CHILDREN_LIMIT_S = 2.0


@contextmanager
def ending_soon(*, grace_s: float = GRACE_S) -> Iterator[None]:
    """Let the first Ctrl-C within the block raise `KeyboardInterrupt`, and end the process if that leads nowhere.

    A second Ctrl-C, or a SIGTERM, ends it at once. (During a flow a SIGTERM is Prefect's first, which passes it on.)
    """

    def at_once(signal_number: int, _frame: object) -> None:
        leave(128 + signal_number)

    def first(_signal: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, at_once)
        timer = threading.Timer(grace_s, leave)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, first),
        signal.SIGTERM: signal.signal(signal.SIGTERM, at_once),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(code: int = INTERRUPTED, *, told: bool = False) -> NoReturn:
    """End this process and what it has started, without waiting for threads."""
    if not told:
        say_interrupted()
    children = psutil.Process().children(recursive=True)
    for child in children:
        _signal(child, psutil.Process.terminate)
    for child in psutil.wait_procs(children, timeout=CHILDREN_LIMIT_S)[1]:
        _signal(child, psutil.Process.kill)
    STDERR.show_cursor()
    sys.stdout.flush()
    os._exit(code)


def say_interrupted() -> None:
    """Say what became of the work."""
    STDERR.print("Interrupted. What was finished is kept; the same command goes on from there.")


def _signal(process: psutil.Process, how: Callable[[psutil.Process], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        how(process)
