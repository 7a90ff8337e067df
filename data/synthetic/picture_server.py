"""The market's pictures over real HTTP on loopback, as a marketplace would serve them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDLE_TIMEOUT_S = 30.0


class _PictureServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _PictureHandler(SimpleHTTPRequestHandler):
    """Files below one folder, connections kept open, no folder listings, no log."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT_S
    # Without these two, a kept connection waits 40 ms for an acknowledgement between head and body.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def list_directory(self, path: object) -> None:
        """Answer 404: there is no picture here."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serve_pictures(folder: Path, *, port: int = 0) -> Iterator[str]:
    """Serve a folder on loopback while the block runs.

    Parameters
    ----------
    folder
        What is served; files may be written into it while it is.
    port
        Where to listen; 0 is any free port.

    Yields
    ------
    str
        The base URL, without a slash at the end.
    """
    server = _PictureServer(("127.0.0.1", port), partial(_PictureHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
