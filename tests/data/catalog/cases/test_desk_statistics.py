"""What the figures about the work are made of: runs, and what people decided since a time."""

from __future__ import annotations

import pandas as pd
import pytest

from data.catalog.cases.cases import save_cases
from data.catalog.cases.desk_statistics import decisions_since, latest_of, latest_runs, undone_since
from data.catalog.cases.transitions import Decision, decide, read_again, snooze, undo
from data.catalog.market.loads import record_run
from tests.data.catalog.rows import day, moment


def ran(connection, run_id, kind, status, at_day, **summary):
    record_run(
        connection, run_id=run_id, kind=kind, status=status, summary=summary, started_at=moment(at_day),
        finished_at=None if status == "running" else moment(at_day + 0.1),
    )  # fmt: skip


def said(key, verdict, actor, seen_version=0, seconds=None):
    return Decision(
        listing_key=key, verdict=verdict, problem=None, note="", actor=actor, seen_version=seen_version, seconds=seconds
    )


@pytest.fixture
def connection(catalog):
    with catalog.write() as connection:
        yield connection


def test_of_the_runs_the_latest_come_first_with_what_they_did(connection):
    ran(connection, "a", "score", "done", 1, scored=5)
    ran(connection, "b", "ingest", "failed", 3)
    ran(connection, "c", "ingest", "running", 2)
    found = latest_runs(connection, 2)
    assert [run["run_id"] for run in found] == ["b", "c"]
    assert found[1]["finished_at"] is None
    assert latest_runs(connection, 9)[-1]["summary"] == {"scored": 5}


def test_of_a_kind_the_latest_run_that_ended_well_is_told(connection):
    assert latest_of(connection, "monitor") is None
    ran(connection, "a", "monitor", "done", 1, alarms=1)
    ran(connection, "b", "monitor", "done", 2, alarms=2)
    ran(connection, "c", "monitor", "failed", 3, alarms=3)
    ran(connection, "d", "score", "done", 4, alarms=4)
    assert latest_of(connection, "monitor") == {"alarms": 2}


def test_verdicts_and_second_readings_are_told_with_the_band_of_their_case(connection):
    case = {
        "listing_key": 1, "as_of": day(0), "model_id": "rule-1", "score": 0.9, "band": "high", "value": 1.0,
        "priority": 0.9, "seller_key": 7, "category": "", "price": 1.0, "currency": "EUR", "edit": "", "reason": "",
        "copied_images": 1, "posted_at": day(0), "audited": 1,
    }  # fmt: skip
    save_cases(connection, pd.DataFrame([case]))
    decide(connection, said(1, "fraud", "ada", seconds=4.0), moment(1), second_reading_share=1.0)
    read_again(connection, said(1, "legit", "bob", seen_version=1), moment(2))
    decide(connection, said(2, "unsure", "bob"), moment(3))
    snooze(connection, 3, moment(9), "ada", moment(3))
    found = decisions_since(connection, moment(0))
    assert found["said"].tolist() == ["fraud", "legit", "unsure"]
    assert found["verdict"].tolist() == ["fraud", "fraud", "unsure"], "a second reading does not change what holds"
    assert found["kind"].tolist() == ["verdict", "second_reading", "verdict"]
    assert found["audited"].tolist()[:2] == [1, 1]
    assert found["band"].tolist()[:2] == ["high", "high"]
    assert found[["band", "audited"]].iloc[2].isna().all(), "the listing is no case"
    assert found["seconds"].tolist()[0] == 4.0
    assert decisions_since(connection, moment(2))["actor"].tolist() == ["bob", "bob"]


def test_what_was_taken_back_is_counted_from_a_time_on(connection):
    recorded = decide(connection, said(1, "fraud", "ada"), moment(1))
    assert undone_since(connection, moment(0)) == 0
    undo(connection, recorded.verdict_id, "ada", moment(2))
    assert undone_since(connection, moment(2)) == 1
    assert undone_since(connection, moment(2.1)) == 0
