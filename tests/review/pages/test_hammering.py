"""Eight browsers on one queue, and a server that is killed: each case decided once, nothing confirmed lost."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import httpx
import pytest

from data.catalog.cases.case_events import audit_page
from data.catalog.cases.cases import save_cases
from data.catalog.market.listings import save_listings
from data.catalog.market.loads import Load
from review.access.authentication import TokenAuthenticator
from review.access.roles import Role, User
from review.access.sessions import COOKIE, Sessions, stored_secret
from review.application import create_app
from tests.conftest import CHECKOUT
from tests.data.catalog.desk_rows import scored_cases
from tests.data.catalog.rows import day, listings, moment
from tests.review.conftest import SESSIONS, opened, serving

pytestmark = pytest.mark.slow
CLIENTS = 8
CASES = 48
ENOUGH = 12
VERSION = re.compile(r'name="seen_version" value="(\d+)"')
RECORDED = re.compile(r"[?&]recorded=([0-9a-f-]+)")
START_LIMIT_S = 120


@pytest.fixture
def waiting(tmp_path, monkeypatch):
    """A home with many cases, none of which is read twice on purpose."""
    monkeypatch.setenv("SEENBEFORE_DESK__SECOND_READING_SHARE", "0")
    home = tmp_path / "home"
    with opened(home) as context:
        rows = [{"listing_id": f"{number}", "seller_id": "bob", "created_at": day(1)} for number in range(CASES)]
        with context.catalog.write() as connection:
            save_listings(connection, Load("load", moment(2), first_bulk=True), listings(*rows))
            keys = [row[0] for row in connection.exec_driver_sql("SELECT listing_key FROM listings")]
            save_cases(connection, scored_cases(*keys))
    return home


def decide_all(origin, name, sessions, confirmed, enough=None):
    """Take the next case and decide it until none is left; note the numbers of verdicts that were confirmed."""
    cookie = sessions.begin(User(name, Role.ANALYST))
    csrf = sessions.read(cookie).csrf_token
    with httpx.Client(base_url=origin, cookies={COOKIE: cookie}, timeout=60) as client:
        while (path := client.get("/next").headers["location"]) != "/":
            version = VERSION.search(client.get(path).text)
            if version is None:  # somebody else took it meanwhile
                continue
            form = {"csrf": csrf, "verdict": "fraud", "seen_version": version[1]}
            answer = client.post(path.split("?")[0] + "/verdict", data=form)
            assert answer.status_code in {303, 409}
            if told := RECORDED.search(answer.headers.get("location", "")):
                confirmed.append(told[1])
                if enough is not None and len(confirmed) >= ENOUGH:
                    enough.set()


def kept(home):
    with opened(home) as context, context.catalog.read() as connection:
        return audit_page(connection, size=10_000)


def test_eight_browsers_decide_each_case_once(waiting):
    confirmed: list[str] = []
    with opened(waiting) as context, serving(create_app(context, TokenAuthenticator(SESSIONS))) as origin:
        with ThreadPoolExecutor(CLIENTS) as people:
            work = [people.submit(decide_all, origin, f"analyst {n}", SESSIONS, confirmed) for n in range(CLIENTS)]
        for done in work:
            done.result()
    found = kept(waiting)
    assert sorted(found["verdict_id"]) == sorted(confirmed)
    assert len(found) == found["listing_key"].nunique() == CASES
    assert found["actor"].nunique() > 1


@contextmanager
def process(home):
    """The desk as a process of its own; gives its address and the process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "review.desk_server", "--home", str(home), "--port", str(port)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as server:
        try:
            line = server.stdout.readline()
            assert "is open: http://127.0.0.1" in line
            yield f"http://127.0.0.1:{port}", server
        finally:
            server.kill()


def test_a_server_that_is_killed_has_lost_no_verdict_that_it_confirmed(waiting):
    confirmed: list[str] = []
    enough = Event()
    with process(waiting) as (origin, server):
        sessions = Sessions(stored_secret(waiting / "desk" / "secret"))
        with ThreadPoolExecutor(4) as people:
            work = [people.submit(decide_all, origin, f"a{n}", sessions, confirmed, enough) for n in range(4)]
            assert enough.wait(START_LIMIT_S)
            os.kill(server.pid, signal.SIGKILL)
        assert all(isinstance(done.exception(), httpx.TransportError) for done in work)
    found = kept(waiting)
    assert set(confirmed) <= set(found["verdict_id"])
    assert ENOUGH <= len(found) < CASES
    assert not found["listing_key"].duplicated().any()
    with process(waiting) as (origin, _):
        decide_all(origin, "later", sessions, confirmed)
    # What the four had open when the server died stays theirs until their claims expire.
    assert CASES - 4 <= kept(waiting)["listing_key"].nunique() <= CASES
