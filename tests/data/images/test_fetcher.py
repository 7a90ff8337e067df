"""Downloads against a server that does everything servers do to us; each ends in time, as a stored reason."""

from __future__ import annotations

import gc
import gzip
import itertools
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from urllib3.util import connection

from data.errors import StoreError
from data.images.download.circuit_breaker import (
    FAILURES_IN_A_ROW,
    FORGIVEN_AFTER_S,
    WAITS_IN_A_ROW,
    CircuitBreaker,
    CircuitOpenError,
    RetryAfter,
)
from data.images.download.fetcher import Fetcher
from data.images.fetch_outcome import FetchStatus, Reason, Revalidation
from data.images.store.image_store import ImageStore
from tests.data.images.fault_server import (
    BOUND_S,
    FAULTS,
    IMAGE_ID,
    PICTURE,
    FaultServer,
    answer,
    some_settings,
    then_close,
)


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
    monkeypatch.setattr("data.images.download.downloader.BACKOFF_S", 0.01)
    with Fetcher(some_settings(server), store) as fetcher:
        yield fetcher


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
def test_a_server_that_asks_us_to_stay_away_is_left_alone_up_to_the_cap(
    server, fetcher, headers, expected_s, monkeypatch
):
    monkeypatch.setattr("data.images.download.circuit_breaker.WAITS_IN_A_ROW", 0)
    began_s = time.monotonic()
    (limited,) = fetcher.fetch([server.play("/a", answer(b"", "429 Slow Down", **headers))])
    assert (limited.reason, limited.retry_after_s) == (Reason.RATE_LIMITED, expected_s)
    (left_alone,) = fetcher.fetch([server.play("/b", answer())])
    assert left_alone.reason is Reason.RATE_LIMITED
    assert 0 < left_alone.retry_after_s <= expected_s
    assert server.paths() == ["/a"]
    assert time.monotonic() - began_s < BOUND_S


def test_pictures_wait_for_a_server_that_asks_us_to_stay_away_for_a_moment(server, store):
    cap_s = 0.3
    limited = server.play("/limited", answer(b"", "429 Slow Down", Retry_After="31536000"))
    urls = [server.play(f"/{number}", answer()) for number in range(10)]
    with Fetcher(some_settings(server, threads=1, max_retry_after_s=cap_s), store) as fetcher:
        assert fetcher.fetch([limited])[0].reason is Reason.RATE_LIMITED
        limited_s = time.monotonic()
        assert {outcome.reason for outcome in fetcher.fetch(urls)} == {Reason.FETCHED}
    assert cap_s / 2 < time.monotonic() - limited_s < BOUND_S


def test_pictures_wait_for_a_host_a_few_times_in_a_row_and_then_end_unasked():
    now_s = 100.0
    restraint = RetryAfter(clock=lambda: now_s)
    for _ in range(WAITS_IN_A_ROW):
        assert restraint.note("a.example", 30.0) == restraint.left_s("a.example") == 30.0
        assert restraint.left_s("b.example") == 0.0
        now_s += 30.0
    assert restraint.note("a.example", 30.0) == 0.0
    assert restraint.left_s("a.example") == 30.0
    now_s += 30.0
    assert restraint.note("a.example", None) == 0.0
    assert restraint.note("a.example", 30.0) == 30.0, "an answer without the wish begins a new row"


def test_answers_to_what_was_asked_before_we_knew_neither_begin_an_absence_nor_end_one():
    now_s = 100.0
    restraint = RetryAfter(clock=lambda: now_s)
    restraint.note("a.example", 30.0)
    now_s += 10.0
    assert restraint.note("a.example", None) == 0.0
    assert restraint.left_s("a.example") == 20.0
    assert restraint.note("a.example", 10.0) == 20.0
    for _ in range(2 * WAITS_IN_A_ROW):
        assert restraint.note("a.example", 30.0) == 30.0


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


@pytest.fixture
def dead_host():
    """Addresses at a host where nobody listens, and the connections that were tried there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
    return host, [f"http://{host}/{number}" for number in range(50)]


@pytest.fixture
def dialled(monkeypatch):
    """The addresses that connections were tried to."""
    tried = []
    dial = connection.create_connection

    def note(address, *args, **options):
        tried.append(address)
        return dial(address, *args, **options)

    monkeypatch.setattr(connection, "create_connection", note)
    return tried


def test_a_dead_host_is_asked_a_few_times_and_the_rest_of_its_pictures_end_unasked(server, store, dead_host, dialled):
    host, urls = dead_host
    settings = some_settings(server, allow_hosts=(server.host, host), threads_per_host=2)
    with Fetcher(settings, store) as fetcher:
        outcomes = fetcher.fetch([*urls, server.play("/a.jpg", answer())])
    *dead, alive = outcomes
    assert {(outcome.reason, outcome.status) for outcome in dead} == {(Reason.CONNECT, FetchStatus.FAILED)}
    asked = sum(outcome.asked for outcome in dead)
    assert FAILURES_IN_A_ROW <= asked < FAILURES_IN_A_ROW + settings.threads_per_host
    assert sum(f"{address[0]}:{address[1]}" == host for address in dialled) == asked
    assert (alive.reason, alive.asked) == (Reason.FETCHED, True)


def test_the_next_chunk_does_not_wait_for_a_host_that_the_last_one_found_dead(server, store, dead_host, dialled):
    host, urls = dead_host
    with Fetcher(some_settings(server, allow_hosts=(server.host, host)), store) as fetcher:
        fetcher.fetch(urls[:25])
        dialled.clear()
        outcomes = fetcher.fetch([*urls[25:], server.play("/a.jpg", answer())])
    assert {(outcome.reason, outcome.asked) for outcome in outcomes[:-1]} == {(Reason.CONNECT, False)}
    assert outcomes[-1].reason is Reason.FETCHED
    assert [f"{address[0]}:{address[1]}" for address in dialled] == [server.host]


def test_a_dead_host_behind_redirects_is_dead_and_the_host_that_redirects_is_not(server, store, dead_host):
    host, urls = dead_host
    redirects = [server.play(f"/{n}", answer(b"", "302 Found", Location=url)) for n, url in enumerate(urls)]
    with Fetcher(some_settings(server, allow_hosts=(server.host, host), threads=1), store) as fetcher:
        outcomes = fetcher.fetch([*redirects, server.play("/a.jpg", answer())])
    assert [outcome.asked for outcome in outcomes[:-1]] == [True] * 5 + [False] * 45
    assert outcomes[-1].reason is Reason.FETCHED


def test_only_failures_in_a_row_make_a_host_silent():
    hosts = CircuitBreaker()
    for _ in range(3):
        for _ in range(FAILURES_IN_A_ROW - 1):
            hosts.note("http://a.example/1", Reason.CONNECT_TIMEOUT)
        hosts.note("http://a.example/2", Reason.CONNECTION_RESET)
        hosts.check("http://a.example/3")
    for _ in range(FAILURES_IN_A_ROW):
        hosts.note("http://a.example/1", Reason.DNS)
    hosts.check("https://a.example/3")
    hosts.check("http://b.example/3")
    with pytest.raises(CircuitOpenError) as caught:
        hosts.check("http://a.example/3")
    assert caught.value.reason is Reason.DNS


def test_a_silent_host_is_asked_again_after_a_while_and_one_more_failure_is_enough_then():
    now_s = 100.0
    hosts = CircuitBreaker(clock=lambda: now_s)
    for _ in range(FAILURES_IN_A_ROW):
        hosts.note("http://a.example/1", Reason.CONNECT)
    now_s += FORGIVEN_AFTER_S - 1
    with pytest.raises(CircuitOpenError):
        hosts.check("http://a.example/2")
    now_s += 1
    hosts.check("http://a.example/2")
    hosts.note("http://a.example/2", Reason.CONNECT_TIMEOUT)
    with pytest.raises(CircuitOpenError) as caught:
        hosts.check("http://a.example/3")
    assert caught.value.reason is Reason.CONNECT_TIMEOUT
    now_s += FORGIVEN_AFTER_S
    hosts.note("http://a.example/3", None)
    hosts.note("http://a.example/4", Reason.CONNECT)
    hosts.check("http://a.example/5")


def test_no_more_downloads_than_allowed_are_under_way_at_one_host(server, store):
    def take_a_moment():
        time.sleep(0.03)
        yield answer()

    urls = [server.play(f"/{number}", take_a_moment) for number in range(12)]
    with (
        Fetcher(some_settings(server, threads=8, threads_per_host=2, timeout_s=20), store) as fetcher,
        ThreadPoolExecutor(2) as chunks,
    ):
        for outcomes in chunks.map(fetcher.fetch, [urls[:6], urls[6:]]):
            assert {outcome.reason for outcome in outcomes} == {Reason.FETCHED}
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


def test_what_a_failed_call_had_still_to_ask_is_not_asked(server, tmp_path):
    (tmp_path / "images").write_bytes(b"")
    urls = [server.play(f"/{number}", answer()) for number in range(50)]
    with Fetcher(some_settings(server, threads=1), ImageStore(str(tmp_path / "images"))) as fetcher:
        for _ in range(2):
            with pytest.raises(StoreError):
                fetcher.fetch(urls)
    # How soon a call learns of the failure is up to the machine; it must not go on to the end.
    assert len(server.asked) < 2 * len(urls)


def test_the_threads_of_a_fetcher_that_nobody_has_any_more_go_home(server, store):
    fetcher = Fetcher(some_settings(server), store)
    fetcher.fetch([server.play("/a.jpg", answer())])
    threads = fetcher._threads
    assert all(thread.is_alive() for thread in threads)
    del fetcher
    gc.collect()
    for thread in threads:
        thread.join(timeout=5)
    assert not any(thread.is_alive() for thread in threads)


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
