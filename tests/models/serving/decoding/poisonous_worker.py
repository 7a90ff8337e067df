"""A worker that does what the bytes it is given say; started by the tests as a program."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from data.settings import DecodeSettings
from models.serving.decoding.worker import answer, serve

if TYPE_CHECKING:
    from models.serving.decoding.worker import Message

HOARD_BYTES = 1 << 34
TIME, MEMORY, SEGFAULT, KILLED, BUG, ONCE = (
    b"takes for ever",
    b"takes all memory",
    b"segfaults",
    b"is killed",
    b"raises",
    b"crashes once ",
)


def act(request: Message, settings: DecodeSettings) -> Message:
    content = request["content"]
    if content == TIME:
        time.sleep(600)
    if content == MEMORY:
        bytearray(HOARD_BYTES)
    if content == SEGFAULT:
        os.kill(os.getpid(), signal.SIGSEGV)
    if content == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    if content == BUG:
        raise ZeroDivisionError
    if content.startswith(ONCE):
        mark = Path(os.fsdecode(content.removeprefix(ONCE)))
        if not mark.exists():
            mark.touch()
            os.abort()
        return {"reason": None}
    return answer(request, settings)


if __name__ == "__main__":
    limits = DecodeSettings.model_validate_json(sys.argv[2])
    with Connection(int(sys.argv[1])) as connection:
        serve(connection, partial(act, settings=limits), limits)
