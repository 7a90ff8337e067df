"""A real browser at the desk: Debian's Chromium, which notes every request it makes and everything it complains of."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from review.access.roles import Role, User
from review.access.sessions import COOKIE
from tests.review.conftest import SESSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
WIDE, NARROW = (1280, 900), (390, 844)
SCREENSHOTS = "SEENBEFORE_SCREENSHOTS"
PATIENCE_MS = 20_000


@dataclass
class Visit:
    """One person's page, and what the browser noted."""

    page: Page
    origin: str
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.origin + path)

    @property
    def strangers(self) -> list[str]:
        """Requests that left the desk."""
        own = urlsplit(self.origin).netloc
        return [url for url in self.requested if urlsplit(url).netloc != own and not url.startswith("data:")]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; without it the test is skipped, and says so."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("Debian's chromium is not installed (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, origin: str, name: str = "ada", role: Role = Role.LEAD, **options: Any) -> Iterator[Visit]:
    """Somebody who has signed in; ``options`` are those of a browser context."""
    size = dict(zip(("width", "height"), options.pop("size", WIDE), strict=True))
    context = browser.new_context(viewport=size, **options)
    context.set_default_timeout(PATIENCE_MS)
    context.add_cookies([{"name": COOKIE, "value": SESSIONS.begin(User(name, role)), "url": origin}])
    page = context.new_page()
    noted = Visit(page, origin)
    page.on("request", lambda request: noted.requested.append(request.url))
    page.on("console", lambda said: noted.complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: noted.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (noted.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    try:
        yield noted
    finally:
        context.close()


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page: the rule, and where."""
    # Evaluated by the debugger, past the page's policy, which lets no page run a foreign script.
    page.evaluate((resources.files("axe_playwright_python") / "axe.min.js").read_text())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]} ({node.get('failureSummary', '')})"
        for rule in found
        for node in rule["nodes"]
    ]


def picture_of(page: Page, name: str) -> None:
    """Keep a screenshot of the whole page if the environment names a folder for them."""
    if folder := os.environ.get(SCREENSHOTS):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
