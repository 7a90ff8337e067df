"""The process that opens pictures: whatever one of them does, it ends this process and nothing else.

It is given the bytes of a file and answers with plain values and bytes of ours; it knows no store, no catalog and no
password. It imports as little as it can, as a fresh one must be there soon after one was lost.

What it and the process that started it say to each other are plain values as JSON, and bytes as they are: descriptors
in base64 would take twice the time on the way.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import psutil

from data.images.decode import Picture, Unreadable, UnreadableReason, decode
from data.settings import DecodeSettings
from features.hashing.fingerprint import fingerprint_and_descriptor
from features.hashing.selfcheck import warmup
from features.keypoints.descriptor import pack

if TYPE_CHECKING:
    from collections.abc import Callable

Message = dict[str, Any]

MEMORY_EXIT = 70
"""Exit code of a worker whose picture asked for more memory than it may have."""
JPEG_QUALITY = 80


class Wanted(StrEnum):
    """What may be asked of a picture."""

    FINGERPRINT = "fingerprint"
    """Its values in the tables ``images`` and ``sketches``, by column."""
    THUMBNAIL = "thumbnail"
    """A ``jpeg`` for people, at most ``side_pixels`` a side: ours, without anything a stranger put into the file."""


class Late(Exception):  # noqa: N818 -- the name is the fact
    """The other side does not answer."""


def answer(request: Message, settings: DecodeSettings) -> Message:
    """Decode one picture file, and make of it what is wanted.

    Parameters
    ----------
    request
        ``content``, the whole file, which of `Wanted` is ``wanted`` of it, and ``side_pixels`` of a thumbnail.

    Returns
    -------
    dict
        What is wanted, and a ``reason`` of ``None``; or only the reason why the file gives no picture, and in
        ``detail`` a sentence about it.

    Raises
    ------
    MemoryError
        The picture does not fit into the memory a worker has.
    """
    picture = decode(request["content"], settings)
    if isinstance(picture, Unreadable):
        if picture.reason is UnreadableReason.POISON_MEMORY:
            raise MemoryError(picture.detail)
        return {"reason": picture.reason, "detail": picture.detail}
    made = (
        _fingerprinted(picture)
        if request["wanted"] == Wanted.FINGERPRINT
        else _drawn_small(picture, request["side_pixels"])
    )
    return {"reason": None, **made}


def serve(connection: Connection, answer: Callable[[Message], Message], settings: DecodeSettings) -> None:
    """Answer requests within the limits until the other end is closed, if only because its process died.

    Parameters
    ----------
    connection
        Brings one request at a time.
    answer
        What answers it. Where it takes too long or too much memory, or crashes, the process ends.
    settings
        The time and the memory that one picture may take.
    """
    _limit_memory(settings.max_memory_bytes)
    _leave_ending_to_the_parent()
    tell(connection, {"ready": True})
    with suppress(EOFError, ConnectionError):
        while True:
            request = hear(connection)
            # Not caught by anyone: the system ends the process, even one that is stuck deep inside a decoder.
            signal.setitimer(signal.ITIMER_REAL, settings.timeout_s)
            try:
                answered = answer(request)
            except MemoryError:
                os._exit(MEMORY_EXIT)  # what was taken so far may never be given back
            signal.setitimer(signal.ITIMER_REAL, 0)
            tell(connection, answered)


def main() -> None:
    """Serve on the inherited connection and with the settings that the command line names."""
    settings = DecodeSettings.model_validate_json(sys.argv[2])
    with Connection(int(sys.argv[1])) as connection:
        warmup(lambda sentence: tell(connection, {"say": sentence}))
        serve(connection, partial(answer, settings=settings), settings)


def tell(connection: Connection, message: Message) -> None:
    """Send names with values: one message of all that JSON can hold, then one for each that is bytes."""
    octets = {name: value for name, value in message.items() if isinstance(value, bytes)}
    plain = {name: value for name, value in message.items() if name not in octets}
    connection.send_bytes(json.dumps([plain, list(octets)]).encode())
    for value in octets.values():
        connection.send_bytes(value)


def hear(connection: Connection, patience_s: float | None = None) -> Message:
    """Receive what `tell` sent.

    Parameters
    ----------
    patience_s
        Longest wait for each part of it; ``None`` waits for ever.

    Raises
    ------
    Late
        Patience ended.
    EOFError, ConnectionError
        The other end is closed.
    """
    plain, names = json.loads(_next(connection, patience_s))
    return {**plain, **{name: _next(connection, patience_s) for name in names}}


def _fingerprinted(picture: Picture) -> Message:
    found, sketch = fingerprint_and_descriptor(picture.image, picture.untransposed)
    return {**asdict(found), **pack(sketch), "format": picture.format, "orientation": picture.orientation}


def _drawn_small(picture: Picture, side_pixels: int) -> Message:
    small = picture.image.convert("RGB")
    small.thumbnail((side_pixels, side_pixels))
    small.info.clear()  # Pillow would write the file's comment into ours
    jpeg = io.BytesIO()
    small.save(jpeg, "JPEG", quality=JPEG_QUALITY)
    return {"jpeg": jpeg.getvalue()}


def _next(connection: Connection, patience_s: float | None) -> bytes:
    if not connection.poll(patience_s):
        raise Late
    return connection.recv_bytes()


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


if __name__ == "__main__":
    main()
