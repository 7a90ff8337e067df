"""The search page: known pictures like one that is uploaded or named, and listings by what they are called."""

from __future__ import annotations

import json
import re

import pytest
from PIL import ImageFilter, ImageOps

from data.settings import load_settings
from data.synthetic.picture_server import serve_pictures
from models.serving.context import open_context
from review.access.authentication import TokenAuthenticator
from review.application import create_app
from tests.flows.filled import as_file, photo
from tests.review.conftest import SESSIONS, Browser, Clock, opened
from tests.review.market import listing_keys

MIRRORED = as_file(ImageOps.mirror(photo(2)))


def look_up(browser, content, name="asked.jpg", **fields):
    files = {"picture": (name, content, "image/jpeg")}
    return browser.post("/search", data={"csrf": browser.csrf, **fields}, files=files)


def told(answer):
    """The sentence of the page's alert."""
    (sentence,) = re.findall(r'role="alert">([^<]*)<', answer.text)
    return sentence


def test_a_mirrored_copy_finds_the_listings_that_showed_the_photo(ada, context):
    answer = look_up(ada, MIRRORED)
    assert answer.status_code == 200
    assert "2 known pictures like asked.jpg" in answer.text
    (victim,) = listing_keys(context, "own-2")
    (copy,) = listing_keys(context, "copy-2")
    assert {f"/cases/{victim}", f"/cases/{copy}"} <= set(re.findall(r'href="(/cases/[^"]+)"', answer.text))
    assert ">mirror<" in answer.text
    shown = re.findall(r'src="(/pictures/[0-9a-f]{64})"', answer.text)
    assert [ada.get(path).headers["content-type"] for path in shown] == ["image/jpeg"] * 2


def test_a_photo_that_nobody_showed_finds_nothing_and_the_page_says_so(ada):
    answer = look_up(ada, as_file(photo(999)))
    assert answer.status_code == 200
    assert "No known picture is like asked.jpg" in answer.text
    assert "It was compared with" in answer.text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"<svg onload=alert(1)>", "does not begin like a picture"),
        (MIRRORED[:2000], "it is there, but cannot be opened"),
    ],
)
def test_what_is_no_whole_picture_is_refused_in_a_sentence(ada, content, sentence):
    answer = look_up(ada, content)
    assert answer.status_code == 422
    assert sentence in told(answer)
    assert "Give a whole JPEG" in told(answer)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("/etc/passwd", "Only http and https are asked"),
        ("review/application.py", "Only http and https are asked"),
        ("file:///etc/passwd", "Only http and https are asked"),
        ("http://127.0.0.1/a.jpg", "The host is an address that is not public"),
        ("http://169.254.169.254/latest/meta-data", "cloud's own service"),
        ("", "Choose a picture file"),
    ],
)
def test_an_address_that_must_not_be_asked_is_refused_and_no_file_is_opened(ada, url, sentence):
    answer = ada.post_form("/search", url=url)
    assert answer.status_code == 422
    assert sentence in told(answer).replace("&#39;", "'")


def test_a_file_name_is_shown_as_text(ada):
    answer = look_up(ada, b"nothing", name="<script>alert(1)</script>\u202e.jpg")
    assert "<script>alert" not in answer.text
    assert "\u202e" not in answer.text
    assert "alert(1)" in told(answer)


def test_a_picture_is_fetched_from_an_allowed_host_and_one_that_is_missing_there_is_told(
    market_home, tmp_path, monkeypatch
):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "there.jpg").write_bytes(MIRRORED)
    with serve_pictures(tmp_path / "served") as base:
        monkeypatch.setenv("SEENBEFORE_FETCH__ALLOW_HOSTS", json.dumps([base.removeprefix("http://")]))
        with opened(market_home) as context:
            kept = sorted(market_home.rglob("*.jpg"))
            ada = Browser(create_app(context, TokenAuthenticator(SESSIONS), Clock()), "ada")
            assert "2 known pictures like" in ada.post_form("/search", url=f"{base}/there.jpg").text
            missing = ada.post_form("/search", url=f"{base}/missing.jpg")
            assert sorted(market_home.rglob("*.jpg")) == kept
    assert missing.status_code == 422
    assert "Save the picture yourself and upload the file." in told(missing)


def test_unsure_hits_are_shown_to_who_asks_for_them(ada):
    blurred = as_file(photo(2).filter(ImageFilter.GaussianBlur(14)), quality=40)
    assert "No known picture is like" in look_up(ada, blurred).text
    assert "2 known pictures like" in look_up(ada, blurred, unsure="1").text


@pytest.mark.parametrize(("asked", "found"), [("own-3", 1), ("dora", 2), ("Nearly new", 5), ("nearly", 0)])
def test_listings_are_found_by_id_seller_and_the_beginning_of_a_title(ada, asked, found):
    answer = ada.get("/search", params={"q": asked})
    assert answer.status_code == 200
    assert answer.text.count("<tr>") == (found + 1 if found else 0)
    assert ("Nothing is called" in answer.text) == (found == 0)


def test_odd_texts_are_looked_for_as_they_are(ada):
    for text in ("\0", "%", "'; DROP TABLE listings; --", "\u202e", "x" * 2000):
        assert ada.get("/search", params={"q": text}).status_code == 200
    assert ada.get("/search", params={"q": "x" * 2001}).status_code == 422


def test_an_empty_catalog_says_how_pictures_come(tmp_path):
    ada = Browser(
        create_app(open_context(load_settings(tmp_path / "empty")), TokenAuthenticator(SESSIONS), Clock()), "ada"
    )
    assert "seenbefore run" in look_up(ada, MIRRORED).text


def test_a_picture_larger_than_a_download_may_be_is_refused_unread(ada, context):
    answer = look_up(ada, b"x" * (context.settings.fetch.max_bytes + 200_000))
    assert answer.status_code == 413
