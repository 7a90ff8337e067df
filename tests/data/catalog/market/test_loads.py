"""Loads: the first one, an interrupted one, and what could not be loaded."""

from __future__ import annotations

import json

import pandas as pd
from sqlalchemy import select

from data.catalog.database.frames import read_frame
from data.catalog.database.schema import loads, rejects, runs
from data.catalog.market.listings import save_listings
from data.catalog.market.loads import begin_load, finish_load, record_run, save_rejects
from tests.data.catalog.rows import day, listings, moment


def begin(catalog, source: str, at: float):
    with catalog.write() as connection:
        return begin_load(connection, source, moment(at))


def finish(catalog, load, at: float) -> None:
    with catalog.write() as connection:
        finish_load(connection, load, moment(at))


def add_a_listing(catalog, load) -> None:
    with catalog.write() as connection:
        save_listings(connection, load, listings({"listing_id": "a"}))


def test_only_the_load_of_an_empty_catalog_is_the_first(catalog):
    first = begin(catalog, "a.csv", 1)
    add_a_listing(catalog, first)
    second = begin(catalog, "b.csv", 2)
    assert (first.first_bulk, second.first_bulk) == (True, False)
    assert first.load_id != second.load_id
    assert (first.started_at, second.started_at) == (moment(1), moment(2))


def test_an_interrupted_load_goes_on_under_its_id_as_the_first_with_the_clock_of_now(catalog):
    interrupted = begin(catalog, "a.csv", 1)
    add_a_listing(catalog, interrupted)
    resumed = begin(catalog, "a.csv", 3)
    assert (resumed.load_id, resumed.first_bulk, resumed.started_at) == (interrupted.load_id, True, moment(3))


def test_after_a_finished_load_the_same_source_is_loaded_anew(catalog):
    first = begin(catalog, "a.csv", 1)
    add_a_listing(catalog, first)
    finish(catalog, first, 2)
    again = begin(catalog, "a.csv", 3)
    assert again.load_id != first.load_id
    assert not again.first_bulk
    with catalog.read() as connection:
        found = read_frame(connection, select(loads).order_by(loads.c.started_at))
    assert found["finished_at"].fillna(day(-1)).tolist() == [day(2), day(-1)]


def faults(**changes: object) -> pd.DataFrame:
    fault = {"source": "a.csv", "table_name": "listings", "line": 7, "column_name": "price", "reason": "no number"}
    return pd.DataFrame([fault | {"value": "cheap"} | changes])


def test_a_reject_is_kept_once_and_another_value_on_the_same_line_beside_it(catalog):
    load = begin(catalog, "a.csv", 1)
    for frame in (faults(), faults(), faults(value="free"), faults(column_name="", value=""), faults().iloc[:0]):
        with catalog.write() as connection:
            assert save_rejects(connection, load, frame) == len(frame)
    with catalog.read() as connection:
        found = read_frame(connection, select(rejects))
    assert sorted(found["value"]) == ["", "cheap", "free"]
    assert set(found["line"]) == {7}


def test_a_run_has_one_line_that_is_brought_up_to_date(catalog):
    line = {"run_id": "r", "kind": "ingest", "started_at": moment(1)}
    with catalog.write() as connection:
        record_run(connection, **line, status="running", summary={}, finished_at=None)
        record_run(connection, **line, status="done", summary={"b": 2, "a": 1}, finished_at=moment(2))
    with catalog.read() as connection:
        found = read_frame(connection, select(runs))
    assert found[["status", "started_at", "finished_at"]].to_numpy().tolist() == [["done", day(1), day(2)]]
    assert json.loads(found["summary"][0]) == {"a": 1, "b": 2}
