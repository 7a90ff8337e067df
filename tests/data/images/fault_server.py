"""A loopback server that does everything servers do to us, and what each of its faults is to end as."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import itertools
import socket
import struct
import threading
import time

from data.images.fetch_outcome import Reason
from data.settings import FetchSettings

PICTURE = b"\xff\xd8\xff\xe0 a picture" + bytes(3000)
IMAGE_ID = hashlib.sha256(PICTURE).hexdigest()
MAX_BYTES = 100_000
TIMEOUT_S = 0.8
# Generous beside the total time a download may take, since test machines are busy; the faults themselves never end.
BOUND_S = TIMEOUT_S + 2.0


def answer(body=PICTURE, status="200 OK", **headers):
    """The bytes of a whole answer; underscores in header names stand for hyphens."""
    headers = {"Content_Length": len(body), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


class FaultServer:
    """A loopback server that plays, for each path, a list of answers, the last one for ever.

    An answer is bytes, or an iterator of bytes to send one after the other.
    """

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.plays = {}
        self.asked = []
        self.under_way = self.most_under_way = 0
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def play(self, path, *answers):
        self.plays[path] = list(answers)
        return f"http://{self.host}{path}"

    def paths(self):
        return [path for path, _head in self.asked]

    def close(self):
        self.stopped.set()
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _address = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError), client, client.makefile("rb") as lines:
            while request := lines.readline():
                head = itertools.takewhile(lambda line: line not in {b"\r\n", b""}, iter(lines.readline, None))
                self._answer(client, request.split()[1].decode(), b"".join(head).decode("latin-1"))

    def _answer(self, client, path, head):
        with self.lock:
            self.asked.append((path, head))
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            plays = self.plays[path]
            play = plays.pop(0) if len(plays) > 1 else plays[0]
        try:
            for part in [play] if isinstance(play, bytes) else play():
                if part is None:
                    client.shutdown(socket.SHUT_RDWR)
                    raise ConnectionAbortedError
                if part == "reset":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    raise ConnectionAbortedError
                client.sendall(part)
        finally:
            with self.lock:
                self.under_way -= 1


def some_settings(server, **changes):
    values = {
        "allow_hosts": (server.host,),
        "threads": 4,
        "timeout_s": TIMEOUT_S,
        "max_bytes": MAX_BYTES,
        "max_retry_after_s": 60.0,
    }
    return FetchSettings(**(values | changes))


def slowly(data, pause_s=0.05):
    """Send byte by byte, for ever."""
    for at in itertools.count():
        yield data[at : at + 1] or b"x"
        time.sleep(pause_s)


def then_close(*parts):
    return lambda: iter([*parts, None])


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FAULTS = {
    "slow body": (lambda: itertools.chain([answer()[:200]], slowly(b"")), Reason.TIMEOUT),
    "slow headers": (lambda: slowly(answer()[:40]), Reason.TIMEOUT),
    "silence": (lambda: (time.sleep(0.05) or b"" for _ in itertools.count()), Reason.TIMEOUT),
    "interim answers for ever": (
        lambda: (time.sleep(0.01) or b"HTTP/1.1 100 Continue\r\n\r\n" for _ in itertools.count()),
        Reason.TIMEOUT,
    ),
    "chunks for ever": (
        lambda: itertools.chain([CHUNKED, b"4\r\n\xff\xd8\xff\xe0\r\n"], itertools.repeat(b"2\r\nxx\r\n")),
        Reason.TOO_LARGE,
    ),
    "body for ever": (
        lambda: itertools.chain([answer(PICTURE, Content_Length=None)], itertools.repeat(bytes(1000))),
        Reason.TOO_LARGE,
    ),
    "announced too large": (answer(PICTURE, Content_Length=MAX_BYTES + 1), Reason.TOO_LARGE),
    "headers for ever": (
        lambda: itertools.chain([b"HTTP/1.1 200 OK\r\n"], (b"X-%d: y\r\n" % n for n in itertools.count())),
        Reason.BAD_RESPONSE,
    ),
    "one header for ever": (
        lambda: itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], itertools.repeat(b"y" * 1000)),
        Reason.BAD_RESPONSE,
    ),
    "reset": (lambda: iter(["reset"]), Reason.CONNECTION_RESET),
    "reset in the body": (lambda: iter([answer()[:500], "reset"]), Reason.CONNECTION_RESET),
    "hang up": (then_close(), Reason.CONNECTION_RESET),
    "cut in the headers": (then_close(answer()[:30]), Reason.EMPTY_BODY),
    "cut after the length": (then_close(answer()[:38]), Reason.TRUNCATED),
    "truncated": (then_close(answer()[:500]), Reason.TRUNCATED),
    "truncated chunk": (then_close(CHUNKED, b"400\r\n", PICTURE[:100]), Reason.TRUNCATED),
    "bad chunk": (then_close(CHUNKED, b"zz\r\n"), Reason.TRUNCATED),
    "two lengths": (answer(PICTURE, Content_Length="5, 6"), Reason.BAD_RESPONSE),
    "not HTTP": (then_close(b"220 mail.example.com ESMTP\r\n\r\n"), Reason.BAD_RESPONSE),
    "empty body": (answer(b""), Reason.EMPTY_BODY),
    "gzip bomb": (answer(gzip.compress(bytes(10_000_000)), Content_Encoding="gzip"), Reason.ENCODED_BODY),
    "two encodings": (answer(Content_Encoding="identity, br"), Reason.ENCODED_BODY),
    "gzip in disguise": (answer(gzip.compress(PICTURE)), Reason.NOT_AN_IMAGE),
    "HTML": (answer(b"<html>not here</html>", Content_Type="text/html"), Reason.NOT_AN_IMAGE),
    "HTML called a JPEG": (answer(b"<html>not here</html>", Content_Type="image/jpeg"), Reason.NOT_AN_IMAGE),
    "HTML for ever": (
        lambda: itertools.chain([answer(b"<html>" * 20, Content_Length=None)], slowly(b"")),
        Reason.NOT_AN_IMAGE,
    ),
    "404": (answer(b"", "404 Not Found"), Reason.NOT_FOUND),
    "410": (answer(b"", "410 Gone"), Reason.REMOVED),
    "403 with a picture": (answer(PICTURE, "403 Forbidden"), Reason.HTTP_CLIENT_ERROR),
    "204": (answer(b"", "204 No Content"), Reason.HTTP_UNEXPECTED),
    "304 nobody asked for": (answer(b"", "304 Not Modified"), Reason.HTTP_UNEXPECTED),
    "500": (answer(b"", "500 Oops"), Reason.HTTP_SERVER_ERROR),
    "status 99": (answer(b"", "099 Odd"), Reason.BAD_RESPONSE),
    "429 for a year": (answer(b"", "429 Slow Down", Retry_After="31536000"), Reason.RATE_LIMITED),
    "redirect without a target": (answer(b"", "302 Found"), Reason.HTTP_UNEXPECTED),
    "redirect loop": (answer(b"", "302 Found", Location="/fault"), Reason.TOO_MANY_REDIRECTS),
    "redirect to a private address": (answer(b"", "302 Found", Location="http://10.0.0.1/"), Reason.PRIVATE_ADDRESS),
    "redirect to another door of ours": (answer(b"", "302 Found", Location="//127.0.0.1:1/"), Reason.PRIVATE_ADDRESS),
    "redirect to the cloud": (answer(b"", "307 Go", Location="http://168.63.129.16/"), Reason.METADATA_ADDRESS),
    "redirect to a file": (answer(b"", "301 Moved", Location="file:///etc/passwd"), Reason.SCHEME),
    "redirect to nonsense": (answer(b"", "301 Moved", Location="http://[::1"), Reason.BAD_URL),
    "redirect with a password": (answer(b"", "308 Go", Location="http://a:b@example.com/"), Reason.CREDENTIALS),
}  # fmt: skip
