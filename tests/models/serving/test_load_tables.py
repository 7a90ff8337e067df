"""Reading the input tables: all or nothing at the door, no row lost behind it, and a load can break off anywhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from data.catalog.market.loads import finish_load
from data.errors import SourceError, TableError
from data.progress import advance
from data.settings import load_settings
from models.serving.context import open_context
from models.serving.load_tables import Tables, check_tables, load_tables

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LISTINGS = "listing_id,seller_id,created_at,image_urls\n"
SELLERS = "seller_id,joined_at\n"
LABELS = "listing_id,label,labelled_at\n"


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setenv("SEENBEFORE_BATCH_ROWS", "4")
    opened = open_context(load_settings(tmp_path / "home"))
    yield opened
    opened.catalog.close()


@pytest.fixture
def write(tmp_path):
    def make(name, head, *rows):
        path = tmp_path / name
        path.write_text(head + "".join(f"{row}\n" for row in rows))
        return str(path)

    return make


def offers(n, seller="anna"):
    return [f"l{number},{seller},2026-03-0{1 + number % 9}T12:00:00Z," for number in range(n)]


def count(context, table):
    with context.catalog.read() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()  # noqa: S608  our own names


def test_every_row_is_kept_or_rejected_and_the_counts_say_so(context, write):
    listings = write("l.csv", LISTINGS, *offers(9), "l9,,yesterday,", "l10,anna,2026-03-01T00:00:00Z,")
    sellers = write("s.csv", SELLERS, "anna,2020-01-01T00:00:00Z", ",2020-01-01T00:00:00Z")
    labels = write("y.csv", LABELS, "l1,fraud,2026-04-01T00:00:00Z", "l1,perhaps,2026-04-01T00:00:00Z")
    _, counts = load_tables(context, Tables(listings=listings, sellers=sellers, labels=labels), NOW)
    assert counts == {
        "listings_read": 11, "listings_new": 10, "sellers_read": 2, "sellers_new": 1, "labels_read": 2,
        "labels_new": 1, "rejected": 3,
    }  # fmt: skip
    assert count(context, "rejects") == 4, "one row has two faults"


def test_a_wrong_second_table_keeps_the_first_out_too(context, write):
    tables = Tables(listings=write("l.csv", LISTINGS, *offers(3)), sellers=write("s.csv", "name\n", "anna"))
    with pytest.raises(TableError, match="seller_id is missing"):
        load_tables(context, tables, NOW)
    assert count(context, "listings") == count(context, "loads") == 0


def test_tables_are_checked_without_a_catalog(write, tmp_path):
    check_tables(Tables(listings=write("l.csv", LISTINGS, *offers(1))), rows=10)
    with pytest.raises(SourceError, match="no such file"):
        check_tables(Tables(listings=str(tmp_path / "nosuch.csv")), rows=10)


def test_a_pair_of_a_mapping_must_be_meant_for_one_of_the_tables(write):
    listings = write("l.csv", LISTINGS.replace("seller_id", "host"), *offers(1))
    labels = write("y.csv", LABELS.replace("listing_id", "offer"), "l0,fraud,2026-04-01T00:00:00Z")
    both = Tables(listings=listings, labels=labels, mapping=("host=seller_id", "offer=listing_id"))
    check_tables(both, rows=10)
    alone = Tables(listings=listings, mapping=both.mapping)
    with pytest.raises(TableError, match="--map offer=listing_id: no table has a column offer"):
        check_tables(alone, rows=10)


def test_loading_the_same_again_adds_nothing(context, write):
    tables = Tables(listings=write("l.csv", LISTINGS, *offers(9), "bad,,,"))
    for now, new in ((NOW, 9), (NOW + timedelta(days=1), 0)):
        load, counts = load_tables(context, tables, now)
        with context.catalog.write() as connection:
            finish_load(connection, load, now)
        assert counts["listings_new"] == new
        assert counts["rejected"] == 1
    assert (count(context, "listings"), count(context, "rejects")) == (9, 2)


def test_a_load_that_broke_off_is_gone_on_with_as_the_same_first_load(context, write):
    tables = Tables(listings=write("l.csv", LISTINGS, *offers(9)))

    def stop_at_the_second_batch(stage, done, total=None):
        if count(context, "listings") > 4:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("models.serving.load_tables.advance", stop_at_the_second_batch)
        with pytest.raises(KeyboardInterrupt):
            load_tables(context, tables, NOW)
    assert count(context, "listings") == 8
    load, counts = load_tables(context, tables, NOW + timedelta(days=1))
    assert load.first_bulk, "created_at still is the default for observed_at"
    assert counts["listings_new"] == 1
    assert count(context, "loads") == 1
    with context.catalog.read() as connection:
        late = connection.exec_driver_sql("SELECT count(*) FROM listings WHERE observed_at <> created_at").scalar()
    assert late == 0


def test_a_listing_may_bring_its_pictures_as_a_json_list(context, tmp_path):
    row = {
        "listing_id": "l",
        "seller_id": "s",
        "created_at": "2026-03-01T00:00:00Z",
        "image_urls": ["a.jpg", "b|c.jpg"],
    }
    table = tmp_path / "l.jsonl"
    table.write_text(json.dumps(row))
    load_tables(context, Tables(listings=str(table), images_root=str(tmp_path)), NOW)
    assert count(context, "image_links") == 2


def test_progress_is_told_batch_by_batch(context, write, monkeypatch):
    told = []
    monkeypatch.setattr("models.serving.load_tables.advance", lambda *words: told.append(words) or advance(*words))
    load_tables(context, Tables(listings=write("l.csv", LISTINGS, *offers(9))), NOW)
    listings = [words for words in told if words[0] == "reading listings"]
    assert listings == [("reading listings", 4), ("reading listings", 4), ("reading listings", 1)]
