"""What was found to be two photos stays so: remembered once, from the earliest time on, and matched accordingly."""

from __future__ import annotations

import pandas as pd
import pytest
from sqlalchemy import select

from data.catalog.database.frames import insert, read_frame
from data.catalog.database.schema import different_photos, matches, sightings
from data.catalog.market.matches import denied_pairs, deny_pairs, save_alike, unmatched_listings
from tests.data.catalog.catalog_digest import catalog_digest
from tests.data.catalog.market.test_matches import match_all, sights
from tests.data.catalog.rows import TEXT, TIME, alike_pairs, day, different_pairs

A, B, C, D = "abcd"


def remembered(connection):
    found = read_frame(connection, select(different_photos))
    return {(one, other): known_at for one, other, known_at in found.itertuples(index=False)}


def test_pairs_are_remembered_whichever_picture_is_named_first(catalog):
    with catalog.write() as connection:
        deny_pairs(connection, different_pairs((B, A), (A, C), known_on=2))
        assert remembered(connection) == {(A, B): day(2), (A, C): day(2)}
        deny_pairs(connection, different_pairs((A, B), (C, B), known_on=3))
        assert remembered(connection) == {(A, B): day(2), (A, C): day(2), (B, C): day(3)}


def test_remembering_twice_changes_nothing(catalog):
    pairs = different_pairs((B, A), (A, B), (C, A), known_on=2)
    with catalog.write() as connection:
        insert(connection, sightings, sights((A, 1, 1, 0), (B, 2, 2, 5)))
        deny_pairs(connection, pairs)
        match_all(connection)
        before = catalog_digest(connection)
        deny_pairs(connection, pairs)
        deny_pairs(connection, pairs.assign(known_at=pd.Series([day(4)] * 3, dtype=TIME)))
        assert catalog_digest(connection) == before
        assert unmatched_listings(connection) == []


@pytest.mark.parametrize("days", [(2, 5), (5, 2)])
def test_the_earliest_time_counts_in_whichever_order_it_is_told(catalog, days):
    with catalog.write() as connection:
        for known_on in days:
            deny_pairs(connection, different_pairs((A, B), known_on=known_on))
        assert remembered(connection) == {(A, B): day(2)}
        both = pd.concat([different_pairs((C, D), known_on=at) for at in days], ignore_index=True)
        deny_pairs(connection, both)
        assert remembered(connection)[C, D] == day(2)


def test_pairs_are_found_from_either_side_once(catalog):
    with catalog.write() as connection:
        deny_pairs(connection, different_pairs((A, B), (C, B), (C, D), known_on=1))
        found = denied_pairs(connection, pd.Series([A, B, B], dtype=TEXT))
        nothing = denied_pairs(connection, pd.Series(["x"], dtype=TEXT))
    assert sorted(found[["image_id", "other_image_id"]].to_numpy().tolist()) == [[A, B], [B, C]]
    assert found["known_at"].tolist() == [day(1)] * 2
    assert nothing.empty
    assert nothing.dtypes.to_dict() == found.dtypes.to_dict()


def test_remembering_no_pairs_is_no_trouble(catalog):
    with catalog.write() as connection:
        deny_pairs(connection, different_pairs(known_on=1))
        assert remembered(connection) == {}


def facts(connection):
    found = read_frame(connection, select(matches).order_by(*matches.primary_key))
    return found[["listing_key", "other_listing_key"]].to_numpy().tolist()


def test_what_was_seen_since_then_is_matched_again_and_what_was_before_stays(catalog):
    with catalog.write() as connection:
        save_alike(connection, [A, B, C], alike_pairs((A, B), (A, C)))
        insert(connection, sightings, sights((A, 1, 1, 0), (B, 2, 2, 2), (B, 3, 3, 4), (C, 4, 4, 6), (A, 5, 5, 8)))
        match_all(connection)
        before = facts(connection)
        assert [2, 1] in before and [3, 1] in before
        deny_pairs(connection, different_pairs((B, A), known_on=4))
        assert unmatched_listings(connection) == [3, 5]
        match_all(connection)
        assert [pair for pair in before if pair not in facts(connection)] == [[3, 1], [5, 2]]
        deny_pairs(connection, different_pairs((B, A), known_on=1))
        assert unmatched_listings(connection) == [2, 3, 5]
        match_all(connection)
        late = facts(connection)
    assert [2, 1] not in late
    assert [4, 1] in late


def test_told_early_or_late_the_facts_are_the_same(catalog):
    rows = sights((A, 1, 1, 0), (B, 2, 2, 2), (B, 3, 3, 4), (A, 5, 5, 8))
    seen = {}
    for told_first in (True, False):
        with catalog.write() as connection:
            for table in (sightings, matches, different_photos):
                connection.execute(table.delete())
            save_alike(connection, [A, B], alike_pairs((A, B)))
            if told_first:
                deny_pairs(connection, different_pairs((A, B), known_on=3))
            insert(connection, sightings, rows)
            match_all(connection)
            if not told_first:
                deny_pairs(connection, different_pairs((A, B), known_on=3))
                match_all(connection)
            seen[told_first] = catalog_digest(connection)
    assert seen[True] == seen[False]
