"""Sockets that keep one deadline over a whole download.

A timeout on each ``recv`` is no bound: a server that sends one byte a second never trips it. Here every ``recv`` may
take only what is left until the deadline, in TLS handshakes, headers and bodies alike, so a drip ends on time and
as a plain ``TimeoutError``, never as a short answer that looks complete.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self

_deadline: ContextVar[float] = ContextVar("deadline")


@contextlib.contextmanager
def finish_within(seconds: float) -> Iterator[None]:
    """Give this thread's sockets a deadline, on the monotonic clock."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining_s() -> float:
    """Seconds left until the deadline.

    Raises
    ------
    TimeoutError
        When none are left.
    """
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for this download is used up")
    return left


class DeadlineSocket(socket.socket):
    """A connected socket whose reads end at the deadline."""

    @classmethod
    def adopt(cls, connected: socket.socket) -> Self:
        """Take over a connected socket."""
        family, kind, proto, timeout = connected.family, connected.type, connected.proto, connected.gettimeout()
        adopted = cls(family, kind, proto, fileno=connected.detach())
        adopted.settimeout(timeout)
        return adopted

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Read what is there, waiting no longer than the deadline."""
        self.settimeout(remaining_s())
        return super().recv_into(*args, **kwargs)


class DeadlineTLSSocket(ssl.SSLSocket):
    """A TLS socket whose handshake and reads end at the deadline."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, waiting no longer than the deadline."""
        self.settimeout(remaining_s())
        super().do_handshake(block)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Read what is there, waiting no longer than the deadline."""
        self.settimeout(remaining_s())
        return super().recv_into(*args, **kwargs)


class _DeadlineHTTP(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return DeadlineSocket.adopt(super()._new_conn())


class _DeadlineHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return DeadlineSocket.adopt(super()._new_conn())


class DeadlineHTTPPool(HTTPConnectionPool):
    """Connections that keep the deadline."""

    ConnectionCls = _DeadlineHTTP


class DeadlineHTTPSPool(HTTPSConnectionPool):
    """TLS connections that keep the deadline."""

    ConnectionCls = _DeadlineHTTPS
