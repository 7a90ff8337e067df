"""Count what a hand does from opening a case to its verdict, and measure how long the desk keeps it waiting.

    python -m tests.benchmarks.desk_hands HOME --cases 40
    python -m tests.benchmarks.desk_hands HOME --cases 40 --writing

A browser works through open cases as somebody would who decides at sight: by keyboard, by mouse, and by mouse with a
reason given. Counted are key presses, clicks and choices from the moment at which a case can be used to its verdict;
measured is the machine's share alone: from asking for a case to a page that can be used, and from the verdict to the
next case that can be used. How long people look and think is theirs, and no benchmark can know it: the desk writes
down ``seconds`` with every verdict, of which the insight page tells.

HOME holds a catalog with cases, as `tests.benchmarks.desk_pages` fills it. Every case of this benchmark is decided for
good: use a copy.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.settings import load_settings
from models.serving.context import open_context
from review.access.authentication import TokenAuthenticator
from review.application import create_app
from tests.benchmarks.desk_pages import fill_cases, write_on
from tests.review.browsing import chromium, visit
from tests.review.conftest import SESSIONS, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

USABLE = "() => document.readyState === 'complete' && document.querySelector('[name=verdict][value=fraud]') !== null"


class Hand:
    """Does what a person does at a page, and counts it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.done = 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.done += 1

    def click(self, selector: str) -> None:
        self.page.click(selector, no_wait_after=True)
        self.done += 1

    def choose(self, selector: str, value: str) -> None:
        self.page.select_option(selector, value)
        self.done += 2  # the list is opened, and one of it taken


def by_keyboard(hand: Hand) -> None:
    """One key."""
    hand.press("f")


def by_mouse(hand: Hand) -> None:
    """One click."""
    hand.click("button.fraud")


def by_mouse_with_a_reason(hand: Hand) -> None:
    """A choice from a list, and a click."""
    hand.choose("form.verdict select[name=problem]", "stolen_photo")
    hand.click("button.fraud")


def by_keyboard_with_a_look(hand: Hand) -> None:
    """Lay the photos over each other, then one key."""
    hand.press("b")
    hand.press("f")


WAYS = (by_keyboard, by_mouse, by_keyboard_with_a_look, by_mouse_with_a_reason)


def worked_through(page: Page, origin: str, way: Callable[[Hand], None], cases: int) -> dict[str, list[float]]:
    """Decide so many cases in one way; return milliseconds and interactions."""
    found: dict[str, list[float]] = {"opening": [], "next case": [], "interactions": []}
    began = time.perf_counter()
    page.goto(f"{origin}/next", wait_until="commit")
    page.wait_for_function(USABLE)
    found["opening"].append((time.perf_counter() - began) * 1e3)
    for _ in range(cases):
        hand, before = Hand(page), page.url.split("?")[0]
        page.wait_for_load_state("networkidle")  # while somebody looks, the next case is fetched
        began = time.perf_counter()
        way(hand)
        page.wait_for_url(lambda url, before=before: "/cases/" in url and url.split("?")[0] != before)
        page.wait_for_function(USABLE)
        found["next case"].append((time.perf_counter() - began) * 1e3)
        found["interactions"].append(hand.done)
    return found


def report(name: str, found: dict[str, list[float]]) -> None:
    """Print interactions a case, and the machine's share of its time."""
    middle, most = np.percentile(found["next case"], [50, 95])
    print(
        f"{name:<26} {np.median(found['interactions']):.0f} interactions a case; opening the first "
        f"{found['opening'][0]:4.0f} ms; verdict to next case p50 {middle:4.0f}  p95 {most:4.0f} ms",
        flush=True,
    )


def main() -> None:
    """Fill, serve, decide, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--writing", action="store_true", help="beside a process that writes as an ingest does")
    given = parser.parse_args()
    context = open_context(load_settings(given.home))
    print(f"{fill_cases(context):,} cases")
    spawn = multiprocessing.get_context("spawn")
    stop, written = spawn.Event(), spawn.Queue()
    writer = spawn.Process(target=write_on, args=(given.home, stop, written))
    if given.writing:
        writer.start()
    with serving(create_app(context, TokenAuthenticator(SESSIONS))) as origin, chromium() as browser:
        for way in WAYS:
            with visit(browser, origin) as noted:
                report(way.__name__.replace("_", " "), worked_through(noted.page, origin, way, given.cases))
    if given.writing:
        stop.set()
        print(f"{written.get():,} transactions meanwhile")
        writer.join()


if __name__ == "__main__":
    main()
