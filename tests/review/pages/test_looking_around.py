"""The pages about sellers, about what was decided, and about how the work goes; and the files that leave the desk."""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape

import pandas as pd
import pytest

from data.catalog.market.loads import record_run
from review.pages.insight_page import KEYS
from tests.data.catalog.rows import moment
from tests.review.conftest import Browser
from tests.review.market import COPIES, HOSTILE_TITLE, THIEF, VICTIM, listing_keys


def seller_keys(context):
    with context.catalog.read() as connection:
        rows = connection.exec_driver_sql("SELECT DISTINCT seller_id, seller_key FROM listings")
        return {row[0]: row[1] for row in rows}


def words(page):
    """What a reader sees, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


def decide(person, key, verdict="fraud", **said):
    said = {"seen_version": 0, "seconds": "12.5"} | said
    assert person.post_form(f"/cases/{key}/verdict", verdict=verdict, **said).status_code == 303


# --- sellers -----------------------------------------------------------------


def test_a_seller_is_shown_with_its_listings_its_cases_and_whose_photos_it_shows(ada, context):
    keys = seller_keys(context)
    page = ada.get(f"/sellers/{keys[THIEF]}")
    assert page.status_code == 200
    for key in listing_keys(context)[: COPIES - 1]:
        assert f'href="/cases/{key}"' in page.text
    assert f"{COPIES - 1} listings" in words(page)
    assert f'href="/sellers/{keys[VICTIM]}"' in page.text
    assert re.search(rf"{VICTIM} {COPIES - 1} {COPIES - 1}\b", words(page)), "photos and listings"
    assert '<svg class="ring"' in page.text
    assert "As a table" in page.text


def test_a_victim_is_shown_without_a_blemish(ada, context):
    page = ada.get(f"/sellers/{seller_keys(context)[VICTIM]}")
    assert "None of its photos is known to have been shown by somebody else before." in words(page)


def test_what_was_decided_of_a_sellers_listings_stands_beside_them(ada, context):
    key = listing_keys(context)[0]
    path = f"/sellers/{seller_keys(context)[THIEF]}"
    assert '<span class="tag">fraud</span>' not in ada.get(path).text
    decide(ada, key)
    assert '<span class="tag">fraud</span>' in ada.get(path).text


def test_a_sellers_hostile_titles_are_text(ada, context):
    page = ada.get(f"/sellers/{seller_keys(context)[THIEF]}").text
    assert HOSTILE_TITLE not in page
    assert "<script>alert" not in page
    assert "⟨U+202E⟩" in page


@pytest.mark.parametrize("key", [1, -(2**63), 2**63 - 1])
def test_a_seller_that_is_none_is_not_there(ada, key):
    assert ada.get(f"/sellers/{key}").status_code == 404


@pytest.mark.parametrize("key", [2**63, -(2**80), "ann"])
def test_a_key_that_no_seller_can_have_is_refused(ada, key):
    assert ada.get(f"/sellers/{key}").status_code == 422


def test_pages_behind_the_last_one_are_empty_and_lead_back(ada, context):
    page = ada.get(f"/sellers/{seller_keys(context)[THIEF]}?page=9")
    assert "Nothing on this page." in words(page)
    assert "?page=8" in page.text


# --- the audit ---------------------------------------------------------------


def test_the_audit_tells_who_decided_what_the_latest_first(ada, bob, context, clock):
    first, second = listing_keys(context)[:2]
    decide(ada, first, problem="stolen_photo", note="=1+1 <b>seen</b>")
    clock.pass_by(minutes=5)
    decide(bob, second, verdict="legit")
    page = ada.get("/audit")
    told = words(page)
    assert re.search(r"bob decided ?: legit .* ada decided ?: fraud", told)
    assert "stolen photo" in told
    assert "<b>seen</b>" in told
    assert "<b>seen</b>" not in page.text


def test_the_audit_shows_one_persons_decisions_alone(ada, bob, context):
    first, second = listing_keys(context)[:2]
    decide(ada, first)
    decide(bob, second)
    page = ada.get("/audit?actor=bob").text
    assert f"/cases/{second}" in page
    assert f"/cases/{first}" not in page


def test_a_long_audit_goes_on_on_older_pages_and_misses_nothing(ada, context, clock, monkeypatch):
    monkeypatch.setattr("review.pages.verdict_page.AUDIT_ROWS", 2)
    for key in listing_keys(context)[:5]:
        clock.pass_by(minutes=1)
        decide(ada, key)
    seen, path = [], "/audit"
    while path:
        page = ada.get(path).text
        seen += re.findall(r'<td><a href="/cases/(-?\d+)">', page)
        older = re.search(r'href="(/audit\?before=[^"]+)"', page)
        path = unescape(older[1]) if older else None
    assert seen == [str(key) for key in reversed(listing_keys(context)[:5])]


def test_an_audit_of_nothing_says_so(ada):
    assert "Nothing was decided yet" in words(ada.get("/audit"))
    assert ada.get("/audit?before=nonsense&actor=nobody").status_code == 200


# --- insight and help --------------------------------------------------------


def test_insight_of_a_new_desk_says_what_is_not_there_yet(ada):
    told = words(ada.get("/insight"))
    assert "Nobody decided anything in the last eight weeks." in told
    assert "seenbefore monitor has not looked yet." in told
    assert "Nothing ran yet" in told
    assert "rule" in told


def test_insight_counts_how_often_the_queue_was_right(ada, bob, context, clock):
    keys = listing_keys(context)
    for key, verdict in zip(keys[:4], ["fraud", "fraud", "legit", "unsure"], strict=True):
        decide(ada, key, verdict)
    clock.pass_by(minutes=1)
    told = words(bob.get("/insight"))
    assert "67 %" in told, "of three, as unsure is neither"
    assert "3 decided)" in told
    assert "12 s median, case to verdict" in told
    assert "ada 4" in told


def test_insight_shows_what_ran_and_how_it_ended(ada, context):
    summary = {"run_id": "r", "scored": 1_234, "alarms": 2, "note": "<script>"}
    with context.catalog.write() as connection:
        for number, (kind, status) in enumerate([("score", "done"), ("ingest", "failed"), ("monitor", "done")]):
            record_run(
                connection, run_id=f"r{number}", kind=kind, status=status, summary=summary,
                started_at=moment(50 + number), finished_at=moment(50.001 + number),
            )  # fmt: skip
    page = ada.get("/insight")
    told = words(page)
    assert "scored 1,234" in told
    assert "failed" in told
    assert "2 alarms when seenbefore monitor last looked." in told
    assert "<script>" not in page.text.replace('<script src="/static/', "")


def test_insight_leads_to_prefect_where_a_server_is_named(ada, monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert "/runs" not in ada.get("/insight").text
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    assert 'href="http://127.0.0.1:4200/runs"' in ada.get("/insight").text
    monkeypatch.setenv("PREFECT_API_URL", "javascript:alert(1)")
    assert "javascript:" not in ada.get("/insight").text


def test_help_lists_every_key_that_a_page_takes(ada, context):
    told = {key for key, _, _ in KEYS}
    assert len(told) == len(KEYS)
    pages = ["/", "/audit", "/insight", "/help", f"/cases/{listing_keys(context)[0]}"]
    taken = {unescape(key) for path in pages for key in re.findall(r'data-key="([^"]+)"', ada.get(path).text)}
    assert taken <= told
    assert all(f'data-for="{key}"' in ada.get("/help").text for key in told)


# --- files -------------------------------------------------------------------


@pytest.fixture
def decided(ada, context):
    """A verdict whose note a spreadsheet would run."""
    key = listing_keys(context)[0]
    decide(ada, key, problem="stolen_photo", note='=HYPERLINK("http://x.test")\nand more')
    return key


def read(answer, ending):
    if ending == "csv":
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    if ending == "jsonl":
        return [json.loads(line) for line in answer.text.splitlines()]
    return pd.read_parquet(io.BytesIO(answer.content)).to_dict("records")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_leads_take_verdicts_and_cases_away_as_files(lea, context, decided, ending):
    answer = lea.get(f"/export/verdicts.{ending}")
    assert answer.headers["content-disposition"] == f'attachment; filename="verdicts.{ending}"'
    (row,) = read(answer, ending)
    assert (row["listing_id"], row["verdict"], row["actor"]) == ("copy-0", "fraud", "ada")
    cases = read(lea.get(f"/export/cases.{ending}"), ending)
    assert sorted(row["listing_id"] for row in cases) == sorted(f"copy-{number}" for number in range(COPIES))
    assert {row["listing_id"]: row["state"] for row in cases}["copy-0"] == "decided"


def test_no_cell_of_a_csv_begins_a_formula(lea, decided):
    rows = read(lea.get("/export/verdicts.csv"), "csv")
    assert rows[0]["note"].endswith("and more")
    assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for value in row.values())


def test_an_export_leaves_no_file_behind(lea, decided, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    assert lea.get("/export/cases.parquet").status_code == 200
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("path", ["/export/listings.csv", "/export/verdicts.xlsx", "/export/../verdicts.csv"])
def test_nothing_else_can_be_taken(lea, path):
    assert lea.get(path).status_code in {404, 422}


def test_only_leads_see_the_links_to_the_files(app, ada, decided):
    assert "/export/" not in ada.get("/audit").text
    assert "/export/verdicts.csv" in Browser(app, "lea", role=3).get("/audit").text
