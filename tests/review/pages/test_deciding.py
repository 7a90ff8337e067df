"""What one request writes: verdicts, their undoing, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from data.catalog.cases.case_events import audit_page, history, ruling
from data.catalog.cases.cases import case_of
from data.catalog.market.matches import denied_pairs
from tests.review.market import listing_keys


@pytest.fixture
def key(context):
    return listing_keys(context)[0]


def events(context, key):
    with context.catalog.read() as connection:
        return pd.DataFrame(history(connection, key))


def written(context):
    with context.catalog.read() as connection:
        return len(audit_page(connection, size=1_000))


def test_a_verdict_is_written_and_leads_to_the_next_case(ada, context, key):
    answer = ada.post_form(
        f"/cases/{key}/verdict", verdict="fraud", problem="stolen_photo", note="as seen", seen_version=0
    )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"/cases/{listing_keys(context)[1]}?recorded=")
    assert events(context, key)[["verdict", "problem", "note", "actor"]].to_numpy().tolist() == [
        ["fraud", "stolen_photo", "as seen", "ada"]
    ]


def test_the_next_case_offers_to_take_the_verdict_back(ada, context, key):
    answer = ada.post_form(f"/cases/{key}/verdict", verdict="legit", seen_version=0)
    verdict_id = events(context, key)["verdict_id"].iloc[0]
    assert f"/verdicts/{verdict_id}/undo" in ada.get(answer.headers["location"]).text
    back = ada.post_form(f"/verdicts/{verdict_id}/undo")
    assert back.headers["location"] == f"/cases/{key}"
    with context.catalog.read() as connection:
        assert ruling(history(connection, key))["verdict_id"] is None
        assert case_of(connection, key)["state"] == "open"


def test_who_is_later_is_told_who_was_faster(ada, bob, context, key):
    ada.post_form(f"/cases/{key}/verdict", verdict="fraud", seen_version=0)
    late = bob.post_form(f"/cases/{key}/verdict", verdict="legit", seen_version=0)
    assert late.status_code == 409
    assert "ada was faster" in late.text
    assert events(context, key)["actor"].tolist() == ["ada"]


def test_a_case_that_somebody_has_shows_no_form_to_others(ada, bob, clock, key):
    assert 'action="/cases/' in ada.get(f"/cases/{key}").text
    others = bob.get(f"/cases/{key}").text
    assert "ada is on this case" in others
    assert "/verdict" not in others
    clock.pass_by(minutes=16)
    assert f"/cases/{key}/verdict" in bob.get(f"/cases/{key}").text


def test_the_next_case_is_never_one_that_somebody_else_has(ada, bob, context):
    first, second = listing_keys(context)[:2]
    assert ada.get("/next").headers["location"] == f"/cases/{first}"
    ada.get(f"/cases/{first}")
    assert bob.get("/next").headers["location"] == f"/cases/{second}"


@pytest.mark.parametrize(
    "fields",
    [
        {"verdict": "guilty"},
        {"verdict": "fraud", "problem": "ugly"},
        {"verdict": "fraud", "seen_version": "-1"},
        {"verdict": "fraud", "seen_version": "first"},
        {"verdict": "fraud", "note": "x" * 4_001},
        {},
    ],
)
def test_a_form_that_makes_no_sense_is_refused_with_a_sentence_and_writes_nothing(ada, context, key, fields):
    answer = ada.post_form(f"/cases/{key}/verdict", **{"seen_version": "0", **fields})
    assert answer.status_code == 422
    assert "Expected" in answer.text
    assert written(context) == 0


def test_a_verdict_on_a_listing_that_does_not_exist_is_refused(ada, context):
    assert ada.post_form("/cases/42/verdict", verdict="fraud", seen_version=0).status_code == 404
    assert written(context) == 0


def test_a_snoozed_case_comes_back_after_its_days(ada, clock, context, key):
    ada.post_form(f"/cases/{key}/snooze", days=7)
    assert f"/cases/{key}" not in ada.get("/").text
    clock.pass_by(days=7)
    assert f"/cases/{key}" in ada.get("/").text


def test_a_pair_that_is_not_the_same_photo_is_remembered(ada, context, key):
    with context.catalog.read() as connection:
        pair = connection.exec_driver_sql(
            f"SELECT image_id, other_image_id FROM matches WHERE listing_key = {key}"  # noqa: S608
        ).one()
    ada.post_form(f"/cases/{key}/pair", image_id=pair[0], other_image_id=pair[1])
    with context.catalog.read() as connection:
        told = denied_pairs(connection, list(pair))
    assert set(told.loc[0, ["image_id", "other_image_id"]]) == set(pair)


def test_only_ones_own_verdict_can_be_taken_back(ada, bob, context, key):
    ada.post_form(f"/cases/{key}/verdict", verdict="fraud", seen_version=0)
    verdict_id = events(context, key)["verdict_id"].iloc[0]
    refused = bob.post_form(f"/verdicts/{verdict_id}/undo")
    assert refused.status_code == 422
    assert "Ask a lead" in refused.text
    assert written(context) == 1


def test_an_appeal_opens_the_case_again_and_a_lead_overturns(ada, bob, lea, context, key):
    ada.post_form(f"/cases/{key}/verdict", verdict="fraud", seen_version=0)
    verdict_id = events(context, key)["verdict_id"].iloc[0]
    bob.post_form(f"/verdicts/{verdict_id}/appeal", note="It is his own bicycle.")
    with context.catalog.read() as connection:
        assert case_of(connection, key)["state"] == "open"
    lea.post_form(f"/verdicts/{verdict_id}/overturn", key=key, verdict="legit", seen_version=2)
    assert ruling(events(context, key).to_dict("records"))["verdict"] == "legit"


def test_what_nobody_decided_cannot_be_closed_as_a_second_reading(ada, context, key):
    answer = ada.post_form(f"/cases/{key}/verdict", verdict="fraud", seen_version=0, second_reading="1")
    assert answer.status_code == 422
    assert written(context) == 0
    with context.catalog.read() as connection:
        assert case_of(connection, key)["state"] == "open"


def test_a_lead_decides_for_many_at_once_or_for_none(ada, lea, context):
    keys = listing_keys(context)
    answer = lea.post_form("/bulk", key=keys[:3], verdict="fraud", problem="stolen_photo", note="a ring")
    assert answer.status_code == 303
    assert [len(events(context, key)) for key in keys[:4]] == [1, 1, 1, 0]
    assert lea.post_form("/bulk", key=[*keys[3:5], 42], verdict="fraud").status_code == 404
    assert [len(events(context, key)) for key in keys[3:5]] == [0, 0]
