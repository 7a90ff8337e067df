"""The desk as JSON: what the pages show, for programs; and whatever is sent to it, it answers as it says it would."""

from __future__ import annotations

import base64
import json
import shutil

import hypothesis.core
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from data.errors import ModelError
from models.serving.scoring import score_one_listing
from review.access.authentication import TokenAuthenticator
from review.access.roles import Role
from review.access.sessions import COOKIE
from review.application import create_app
from tests.flows.filled import as_file, photo, smaller
from tests.review.conftest import SESSIONS, Browser, Clock, opened
from tests.review.market import HOSTILE_TITLE, listing_keys

COPY = as_file(smaller(photo(2)))
LISTING = {"listing_id": "new", "seller_id": "zoe", "created_at": "2026-02-20T00:00:00Z", "title": "Bicycle"}


def marked(browser):
    return {"X-CSRF-Token": browser.csrf}


def send(browser, path, **body):
    # Escaped, as JSON can hold characters that no text can.
    return browser.post(path, content=json.dumps(body), headers=marked(browser) | {"Content-Type": "application/json"})


def test_the_queue_tells_cases_in_its_order_and_filters_as_its_page_does(ada, context):
    whole = ada.get("/api/queue").json()
    assert whole["total"] == 6
    priorities = [case["priority"] for case in whole["cases"]]
    assert priorities == sorted(priorities, reverse=True)
    assert {int(case["listing_key"]) for case in whole["cases"]} == set(listing_keys(context))
    mirrored = ada.get("/api/queue?edit=mirror").json()["cases"]
    assert mirrored == [case for case in whole["cases"] if case["edit"] == "mirror"] != []
    second = ada.get("/api/queue?size=4&page=2").json()
    assert second["pages"] == 2
    assert second["cases"] == whole["cases"][4:]


def test_a_case_tells_its_matches_and_is_kept_for_nobody_by_that(ada, bob, context):
    key = listing_keys(context)[0]
    told = ada.get(f"/api/cases/{key}").json()
    assert told["listing"]["title"] == HOSTILE_TITLE
    assert told["listing_key"] == told["listing"]["listing_key"] == str(key)
    assert [(match["other_listing_id"], match["edit"]) for match in told["matches"]] == [("own-0", "mirror")]
    assert told["score"]["reasons"][0]["text"]
    assert (told["ruling"], told["history"], told["claimed_by"]) == (None, [], None)
    bob.get(f"/cases/{key}")
    assert ada.get(f"/api/cases/{key}").json()["claimed_by"] == "bob"


def test_a_verdict_on_what_was_seen_is_written_and_one_on_an_older_state_is_not(ada, bob, context):
    key = listing_keys(context)[0]
    seen = ada.get(f"/api/cases/{key}").json()["version"]
    written = send(ada, f"/api/cases/{key}/verdict", verdict="fraud", seen_version=seen, problem="stolen_photo")
    assert written.status_code == 200
    late = send(bob, f"/api/cases/{key}/verdict", verdict="legit", seen_version=seen)
    assert late.status_code == 409
    assert "ada was faster" in late.json()["detail"]
    told = bob.get(f"/api/cases/{key}").json()
    if told["second_reading"]:  # drawn by the number of the event
        assert told["history"] == []
    told = ada.get(f"/api/cases/{key}").json()
    assert told["ruling"]["verdict_id"] == written.json()["verdict_id"]
    assert told["version"] == written.json()["version"] == 1
    assert [event["actor"] for event in told["history"]] == ["ada"]


def test_a_second_reader_is_not_told_and_changes_nothing_that_holds(ada, bob, context):
    key = listing_keys(context)[0]
    send(ada, f"/api/cases/{key}/verdict", verdict="fraud", seen_version=0)
    with context.catalog.write() as connection:
        connection.exec_driver_sql(f"UPDATE cases SET second_wanted = 1 WHERE listing_key = {key}")  # noqa: S608
    told = bob.get(f"/api/cases/{key}").json()
    assert told["second_reading"]
    assert (told["ruling"], told["history"]) == (None, [])
    again = {"verdict": "legit", "seen_version": told["version"], "second_reading": True}
    assert send(bob, f"/api/cases/{key}/verdict", **again).status_code == 200
    assert ada.get(f"/api/cases/{key}").json()["ruling"]["verdict"] == "fraud"


def test_a_listing_is_scored_now_by_pictures_that_come_with_it(ada, context):
    told = send(ada, "/api/score", **LISTING, pictures=[base64.b64encode(COPY).decode(), "aGVsbG8="]).json()
    assert (told["first_seller_id"], told["first_listing_id"]) == ("ann", "own-2")
    assert {match["other_listing_id"] for match in told["matches"]} == {"own-2", "copy-2"}
    assert 0 < told["score"] < 1
    assert told["reasons"][0]["evidence_ids"]
    assert [unread["picture"] for unread in told["unread"]] == ["picture 2"]
    assert listing_keys(context, "new") == []


@pytest.mark.parametrize(
    "changed",
    [
        {"created_at": "yesterday"},
        {"price": -1},
        {"image_urls": ["/etc/passwd"], "pictures": ["no base64!"]},
        {"listing_id": "own-0"},
        {"title": "a\0b"},
        {"title": "\ud800"},
        {"sellers": "ann"},
    ],
)
def test_a_listing_that_ingest_would_not_keep_is_refused(ada, changed):
    refused = send(ada, "/api/score", **LISTING | changed)
    assert refused.status_code == 422
    assert refused.json()["detail"]


def test_a_model_that_cannot_be_used_is_not_the_callers_mistake(ada, monkeypatch):
    def refuse(*_arguments):
        raise ModelError("m", "it was made for other features", "Train again.")

    monkeypatch.setattr(score_one_listing, "scorer_named", refuse)
    score_one_listing._opened.cache_clear()
    answer = send(ada, "/api/score", **LISTING)
    assert answer.status_code == 503
    assert "Train again" in answer.json()["detail"]


def test_similar_pictures_are_found_for_an_upload(ada):
    files = {"picture": ("copy.jpg", COPY, "image/jpeg")}
    told = ada.post("/api/similar", files=files, headers=marked(ada)).json()
    assert {hit["listing_id"] for hit in told["hits"]} == {"own-2", "copy-2"}
    assert [hit["rank"] for hit in told["hits"]] == [1, 2]
    few = ada.post("/api/similar?limit=1", files=files, headers=marked(ada)).json()
    assert few["hits"] == told["hits"][:1]


@pytest.mark.parametrize(
    "url", ["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:8484/", "http://169.254.169.254/latest", "x" * 2048]
)
def test_no_file_and_no_private_address_is_asked_for_a_picture(ada, url):
    refused = send(ada, "/api/similar", url=url)
    assert refused.status_code == 422
    assert "Cannot read the picture" in refused.json()["detail"]


@pytest.mark.parametrize(
    "sent", [{}, {"files": {"picture": b"no picture"}}, {"data": {"picture": "text"}}, {"json": {}}, {"json": []}]
)
def test_what_brings_no_picture_is_refused_in_a_sentence(ada, sent):
    refused = ada.post("/api/similar", headers=marked(ada), **sent)
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("Cannot read the ")


def test_nothing_is_changed_without_the_mark_and_nothing_told_without_a_session(app, ada, context):
    key = listing_keys(context)[0]
    body = {"verdict": "fraud", "seen_version": 0}
    assert ada.post(f"/api/cases/{key}/verdict", json=body).status_code == 403
    stranger = Browser(app, None)
    assert stranger.get("/api/health").json() == {"status": "ok"}
    asked = ("/api/openapi.json", "/api/queue", f"/api/cases/{key}")
    for answer in (*map(stranger.get, asked), stranger.post("/api/score", json={})):
        assert answer.status_code == 401
        assert answer.json()["detail"]


EXAMPLES = 15
CHECKS = (
    checks.not_a_server_error, openapi_checks.status_code_conformance, openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
)  # fmt: skip


@pytest.fixture(scope="module")
def fuzzed(market_home, tmp_path_factory):
    with opened(shutil.copytree(market_home, tmp_path_factory.mktemp("fuzzed") / "home")) as context:
        yield create_app(context, TokenAuthenticator(SESSIONS), Clock())


@pytest.fixture(scope="module")
def described(fuzzed):
    cookie = f"{COOKIE}={Browser(fuzzed, 'vic', Role.VIEWER).cookies[COOKIE]}"
    with pytest.MonkeyPatch.context() as patch:
        # Schemathesis puts a printer here that prints no example; whatever is tested afterwards has its own back.
        patch.setattr(hypothesis.core, "RepresentationPrinter", hypothesis.core.RepresentationPrinter)
        headers = {"Host": "localhost", "Cookie": cookie}
        yield schemathesis.openapi.from_asgi("/api/openapi.json", fuzzed, headers=headers)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/health"),
        ("GET", "/api/queue"),
        ("GET", "/api/cases/{key}"),
        ("POST", "/api/cases/{key}/verdict"),
        ("POST", "/api/score"),
        ("POST", "/api/similar"),
    ],
)
def test_whatever_is_sent_is_answered_as_the_schema_says(described, fuzzed, method, path):
    lea = Browser(fuzzed, "lea", Role.LEAD)
    operation = described[path][method]
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=HealthCheck)
    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes)))
    def ask(case):
        given_headers = {"Host": "localhost", "X-CSRF-Token": lea.csrf}
        case.call_and_validate(headers=given_headers, cookies=dict(lea.cookies), checks=list(CHECKS))

    ask()


def test_every_route_of_the_schema_is_tried(described):
    tried = test_whatever_is_sent_is_answered_as_the_schema_says.pytestmark[0].args[1]
    assert sorted(tried) == sorted(
        (found.ok().method.upper(), found.ok().full_path) for found in described.get_all_operations()
    )
