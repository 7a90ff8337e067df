"""Hostile texts in every field that strangers fill: pages keep their shape, and everything in them can be seen."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import unicodedata
from html.parser import HTMLParser

import pandas as pd
import pytest

from data.catalog.cases.case_events import history
from data.catalog.cases.cases import save_cases
from data.catalog.cases.transitions import Decision, decide
from data.catalog.market.listings import save_listings
from data.catalog.market.loads import Load
from data.visible_text import UNSEEN
from review.access.authentication import TokenAuthenticator
from review.access.roles import Role
from review.application import create_app
from review.formatting import KEPT, link
from tests.data.catalog.desk_rows import scored_cases
from tests.data.catalog.rows import day, listings, moment
from tests.review.conftest import SESSIONS, Browser, Clock, opened
from tests.review.naughty import NAUGHTY

HARMLESS = "harmless"
TEXTS = (HARMLESS, *NAUGHTY)
ELEMENTS = {
    "html", "head", "meta", "title", "link", "script", "body", "a", "header", "img", "nav", "label", "input", "form",
    "button", "main", "div", "select", "option", "h1", "b", "table", "caption", "thead", "tr", "th", "tbody", "td",
    "span", "time", "kbd",
}  # fmt: skip
"""Of the queue."""


class Shape(HTMLParser):
    """The elements of a page with the names of their attributes: what hostile text must not change."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_data(self, text):
        self.text += text

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, tuple(sorted(name for name, _ in attributes))))
        self.addresses += [value or "" for name, value in attributes if name in {"href", "src", "action"}]


def posted(number, text):
    return {
        "listing_id": f"{number}", "seller_id": text, "created_at": day(1), "title": text, "description": text,
        "category": text, "location": text, "url": text, "price": 5.0, "currency": text,
        "attributes": json.dumps({text: text}),
    }  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A desk at which every listing is called something hostile, in every field."""
    with opened(tmp_path_factory.mktemp("naughty")) as context:
        with context.catalog.write() as connection:
            rows = listings(*(posted(number, text) for number, text in enumerate(TEXTS)))
            save_listings(connection, Load("load", moment(2), first_bulk=True), rows)
            found = dict(connection.exec_driver_sql("SELECT listing_id, listing_key FROM listings").fetchall())
            keys = [found[str(number)] for number in range(len(TEXTS))]
            save_cases(connection, scored_cases(*keys, category=list(TEXTS), reason=list(TEXTS), edit=list(TEXTS)))
        yield create_app(context, TokenAuthenticator(SESSIONS), Clock()), context, keys


@pytest.fixture(scope="module")
def pages(desk):
    """The case page of every listing, as somebody sees it who may only look."""
    app, _, keys = desk
    browser = Browser(app, "vic")
    return [browser.get(f"/cases/{key}").text for key in keys]


def unseen(page):
    return {character for character in page if unicodedata.category(character) in UNSEEN and character not in KEPT}


@pytest.mark.parametrize("number", range(1, len(TEXTS)))
def test_a_hostile_text_changes_no_element_of_the_case(pages, number):
    shape = Shape(pages[number])
    followed = link(TEXTS[number])
    assert followed is None, "no text of the list is an address that may be followed"
    assert shape.elements == Shape(pages[0]).elements
    assert all(address.startswith(("/", "#")) and not address.startswith("//") for address in shape.addresses)
    assert unseen(shape.text) == set()


def test_a_visible_text_is_shown_as_it_is(pages):
    shown = [text for text in TEXTS if not unseen(text) and len(text) < 100 and text.strip() == text]
    assert len(shown) > 100
    for text in shown:
        assert html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in pages[TEXTS.index(text)]


def test_the_queue_keeps_its_shape_too(desk):
    app, _, keys = desk
    browser = Browser(app, "vic")
    seen = 0
    for number in range(1, 1 + -(-len(keys) // 25)):
        page = browser.get("/", params={"page": number}).text
        shape = Shape(page)
        seen += sum("data-case" in names for _, names in shape.elements)
        assert {tag for tag, _ in shape.elements} <= ELEMENTS
        assert not any(name.startswith("on") or name == "style" for _, names in shape.elements for name in names)
        assert all(address.startswith(("/", "#")) and not address.startswith("//") for address in shape.addresses)
        assert unseen(shape.text) == set()
    assert seen == len(keys)


def test_a_note_is_kept_to_the_letter_and_shown_as_text(desk):
    app, context, keys = desk
    browser = Browser(app, "ada")
    for key, text in zip(keys, TEXTS, strict=True):
        answer = browser.post_form(f"/cases/{key}/verdict", verdict="fraud", note=text, seen_version=0)
        assert answer.status_code == (303 if len(text) <= 4_000 else 422)
    with context.catalog.read() as connection:
        kept = [[event["note"] for event in history(connection, key)] for key in keys]
    assert [notes for notes in kept if notes] == [[as_sent(text)] for text in TEXTS if len(text) <= 4_000]
    page = browser.get(f"/cases/{keys[1]}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def as_sent(text):
    """PostgreSQL keeps no NUL, so that none is kept anywhere."""
    return text.replace("\x00", "\ufffd")


@pytest.mark.parametrize("octets", [b"%ED%A0%80", b"%FF%FE", b"%C0%80", b"%80abc", b"%F8%88%80%80%80"])
def test_octets_that_are_no_text_break_nothing(desk, octets):
    app, context, keys = desk
    browser = Browser(app, "eve")
    with context.catalog.read() as connection:
        version = len(history(connection, keys[5]))
    sent = b"csrf=" + browser.csrf.encode() + f"&verdict=unsure&seen_version={version}&note=".encode() + octets
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = browser.post(f"/cases/{keys[5]}/verdict", content=sent, headers=headers)
    # 409 where another example has decided the case by now.
    assert answer.status_code in {303, 409, 422}
    assert browser.get(f"/cases/{keys[5]}").status_code == 200


@pytest.mark.parametrize("what", ["verdicts", "cases"])
def test_exports_open_clean_in_a_spreadsheet_and_read_back_elsewhere(desk, what):
    app, context, keys = desk
    lead = Browser(app, "lea", Role.LEAD)
    with context.catalog.write() as connection:
        for key, text in zip(keys, TEXTS, strict=True):
            if len(text) <= 4_000 and not len(history(connection, key)):
                given = Decision(
                    listing_key=key, verdict="fraud", problem=None, note=text, actor="ada", seen_version=0
                )  # fmt: skip
                decide(connection, given, moment(60))
    answer = lead.get(f"/export/{what}.csv")
    assert answer.status_code == 200
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert len({len(row) for row in rows}) == 1
    assert len(rows) > len(TEXTS) - len(NAUGHTY) / 10
    assert not [cell for row in rows for cell in row if starts_a_formula(cell)]
    told = [json.loads(line) for line in lead.get(f"/export/{what}.jsonl").content.decode().split("\n") if line]
    assert len(told) == len(rows) - 1
    frame = pd.read_parquet(io.BytesIO(lead.get(f"/export/{what}.parquet").content))
    assert len(frame) == len(told)
    if what == "verdicts":
        assert set(TEXTS[:150]) - {as_sent(row["note"]) for row in told} == set()


def starts_a_formula(cell):
    """Tell whether a spreadsheet would compute a cell; a number is only a number."""
    bare = cell.lstrip()
    return bare[:1] in tuple("=+-@＝＋－＠") and not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", bare)
