"""What workers and the process that started them say to each other: plain values as JSON, and bytes as they are.

Sketches in base64 would take twice the time on the way.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Message = dict[str, Any]


class Late(Exception):  # noqa: N818 -- the name is the fact
    """The other side does not answer."""


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


def _next(connection: Connection, patience_s: float | None) -> bytes:
    if not connection.poll(patience_s):
        raise Late
    return connection.recv_bytes()
