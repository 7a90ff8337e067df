"""A desk over a small market: for one test or for all, asked in this process or by a browser over loopback."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import uvicorn
from starlette.testclient import TestClient

from data.settings import load_settings
from models.serving.context import open_context
from review.access.authentication import TokenAuthenticator
from review.access.roles import Role, User
from review.access.sessions import COOKIE, Sessions
from review.application import create_app
from tests.data.catalog.rows import moment
from tests.review.market import make_market
from tests.shared_by_workers import made_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from fastapi import FastAPI

    from models.serving.context import Context

SECRET = b"a secret of the tests, 32 bytes."
SESSIONS = Sessions(SECRET)
NOW = moment(60)


class Clock:
    """Says what a test says."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


class Browser(TestClient):
    """Somebody at the desk, without a browser: sends the session's cookie, and its mark with every form."""

    def __init__(self, app: FastAPI, name: str | None, role: Role = Role.ANALYST) -> None:
        super().__init__(app, base_url="http://127.0.0.1", follow_redirects=False, raise_server_exceptions=True)
        self.csrf = ""
        if name is not None:
            cookie = SESSIONS.begin(User(name, role))
            self.cookies.set(COOKIE, cookie)
            self.csrf = SESSIONS.read(cookie).csrf_token

    def post_form(self, path: str, **fields: object):
        """Send a form as a page of ours would."""
        return self.post(path, data={"csrf": self.csrf, **fields})


@contextmanager
def opened(home: Path) -> Iterator[Context]:
    """The context of a home, closed in the end."""
    open_context.cache_clear()
    context = open_context(load_settings(home))
    try:
        yield context
    finally:
        context.catalog.close()
        open_context.cache_clear()


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve a desk on loopback, in a thread; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False, server_header=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
        assert thread.is_alive(), "the server ended before it listened"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="session")
def market_home() -> Path:
    """The home of the market, made by the first worker that asks for it; nobody may write to it."""

    def make(home: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("SEENBEFORE_")]:
                patch.delenv(name)
            make_market(home).catalog.close()

    return made_once("desk", make)


@pytest.fixture
def home(market_home: Path, tmp_path: Path) -> Path:
    """A home of the market for one test."""
    return shutil.copytree(market_home, tmp_path / "home")


@pytest.fixture
def context(home: Path) -> Iterator[Context]:
    with opened(home) as context:
        yield context


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(context: Context, clock: Clock) -> FastAPI:
    """The desk of the test's own market."""
    return create_app(context, TokenAuthenticator(SESSIONS), clock)


@pytest.fixture
def ada(app: FastAPI) -> Browser:
    """An analyst."""
    return Browser(app, "ada")


@pytest.fixture
def bob(app: FastAPI) -> Browser:
    """Another analyst."""
    return Browser(app, "bob")


@pytest.fixture
def lea(app: FastAPI) -> Browser:
    """A lead."""
    return Browser(app, "lea", Role.LEAD)
