"""Writes down every call between our files. Python imports it at its start where PYTHONPATH names this folder.

`tests.benchmarks.walk` says what is counted, and reads what is written: one file for each process in the folder
``WALK_INTO``, one line for each call, written at once, so that nothing is lost with a process that is killed.
"""

from __future__ import annotations

import inspect
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, FrameType

ROOT = os.environ.get("WALK_ROOT", "") + "/"
INTO = os.environ.get("WALK_INTO")
PACKAGES = ("data/", "features/", "models/", "flows/", "review/")
NOT_OURS = ("prefect", "uvicorn")
"""Programs of others that our processes start: they would only be slower."""

_files: dict[CodeType, str | None] = {}
_out: dict[int, int] = {}


def ours(code: CodeType) -> str | None:
    """Return the file of ours that code was read from."""
    if code not in _files:
        name = code.co_filename.removeprefix(ROOT)
        _files[code] = name if name.startswith(PACKAGES) else None
    return _files[code]


def is_function(code: CodeType) -> bool:
    """Tell a function from the body of a module or of a class."""
    return bool(code.co_flags & inspect.CO_OPTIMIZED)


def is_resumed(frame: FrameType) -> bool:
    """Tell whether a generator goes on where it had yielded: it was called before, and is not called now."""
    return frame.f_code.co_code[frame.f_lasti + 1] != 0  # what RESUME stands at: 0 is the start of a function


def task_of() -> str:
    """Return the name of the flow and the task of Prefect that this thread works at."""
    context = sys.modules.get("prefect.context")
    try:
        flow, task = context.FlowRunContext.get(), context.TaskRunContext.get()  # type: ignore[union-attr]
    except AttributeError:  # not imported, or only half
        return "\t"
    return f"{flow.flow.name if flow and flow.flow else ''}\t{task.task.name if task else ''}"


def write(line: str) -> None:
    """Add a line to the file of this process."""
    pid = os.getpid()
    if pid not in _out:  # a process that was forked writes a file of its own
        _out[pid] = os.open(f"{INTO}/{pid}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(_out[pid], f"{time.monotonic_ns()}\t{threading.get_ident()}\t{line}\n".encode())


def caller(frame: FrameType) -> tuple[str, str] | None:
    """Return file and function of the nearest caller of ours, two empty names without one, ``None`` in an import."""
    nearest, above = ("", ""), frame.f_back
    while above is not None:
        code = above.f_code
        file = ours(code)
        if file:
            if is_function(code):
                nearest = nearest if nearest[0] else (file, code.co_qualname)
            elif above.f_globals.get("__name__") != "__main__":
                return None
        above = above.f_back
    return nearest


def watch(frame: FrameType, event: str, _: object) -> None:
    """Write down a call, and what SQL writes."""
    if event != "call":
        return
    code = frame.f_code
    file = ours(code)
    if file is None:
        if code.co_name.startswith("do_execute") and code.co_filename.endswith("sqlalchemy/engine/default.py"):
            write("sql\t" + " ".join(str(frame.f_locals.get("statement")).split())[:60])
        elif code.co_name.startswith("recv") and code.co_filename.endswith("multiprocessing/connection.py"):
            write("wait")
        return
    if is_function(code) and not is_resumed(frame) and (by := caller(frame)):
        write(f"call\t{task_of()}\t{by[0]}\t{by[1]}\t{file}\t{code.co_qualname}")


if INTO and not any(name in part for part in sys.orig_argv[:4] for name in NOT_OURS):
    threading.setprofile(watch)
    sys.setprofile(watch)
