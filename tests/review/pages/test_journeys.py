"""An analyst's evening in a real browser, with and without scripts; and what every page looks like."""

from __future__ import annotations

import re
import shutil

import pytest

from data.catalog.cases.case_events import audit_page, history
from review.access.authentication import TokenAuthenticator
from review.application import create_app
from tests.flows.filled import photo, smaller
from tests.full_run import FULL
from tests.review.browsing import NARROW, WIDE, chromium, picture_of, violations, visit
from tests.review.conftest import SESSIONS, Clock, opened, serving
from tests.review.market import listing_keys, picture_file

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def desk(app):
    with serving(app) as origin:
        yield origin


def events(context, key=None):
    with context.catalog.read() as connection:
        if key is None:
            return audit_page(connection, size=100)["kind"].tolist()
        return [event["kind"] for event in history(connection, key)]


def on_case(page, key):
    page.wait_for_url(re.compile(rf"/cases/{key}(\?.*)?$"))


def test_an_evening_by_keyboard(browser, desk, context):
    first, second = listing_keys(context)[:2]
    with visit(browser, desk) as visitor:
        page = visitor.page
        visitor.open("/")
        assert page.locator("tr[data-case]").count() == len(listing_keys(context))
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        on_case(page, first)
        page.keyboard.press("b")
        slider = page.locator(".slider").first
        slider.wait_for()
        assert slider.locator("img").count() == 2
        page.keyboard.press("b")
        page.keyboard.press("i")
        page.keyboard.type("found in the other listing")
        assert page.url.split("?")[0].endswith(f"/cases/{first}"), "letters of a note are no keys"
        page.locator("body").click(position={"x": 2, "y": 400})
        page.keyboard.press("f")
        on_case(page, second)
        assert events(context) == ["verdict"]
        page.keyboard.press("u")
        on_case(page, first)
        assert events(context, first) == ["verdict", "undo"]
        page.keyboard.press("g")
        on_case(page, second)
        visitor.open("/audit")
        assert page.get_by_text("found in the other listing").count() == 1
        assert visitor.strangers == []
        assert visitor.complaints == []
    with context.catalog.read() as connection:
        told = history(connection, first)
    assert [event["verdict"] for event in told] == ["fraud", "undecided", "legit"]
    assert all(0 <= event["seconds"] <= 60 for event in told if event["seconds"] is not None)


def test_an_evening_without_scripts(browser, desk, context):
    first, second = listing_keys(context)[:2]
    with visit(browser, desk, java_script_enabled=False) as visitor:
        page = visitor.page
        visitor.open("/")
        page.get_by_role("link", name="Next case").click()
        on_case(page, first)
        page.get_by_text("Lay one over the other").first.click()
        page.get_by_alt_text("What differs, in red").first.wait_for()
        page.get_by_label("Because").select_option("stolen_photo")
        page.get_by_role("button", name="Fraud").click()
        on_case(page, second)
        page.get_by_role("button", name="Take it back").click()
        on_case(page, first)
        page.get_by_role("button", name="Legit").click()
        on_case(page, second)
        visitor.open("/audit")
        assert page.get_by_text("took back").count() >= 1
        assert visitor.strangers == []
    assert events(context, first) == ["verdict", "undo", "verdict"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_picture_is_searched_by_upload(browser, desk, context, scripts):
    asked = {"name": "asked.png", "mimeType": "image/png", "buffer": picture_file(smaller(photo(1)))}
    with visit(browser, desk, java_script_enabled=scripts) as visitor:
        visitor.open("/search")
        visitor.page.locator("input[type=file]").first.set_input_files(asked)
        visitor.page.get_by_role("button", name="Look it up").click()
        visitor.page.get_by_role("link", name="own-1", exact=True).wait_for()
        assert visitor.strangers == []
        assert visitor.complaints == []


@pytest.fixture(scope="module")
def still(market_home, tmp_path_factory):
    """A desk whose pages are looked at."""
    with opened(shutil.copytree(market_home, tmp_path_factory.mktemp("still") / "home")) as context:
        app = create_app(context, TokenAuthenticator(SESSIONS), Clock())
        key = listing_keys(context)[0]
        seller = next(iter(_sellers(context, key)))
        paths = {
            "queue": "/", "queue of nothing": "/?band=low", "case": f"/cases/{key}", "seller": f"/sellers/{seller}",
            "search": "/search", "audit": "/audit", "insight": "/insight", "help": "/help", "error": "/cases/42",
        }  # fmt: skip
        with serving(app) as origin:
            yield origin, paths


def _sellers(context, key):
    with context.catalog.read() as connection:
        return connection.exec_driver_sql(f"SELECT seller_key FROM listings WHERE listing_key = {key}").scalars()  # noqa: S608


SIZES = ((WIDE, "wide"), (NARROW, "narrow"))  # what has room does not hang on the colors
PAGES = ("queue", "queue of nothing", "case", "seller", "search", "audit", "insight", "help", "error")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_closed_to_anybody(browser, still, scheme):
    origin, paths = still
    found = {}
    for name in PAGES:
        for size, width in SIZES if FULL or scheme == "light" else SIZES[:1]:
            with visit(browser, origin, size=size, color_scheme=scheme) as visitor:
                page = visitor.page
                visitor.open(paths[name])
                page.wait_for_load_state("networkidle")
                picture_of(page, f"{name} {scheme} {width}".replace(" ", "-"))
                overflow = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
                problems = [*violations(page), *visitor.strangers]
                problems += [] if name == "error" else visitor.complaints
                problems += [f"{overflow} pixels wider than the window"] if overflow > 0 else []
                if problems:
                    found[name, width] = problems
    assert found == {}
