"""The process that opens pictures: whatever one of them does, it ends this process and nothing else.

It is given bytes and answers with a plain row as JSON; it knows no store, no catalog and no password. It imports as
little as it can, as a fresh one must be there soon after one was lost.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import psutil

from data.images.decode import Unreadable, UnreadableReason, decode
from data.settings import DecodeSettings
from features.fast_path import warm
from features.hashing import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

Row = dict[str, object]
MEMORY_EXIT = 70
"""Exit code of a worker whose picture asked for more memory than it may have."""


def read(content: bytes, settings: DecodeSettings) -> Row:
    """Decode and fingerprint one picture file.

    Returns
    -------
    dict
        Values of the ``images`` table by column: what was found in the picture, or only the ``reason`` why the file
        gives none, which is ``None`` otherwise.

    Raises
    ------
    MemoryError
        The picture does not fit into the memory a worker has.
    """
    picture = decode(content, settings)
    if isinstance(picture, Unreadable):
        if picture.reason is UnreadableReason.POISON_MEMORY:
            raise MemoryError(picture.detail)
        return {"reason": str(picture.reason)}
    return asdict(fingerprint(picture.image)) | {
        "reason": None,
        "width": picture.width,
        "height": picture.height,
        "format": picture.format,
        "orientation": picture.orientation,
    }


def serve(connection: Connection, read: Callable[[bytes], Row], settings: DecodeSettings) -> None:
    """Answer pictures with rows within the limits until the other end is closed, if only because its process died.

    Parameters
    ----------
    connection
        Brings the bytes of one picture at a time.
    read
        What makes a row of them. Where it takes too long or too much memory, or crashes, the process ends.
    settings
        The time and the memory that one picture may take.
    """
    _limit_memory(settings.max_memory_bytes)
    _leave_ending_to_the_parent()
    _tell(connection, {"ready": True})
    with suppress(EOFError, ConnectionError):
        while True:
            content = connection.recv_bytes()
            # Not caught by anyone: the system ends the process, even one that is stuck deep inside a decoder.
            signal.setitimer(signal.ITIMER_REAL, settings.timeout_s)
            try:
                row = read(content)
            except MemoryError:
                os._exit(MEMORY_EXIT)  # what was taken so far may never be given back
            signal.setitimer(signal.ITIMER_REAL, 0)
            _tell(connection, row)


def main() -> None:
    """Serve on the inherited connection and with the settings that the command line names."""
    settings = DecodeSettings.model_validate_json(sys.argv[2])
    with Connection(int(sys.argv[1])) as connection:
        warm(lambda sentence: _tell(connection, {"say": sentence}))
        serve(connection, partial(read, settings=settings), settings)


def _limit_memory(max_bytes: int) -> None:
    """Let this process grow by so much; the libraries it has loaded by now are not counted."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # macOS knows the limit but refuses it
        most = psutil.Process().memory_info().vms + max_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _leave_ending_to_the_parent() -> None:
    """Do not die of a Ctrl-C or a stop that is meant for all: it would look like the picture's doing."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _tell(connection: Connection, message: Row) -> None:
    connection.send_bytes(json.dumps(message).encode())


if __name__ == "__main__":
    main()
