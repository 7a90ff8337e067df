"""Downloads against a server that does everything servers do to us; each ends in time, as a stored reason."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import itertools
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from data.errors import StoreError
from data.images.fetch import Fetcher
from data.images.outcome import FetchStatus, Reason, Revalidation
from data.images.store import ImageStore
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


@pytest.fixture
def server():
    server = FaultServer()
    yield server
    server.close()


@pytest.fixture
def store(tmp_path):
    return ImageStore(str(tmp_path / "images"))


@pytest.fixture
def fetcher(server, store, monkeypatch):
    monkeypatch.setattr("data.images.download.BACKOFF_S", 0.01)
    with Fetcher(some_settings(server), store) as fetcher:
        yield fetcher


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


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_ends_in_time_as_a_reason(server, fetcher, store, name):
    play, reason = FAULTS[name]
    url = server.play("/fault", play)
    began_s = time.monotonic()
    (outcome,) = fetcher.fetch([url])
    assert time.monotonic() - began_s < BOUND_S
    assert (outcome.url, outcome.reason) == (url, reason), outcome
    assert outcome.status is not FetchStatus.OK
    assert outcome.image_id is None
    assert 0 < len(outcome.detail) <= 200
    assert list(store.ids()) == []


@pytest.mark.parametrize("name", FAULTS)
def test_after_a_fault_the_same_server_still_gives_its_picture(server, fetcher, name):
    if name == "429 for a year":
        pytest.skip("a server that asked us to stay away is not asked again")
    fetcher.fetch([server.play("/fault", FAULTS[name][0])])
    (outcome,) = fetcher.fetch([server.play("/a.jpg", answer())])
    assert outcome.image_id == IMAGE_ID


def test_a_picture_is_kept_with_what_the_server_said_about_it(server, fetcher, store):
    url = server.play("/a.jpg", answer(Content_Type="text/plain", ETag='"v1"', Last_Modified="yesterday"))
    (outcome,) = fetcher.fetch([url])
    assert (outcome.status, outcome.reason, outcome.http_status) == (FetchStatus.OK, Reason.FETCHED, 200)
    assert (outcome.image_id, outcome.n_bytes) == (IMAGE_ID, len(PICTURE))
    assert (outcome.content_type, outcome.etag, outcome.last_modified) == ("text/plain", '"v1"', "yesterday")
    assert store.get(IMAGE_ID) == PICTURE


def test_the_request_names_us_and_asks_for_plain_bytes(server, fetcher):
    fetcher.fetch([server.play("/a.jpg", answer(Set_Cookie="seen=1; Path=/"))] * 2 + [server.play("/b.jpg", answer())])
    for _path, head in server.asked:
        assert "Accept-Encoding: identity" in head
        assert "User-Agent: Seenbefore/" in head
        assert "Cookie" not in head


def test_outcomes_come_in_order_and_each_address_is_asked_once(server, fetcher):
    good, gone = server.play("/a.jpg", answer()), server.play("/b.jpg", answer(b"", "404 No"))
    outcomes = fetcher.fetch([gone, good, "ftp://x/", good, gone])
    assert [outcome.reason for outcome in outcomes] == [
        Reason.NOT_FOUND, Reason.FETCHED, Reason.SCHEME, Reason.FETCHED, Reason.NOT_FOUND,
    ]  # fmt: skip
    assert sorted(server.paths()) == ["/a.jpg", "/b.jpg"]


def test_redirects_are_followed_three_times_without_reading_their_bodies(server, fetcher):
    server.play("/4", answer(b"", "302 Found", Location="/3"))
    server.play(
        "/3",
        lambda: itertools.chain(
            [answer(b"", "302 Found", Location="/2 b?c#d", Content_Length=None)], itertools.repeat(bytes(100))
        ),
    )
    server.play(
        "/2%20b?c",
        answer(gzip.compress(bytes(10_000_000)), "301 Moved", Location=f"//{server.host}/1", Content_Encoding="gzip"),
    )
    server.play("/1", answer())
    four, three = fetcher.fetch([f"http://{server.host}/4", f"http://{server.host}/3"])
    assert four.image_id == three.image_id == IMAGE_ID
    server.play("/5", answer(b"", "302 Found", Location="/4"))
    assert fetcher.fetch([f"http://{server.host}/5"])[0].reason is Reason.TOO_MANY_REDIRECTS


def test_a_passing_fault_is_tried_again_at_once(server, fetcher):
    urls = [
        server.play("/a", answer(b"", "500 Oops"), answer()),
        server.play("/b", lambda: iter(["reset"]), then_close(), answer()),
        server.play("/c", answer(b"", "429 Slow Down", Retry_After="0"), answer()),
        server.play("/d", answer(b"", "404 No"), answer()),
    ]
    assert [outcome.reason for outcome in fetcher.fetch(urls)] == [Reason.FETCHED] * 3 + [Reason.NOT_FOUND]


@pytest.mark.parametrize(
    ("headers", "expected_s"),
    [
        ({"Retry_After": "31536000"}, 60.0),
        ({"Retry_After": "9" * 5000}, 60.0),
        ({"Retry_After": "30"}, 30.0),
        ({"Retry_After": "Fri, 01 Jan 2100 00:00:20 GMT", "Date": "Fri, 01 Jan 2100 00:00:00 GMT"}, 20.0),
        ({"Retry_After": "Fri, 01 Jan 2100 00:00:20 GMT"}, 60.0),
        ({"Retry_After": "-5"}, 60.0),
        ({"Retry_After": "soon"}, 60.0),
    ],
)
def test_a_server_that_asks_us_to_stay_away_is_left_alone_up_to_the_cap(server, fetcher, headers, expected_s):
    began_s = time.monotonic()
    (limited,) = fetcher.fetch([server.play("/a", answer(b"", "429 Slow Down", **headers))])
    assert (limited.reason, limited.retry_after_s) == (Reason.RATE_LIMITED, expected_s)
    (left_alone,) = fetcher.fetch([server.play("/b", answer())])
    assert left_alone.reason is Reason.RATE_LIMITED
    assert 0 < left_alone.retry_after_s <= expected_s
    assert server.paths() == ["/a"]
    assert time.monotonic() - began_s < BOUND_S


def test_an_unchanged_picture_is_not_sent_again_unless_we_have_lost_it(server, fetcher, store):
    url = server.play("/a.jpg", answer(b"", "304 Not Modified"))
    known = {url: Revalidation(IMAGE_ID, etag='"v1"', last_modified="yesterday")}
    assert fetcher.fetch([url], known=known)[0].reason is Reason.HTTP_UNEXPECTED
    assert "If-None-Match" not in server.asked[-1][1]
    store.put(PICTURE)
    (outcome,) = fetcher.fetch([url], known=known)
    assert (outcome.reason, outcome.status, outcome.image_id) == (Reason.UNCHANGED, FetchStatus.OK, IMAGE_ID)
    assert (outcome.etag, outcome.last_modified) == ('"v1"', "yesterday")
    assert 'If-None-Match: "v1"' in server.asked[-1][1]
    assert "If-Modified-Since: yesterday" in server.asked[-1][1]


def test_no_more_downloads_than_allowed_are_under_way_at_one_host(server, store):
    def take_a_moment():
        time.sleep(0.03)
        yield answer()

    urls = [server.play(f"/{number}", take_a_moment) for number in range(12)]
    with Fetcher(some_settings(server, threads=8, threads_per_host=2, timeout_s=20), store) as fetcher:
        assert {outcome.reason for outcome in fetcher.fetch(urls)} == {Reason.FETCHED}
    assert server.most_under_way == 2


def test_several_threads_may_share_a_fetcher(server, fetcher):
    urls = [server.play(f"/{number}", answer()) for number in range(20)]
    with ThreadPoolExecutor(4) as threads:
        for outcomes in threads.map(fetcher.fetch, [urls] * 4):
            assert [outcome.url for outcome in outcomes] == urls
            assert {outcome.image_id for outcome in outcomes} == {IMAGE_ID}


def test_a_store_that_cannot_be_written_ends_the_run(server, tmp_path):
    (tmp_path / "images").write_bytes(b"")
    with (
        Fetcher(some_settings(server), ImageStore(str(tmp_path / "images"))) as fetcher,
        pytest.raises(StoreError, match="writing"),
    ):
        fetcher.fetch([server.play("/a.jpg", answer())])


def test_an_interrupted_run_does_not_wait_for_slow_servers(server, store):
    begun = threading.Event()

    def say_nothing():
        begun.set()
        yield from FAULTS["silence"][0]()

    url = server.play("/slow", say_nothing)
    with pytest.raises(KeyboardInterrupt), Fetcher(some_settings(server, timeout_s=4.0), store) as fetcher:
        threading.Thread(target=fetcher.fetch, args=([url],), daemon=True).start()
        assert begun.wait(timeout=10)
        began_s = time.monotonic()
        raise KeyboardInterrupt
    assert time.monotonic() - began_s < 2.0


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(text=st.text())
def test_no_text_escapes_as_an_exception(fetcher, monkeypatch, text):
    monkeypatch.setattr(socket, "getaddrinfo", _no_names)
    urls = [text, f"http://{text}", f"http://{text}.example.com/", f"https://example.com/{text}"]
    outcomes = fetcher.fetch(urls)
    assert [outcome.url for outcome in outcomes] == urls
    assert all(outcome.status in {FetchStatus.REFUSED, FetchStatus.FAILED} for outcome in outcomes)
    assert all(outcome.reason is not Reason.UNEXPECTED and outcome.detail.isprintable() for outcome in outcomes)


def test_naughty_strings_end_as_reasons(shared, fetcher, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", _no_names)
    lines = (shared / "hostile" / "strings" / "blns.txt").read_text().splitlines()
    urls = [prefix + line for line in lines for prefix in ("", "http://", "http://example.com/")]
    reasons = {outcome.reason for outcome in fetcher.fetch(urls)}
    assert reasons <= {reason for reason in Reason if reason.status is FetchStatus.REFUSED} | {Reason.DNS}


def _no_names(host, *_args, **_kwargs):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
