"""Saving listings, sellers and labels: versions, contradictions, and nothing when nothing is new."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from data.catalog.database.frames import insert, joined_keys, read_frame
from data.catalog.database.schema import fetches, image_links, sightings
from data.catalog.database.schema import labels as labels_table
from data.catalog.database.schema import listings as listings_table
from data.catalog.database.schema import sellers as sellers_table
from data.catalog.market.listings import content_ids, save_labels, save_listings, save_sellers, settle
from data.catalog.market.loads import Load
from tests.data.catalog.catalog_digest import catalog_digest
from tests.data.catalog.rows import LISTING_TYPES, day, labels, listings, moment, sellers

FIRST = Load("first", moment(100), first_bulk=True)


def later(number: float) -> Load:
    return Load(f"later-{number}", moment(number), first_bulk=False)


def rows_of(catalog, table, *by: str) -> pd.DataFrame:
    with catalog.read() as connection:
        return read_frame(connection, select(table).order_by(*(table.c[name] for name in by)))


def save(catalog, load, rows, how=save_listings):
    with catalog.write() as connection:
        return how(connection, load, rows)


def digest(catalog) -> dict[str, str]:
    with catalog.read() as connection:
        return catalog_digest(connection)


FULL = {
    "listing_id": "a1", "created_at": day(1), "title": "A chair, a bit old", "description": "long\ntext ✓",
    "category": "chairs", "location": "Here", "url": "https://market.example/a1", "price": 12.5, "currency": "EUR",
    "attributes": '{"colour": "red"}', "image_urls": ["https://p.example/1", "https://p.example/2"],
}  # fmt: skip


def test_a_listing_is_kept_with_all_it_says(catalog):
    assert save(catalog, FIRST, listings(FULL)).new == 1
    row = rows_of(catalog, listings_table, "listing_key").iloc[0]
    assert {name: row[name] for name in LISTING_TYPES if name in FULL and name != "image_urls"} == {
        name: value for name, value in FULL.items() if name != "image_urls"
    }
    assert (row["seller_id"], row["marketplace"]) == ("ann", "default")


def test_what_is_not_said_stays_unknown(catalog):
    save(catalog, FIRST, listings({"listing_id": "bare"}))
    row = rows_of(catalog, listings_table, "listing_key").iloc[0]
    assert row[["title", "description", "category", "location", "url", "price", "currency", "attributes"]].isna().all()


def test_in_the_first_load_a_listing_was_observed_when_it_was_created_and_later_when_it_was_read(catalog):
    save(catalog, FIRST, listings({"listing_id": "a"}, {"listing_id": "b", "observed_at": day(7)}))
    save(catalog, later(200), listings({"listing_id": "c"}, {"listing_id": "d", "observed_at": day(8)}))
    found = rows_of(catalog, listings_table, "listing_id")
    assert found["observed_at"].tolist() == [day(0), day(7), day(200), day(8)]


@pytest.mark.parametrize("load", [FIRST, later(300)])
def test_loading_the_same_table_twice_changes_nothing(catalog, load):
    table = listings(
        FULL,
        {"listing_id": "b", "observed_at": day(8), "image_urls": ["https://p.example/1"]},
        {"listing_id": "b", "observed_at": day(9), "price": 3.0},
        {"listing_id": "c", "created_at": day(3)},
        {"listing_id": "c", "created_at": day(4), "title": "posted again"},
    )
    assert save(catalog, FIRST, table).new == 5
    before = digest(catalog)
    again = save(catalog, load, table)
    assert (again.new, len(again.rejects)) == (0, 0)
    assert digest(catalog) == before


def test_keys_of_later_versions_keep_all_their_bits(catalog):
    for number in range(3):
        save(catalog, later(number), listings({"listing_id": "a", "price": float(number)}))
    assert (
        rows_of(catalog, listings_table, "observed_at")["seller_key"].tolist()
        == [*joined_keys(["default"], ["ann"])] * 3
    )


def test_the_same_listing_id_in_two_marketplaces_is_two_listings(catalog):
    save(catalog, FIRST, listings({"listing_id": "a"}, {"listing_id": "a", "marketplace": "x", "seller_id": "bob"}))
    assert rows_of(catalog, listings_table, "marketplace")["seller_id"].tolist() == ["ann", "bob"]


def test_a_listing_that_changes_and_changes_back_has_three_versions(catalog):
    for number, price in ((1, 10.0), (2, 8.0), (3, 8.0), (4, 10.0)):
        save(catalog, later(number), listings({"listing_id": "a", "price": price}))
    found = rows_of(catalog, listings_table, "observed_at")
    assert found[["observed_at", "price"]].to_numpy().tolist() == [[day(1), 10.0], [day(2), 8.0], [day(4), 10.0]]


def test_of_rows_that_contradict_each_other_the_first_counts_and_the_others_are_rejected(catalog):
    saved = save(catalog, FIRST, listings({"listing_id": "a", "price": 1.0}, {"listing_id": "a", "price": 2.0}))
    assert saved.new == 1
    assert saved.rejects.to_dict("records") == [
        {
            "_line": 3,
            "column_name": "listing_id",
            "reason": "another row with this listing_id and observed_at differs",
            "value": "a",
        }
    ]
    again = save(catalog, FIRST, listings({"listing_id": "a", "price": 2.0}))
    assert (again.new, len(again.rejects)) == (0, 1)
    assert rows_of(catalog, listings_table, "listing_key")["price"].tolist() == [1.0]


def test_a_listing_id_of_another_seller_is_rejected_in_the_same_batch_and_later(catalog):
    stolen = {"listing_id": "a", "seller_id": "eve", "image_urls": ["https://p.example/eve"]}
    first = save(catalog, FIRST, listings({"listing_id": "a"}, stolen))
    second = save(catalog, later(9), listings({"listing_id": "b"}, stolen))
    assert (first.new, second.new) == (1, 1)
    for saved in (first, second):
        assert saved.rejects[["_line", "column_name", "value"]].to_numpy().tolist() == [[3, "seller_id", "eve"]]
    assert rows_of(catalog, fetches, "url_id").empty


def test_each_address_is_queued_once_and_linked_in_the_order_of_the_listing(catalog):
    one, two, three = (f"https://p.example/{number}" for number in (1, 2, 3))
    save(
        catalog,
        FIRST,
        listings({"listing_id": "a", "image_urls": [two, one, two]}, {"listing_id": "b", "image_urls": [one]}),
    )
    save(catalog, later(9), listings({"listing_id": "a", "image_urls": [three, two, one]}))
    assert sorted(rows_of(catalog, fetches, "url_id")["image_url"]) == [one, two, three]
    assert set(rows_of(catalog, fetches, "url_id")["status"]) == {"pending"}
    query = select(listings_table.c.listing_id, fetches.c.image_url, image_links.c.position, image_links.c.observed_at)
    query = query.join(image_links, image_links.c.listing_key == listings_table.c.listing_key).distinct()
    with catalog.read() as connection:
        links = read_frame(connection, query.join(fetches, fetches.c.url_id == image_links.c.url_id))
    expected = {("a", two, 0, day(0)), ("a", one, 1, day(0)), ("b", one, 0, day(0)), ("a", three, 0, day(9))}
    assert set(links.itertuples(index=False, name=None)) == expected


def test_a_table_without_rows_saves_nothing(catalog):
    for how, rows in ((save_listings, listings()), (save_sellers, sellers())):
        saved = save(catalog, FIRST, rows, how)
        assert (saved.new, len(saved.rejects)) == (0, 0)
    with catalog.write() as connection:
        assert save_labels(connection, labels()).new == 0


def seller_versions(catalog) -> list[tuple[object, ...]]:
    found = rows_of(catalog, sellers_table, "observed_at")
    names = ["observed_at", "country", "group_id", "feedback_count", "rating"]
    return list(found[names].astype(object).where(found[names].notna(), None).itertuples(index=False, name=None))


ANN = {
    "seller_id": "ann",
    "joined_at": day(-50),
    "country": "DE",
    "group_id": "g",
    "feedback_count": 7.0,
    "rating": 4.5,
}


def test_in_the_first_load_lasting_facts_count_from_joining_and_the_snapshot_from_the_load(catalog):
    save(catalog, FIRST, sellers(ANN), save_sellers)
    assert seller_versions(catalog) == [(day(-50), "DE", "g", None, None), (day(100), "DE", "g", 7.0, 4.5)]


def test_without_a_day_of_joining_all_counts_from_the_load(catalog):
    save(catalog, FIRST, sellers(ANN | {"joined_at": None}), save_sellers)
    assert seller_versions(catalog) == [(day(100), "DE", "g", 7.0, 4.5)]


def test_in_a_later_load_all_counts_from_its_clock_and_where_dated_from_that_date(catalog):
    save(catalog, later(150), sellers(ANN, ANN | {"observed_at": day(20), "rating": 5.0}), save_sellers)
    assert seller_versions(catalog) == [(day(20), "DE", "g", 7.0, 5.0), (day(150), "DE", "g", 7.0, 4.5)]


def test_a_seller_without_anything_new_gets_no_version(catalog):
    table = sellers(ANN, {"seller_id": "bob", "observed_at": day(3)}, {"seller_id": "cid"})
    save(catalog, FIRST, table, save_sellers)
    before = digest(catalog)
    for load in (FIRST, later(150), Load("resumed", moment(101), first_bulk=True)):
        again = save(catalog, load, table, save_sellers)
        assert (again.new, len(again.rejects)) == (0, 0)
    assert digest(catalog) == before


def test_a_group_that_becomes_known_later_lets_the_sightings_it_concerns_be_matched_again(catalog):
    ann = joined_keys(["default"], ["ann"])[0]
    sighting = {"image_id": "p", "listing_key": 1, "seller_key": ann, "position": 0, "matched": 1}
    with catalog.write() as connection:
        insert(connection, sightings, pd.DataFrame([sighting | {"observed_at": day(30), "created_at": day(30)}]))
    save(catalog, later(150), sellers(ANN), save_sellers)
    assert rows_of(catalog, sightings)["matched"].tolist() == [1]
    save(catalog, later(151), sellers(ANN | {"observed_at": day(20)}), save_sellers)
    assert rows_of(catalog, sightings)["matched"].tolist() == [0]


def test_sellers_that_contradict_each_other_are_rejected_once(catalog):
    saved = save(catalog, FIRST, sellers(ANN, ANN | {"country": "FR"}), save_sellers)
    assert saved.rejects[["_line", "column_name", "value"]].to_numpy().tolist() == [[3, "seller_id", "ann"]]
    assert {version[1] for version in seller_versions(catalog)} == {"DE"}


def test_labels_are_kept_before_their_listings_and_once(catalog):
    table = labels(
        {"listing_id": "unknown", "observed_at": day(6)},
        {"listing_id": "unknown", "source": "police"},
        {"listing_id": "unknown", "source": "police"},
        {"listing_id": "unknown", "source": "police", "label": "legit"},
    )
    with catalog.write() as connection:
        saved = save_labels(connection, table)
        again = save_labels(connection, table)
    assert (saved.new, again.new) == (2, 0)
    for each in (saved, again):
        assert each.rejects[["_line", "column_name", "value"]].to_numpy().tolist() == [[5, "label", "legit"]]
    found = rows_of(catalog, labels_table, "source")
    assert found[["source", "label", "observed_at"]].to_numpy().tolist() == [
        ["", "fraud", day(6)],
        ["police", "fraud", day(5)],
    ]


steps = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=12)


@settings(deadline=None)
@given(contents=steps, cuts=st.lists(st.integers(0, 12), max_size=3))
def test_whatever_the_batches_exactly_the_changes_are_kept(contents, cuts):
    incoming = pd.DataFrame(contents, columns=["key", "content_id"], dtype="int64").astype({"content_id": "str"})
    incoming["observed_at"] = day(0) + pd.to_timedelta(range(len(incoming)), unit="D")
    known = incoming.iloc[:0]
    edges = sorted({0, len(incoming), *(cut for cut in cuts if cut < len(incoming))})
    for start, stop in itertools.pairwise(edges):
        known = pd.concat([known, settle(incoming.iloc[start:stop], known, "key").new])
    expected, last = [], {}
    for row in incoming.itertuples(index=False):
        if last.get(row.key) != row.content_id:
            expected.append(tuple(row))
        last[row.key] = row.content_id
    assert sorted(known.itertuples(index=False, name=None)) == sorted(expected)


def test_contents_differ_where_a_value_is_missing_or_moved_to_the_next_column():
    frame = pd.DataFrame(
        {"a": pd.Series(["x", "x", None, ""], dtype="str"), "b": pd.Series([None, "", "x", "x"], dtype="str")}
    )
    assert len(set(content_ids(frame, ["a", "b"]))) == 4
