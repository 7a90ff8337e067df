"""Rows as dictionaries say what a frame of them says."""

from __future__ import annotations

from sqlalchemy import insert as insert_rows

from data.catalog.database.frames import read_frame, records, whole_table
from data.catalog.database.records import read_records, read_records_by_keys
from data.catalog.database.schema import cases, images

IMAGES = ("image_id", "status", "width", "phash", "information", "compared")
ROWS = [
    {"image_id": "a", "status": "hashed", "width": 640, "phash": -3, "information": 0.25, "compared": 1},
    {"image_id": "b", "status": "waits", "width": None, "phash": None, "information": None, "compared": 0},
]


def test_every_kind_of_value_is_that_of_a_frame(catalog):
    query = whole_table(images, IMAGES).order_by(images.c.image_id)
    with catalog.write() as connection:
        connection.execute(insert_rows(images), ROWS)
        found = read_records(connection, query)
        assert found == records(read_frame(connection, query))
    assert found[0]["phash"] == 2**64 - 3
    assert found[1]["width"] is None


def test_times_are_aware_and_in_utc(catalog):
    from data.catalog.cases.cases import save_cases
    from tests.data.catalog.desk_rows import scored_cases
    from tests.data.catalog.rows import moment

    with catalog.write() as connection:
        save_cases(connection, scored_cases(1, posted_at=moment(3.123456)))
        query = whole_table(cases, ("posted_at", "snoozed_until_at"))
        (found,) = read_records(connection, query)
        (framed,) = records(read_frame(connection, query))
    assert found == {"posted_at": moment(3.123456), "snoozed_until_at": None} == framed
    assert found["posted_at"].isoformat() == framed["posted_at"].isoformat()


def test_no_keys_are_no_rows_and_a_key_given_twice_is_one_row(catalog):
    query = whole_table(images, IMAGES)
    with catalog.write() as connection:
        connection.execute(insert_rows(images), ROWS)
        assert read_records_by_keys(connection, query, images.c.image_id, []) == []
        assert len(read_records_by_keys(connection, query, images.c.image_id, ["a", "a", "b", "c"])) == 2
