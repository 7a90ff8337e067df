"""Verdicts are written once, in order, against the page that was seen, and can never be changed."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from data.catalog.cases.case_events import UNDECIDED, Kind, audit_page, history, pair_events, ruling, version_of
from data.catalog.cases.cases import State, case_of, save_cases
from data.catalog.cases.claims import claim, claim_on
from data.catalog.cases.transitions import (
    Decision,
    appeal,
    decide,
    deny_pair,
    overturn,
    read_again,
    snooze,
    undo,
)
from data.catalog.database.schema import verdicts
from data.catalog.feature_facts import verdict_labels
from data.catalog.market.matches import denied_pairs
from data.errors import CaseChanged, CatalogError, VerdictError
from tests.data.catalog.desk_rows import scored_cases
from tests.data.catalog.rows import moment


def decision(verdict="fraud", *, listing_key=1, actor="ada", seen=0, **more):
    problem = {"fraud": "stolen_photo", "legit": "licensed"}.get(verdict)
    return Decision(
        listing_key=listing_key, verdict=verdict, problem=problem, note="", actor=actor, seen_version=seen, **more
    )


@pytest.fixture
def desk(catalog):
    with catalog.write() as connection:
        save_cases(connection, scored_cases(1, 2))
    return catalog


def test_a_verdict_closes_the_case_and_gives_it_back(desk):
    with desk.write(durable=True) as connection:
        claim(connection, 1, "ada", moment(5), 15)
        recorded = decide(connection, decision(), moment(5))
        assert recorded.version == version_of(connection, 1) == 1
        assert case_of(connection, 1)["state"] == State.DECIDED
        assert claim_on(connection, 1, moment(5)) is None
        assert ruling(history(connection, 1))["verdict"] == "fraud"


def test_who_decides_on_an_old_page_is_told_who_was_faster_and_writes_nothing(desk):
    with desk.write() as connection:
        decide(connection, decision(actor="ada"), moment(5))
    with pytest.raises(CaseChanged, match="ada was faster"), desk.write() as connection:
        decide(connection, decision("legit", actor="bob"), moment(6))
    with desk.read() as connection:
        assert [event["actor"] for event in history(connection, 1)] == ["ada"]


@pytest.mark.parametrize("listing_key", [1, 99], ids=["a case", "no case"])
def test_what_somebody_else_decided_is_neither_decided_again_nor_snoozed_until_it_is_appealed(desk, listing_key):
    with desk.write() as connection:
        first = decide(connection, decision(listing_key=listing_key), moment(5))
    later = decision("legit", actor="bob", seen=1, listing_key=listing_key)
    with pytest.raises(CaseChanged, match="ada was faster"), desk.write() as connection:
        decide(connection, later, moment(6))
    with pytest.raises(CaseChanged, match="ada was faster"), desk.write() as connection:
        snooze(connection, listing_key, moment(8), "bob", moment(6))
    with desk.write() as connection:
        appeal(connection, first.verdict_id, "bob", moment(6), "It is his own.")
        decide(connection, replace(later, seen_version=2), moment(7))
        assert ruling(history(connection, listing_key))["verdict"] == "legit"


@pytest.mark.parametrize("statement", [update(verdicts).values(verdict="legit"), delete(verdicts)])
def test_the_database_itself_refuses_to_change_or_remove_a_verdict(desk, statement):
    with desk.write() as connection:
        decide(connection, decision(), moment(5))
    with pytest.raises((DBAPIError, CatalogError), match="append-only"), desk.write() as connection:
        connection.execute(statement)
    with desk.read() as connection:
        assert [event["verdict"] for event in history(connection, 1)] == ["fraud"]


@pytest.mark.parametrize("minutes", [0, -5], ids=["at one instant", "by a clock that was set back"])
def test_events_keep_the_order_in_which_they_were_written(desk, minutes):
    with desk.write() as connection:
        for number in range(8):
            said = decision(("fraud", "legit")[number % 2], seen=number)
            decide(connection, said, moment(5 + number * minutes / 1440))
        assert [event["verdict"] for event in history(connection, 1)] == ["fraud", "legit"] * 4
        assert ruling(history(connection, 1))["verdict"] == "legit"


def test_what_is_undone_is_kept_and_what_held_before_holds_again(desk):
    with desk.write() as connection:
        first = decide(connection, decision("legit"), moment(5))
        second = decide(connection, decision("fraud", seen=1), moment(6))
        undo(connection, second.verdict_id, "ada", moment(7))
        assert ruling(history(connection, 1))["verdict_id"] == first.verdict_id
        assert case_of(connection, 1)["state"] == State.DECIDED
        undo(connection, first.verdict_id, "ada", moment(8))
        assert ruling(history(connection, 1))["verdict"] == UNDECIDED
        assert case_of(connection, 1)["state"] == State.OPEN
        assert [event["kind"] for event in history(connection, 1)] == [Kind.VERDICT, Kind.VERDICT, Kind.UNDO, Kind.UNDO]
        with pytest.raises(VerdictError, match="before"):
            undo(connection, first.verdict_id, "ada", moment(9))


def test_only_the_author_takes_a_verdict_back_and_only_the_latest_one(desk):
    with desk.write() as connection:
        first = decide(connection, decision("legit"), moment(5))
        with pytest.raises(VerdictError, match="ada"):
            undo(connection, first.verdict_id, "bob", moment(6))
        decide(connection, decision("fraud", seen=1), moment(6))
        with pytest.raises(VerdictError, match="latest"):
            undo(connection, first.verdict_id, "ada", moment(7))
        with pytest.raises(VerdictError, match="number"):
            undo(connection, "none", "ada", moment(7))


def test_labels_follow_what_holds_whatever_came_between(desk):
    with desk.write() as connection:
        first = decide(connection, decision("fraud"), moment(5), second_reading_share=1.0)
        read_again(connection, decision("legit", actor="bob", seen=1), moment(6))
        appeal(connection, first.verdict_id, "cleo", moment(7), "The seller wrote to us.")
        snooze(connection, 1, moment(20), "cleo", moment(8))
        overturn(connection, decision("legit", actor="lea", seen=4), first.verdict_id, moment(9))
        labels = verdict_labels(connection, pd.Series([1])).sort_values("known_at")
        assert labels["label"].tolist() == ["fraud"] * 4 + ["legit"]
        said = {event["kind"]: event["said"] for event in history(connection, 1)}
        assert said[Kind.SECOND_READING] == "legit"


def test_a_second_reading_is_wanted_of_a_share_and_asked_of_nobody_twice(desk):
    from data.catalog.cases.cases import next_second_reading

    with desk.write() as connection:
        decide(connection, decision(), moment(5), second_reading_share=1.0)
        decide(connection, decision(listing_key=2), moment(5), second_reading_share=0.0)
        assert next_second_reading(connection, "ada", moment(6)) is None
        assert next_second_reading(connection, "bob", moment(6)) == 1
        read_again(connection, decision("legit", actor="bob", seen=1), moment(6))
        assert next_second_reading(connection, "cleo", moment(7)) is None


def test_a_pair_that_is_denied_is_remembered_for_matching_too(desk):
    with desk.write() as connection:
        deny_pair(connection, 1, ("p2", "p1"), "ada", moment(5), "two shirts")
        told = denied_pairs(connection, pd.Series(["p1"]))
        assert told[["image_id", "other_image_id"]].to_numpy().tolist() == [["p1", "p2"]]
        assert [event["note"] for event in pair_events(connection, ["p2"])] == ["two shirts"]
        assert verdict_labels(connection, pd.Series([1])).empty


def test_a_snoozed_case_comes_back_when_its_time_has_come(desk):
    from data.catalog.cases.cases import Filter, page_of

    with desk.write() as connection:
        snooze(connection, 1, moment(10), "ada", moment(5))
        before = page_of(connection, Filter(), moment(9), number=1, size=10)
        after = page_of(connection, Filter(), moment(10), number=1, size=10)
        assert [row["listing_key"] for row in before.rows] == [2]
        assert {row["listing_key"] for row in after.rows} == {1, 2}


@pytest.mark.parametrize("wrong", [{"verdict": "guilty"}, {"problem": "ugly"}, {"note": "x" * 4_001}])
def test_what_is_no_decision_is_refused_with_what_was_expected(desk, wrong):
    values = {"listing_key": 1, "verdict": "fraud", "problem": None, "note": "", "actor": "ada", "seen_version": 0}
    with pytest.raises(VerdictError, match="Expected"), desk.write() as connection:
        decide(connection, Decision(**values | wrong), moment(5))
    with desk.read() as connection:
        assert version_of(connection, 1) == 0


def test_the_audit_is_read_page_by_page_the_latest_first(desk):
    with desk.write() as connection:
        for number in range(5):
            decide(connection, decision(seen=number), moment(5))
        whole = audit_page(connection, size=10)
        first = audit_page(connection, size=2)
        second = audit_page(connection, before=first["verdict_id"].iloc[-1], size=10)
        assert [*first["verdict_id"], *second["verdict_id"]] == whole["verdict_id"].tolist()
        assert audit_page(connection, size=10, actor="bob").empty


def test_durable_writes_wait_for_the_disk_and_others_do_not(desk):
    if not desk.url.startswith("sqlite"):
        pytest.skip("PostgreSQL waits for its disk at every commit")
    levels = []
    for durable in (True, False):
        with desk.write(durable=durable) as connection:
            levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
    assert levels == [2, 1]
