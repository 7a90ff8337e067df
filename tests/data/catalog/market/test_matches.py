"""Alike pairs and match facts, replaced and reopened as later loads bring earlier sightings."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from data.catalog.database.frames import insert, read_frame
from data.catalog.database.schema import alike, images, matches, sellers, sightings
from data.catalog.market.matches import (
    alike_of,
    compared_pictures,
    deny_pairs,
    fingerprints,
    matching_facts,
    readable_pictures,
    reopen_accounts,
    reopen_later,
    save_alike,
    save_matches,
    unmatched_listings,
)
from data.catalog.market.pictures import save_fingerprints
from features.facts import FINGERPRINT_COLUMNS, MATCH_COLUMNS, NEAR_DUPLICATE_COLUMNS, SELLER_COLUMNS, SIGHTING_COLUMNS
from features.point_in_time.ring_features import TIE_LIMITS
from features.sightings.earlier_sightings import earlier_sightings
from tests.data.catalog.rows import RECIPE, TEXT, TIME, alike_pairs, day, different_pairs, hashed
from tests.full_run import often

A, B, C, D = "abcd"


def sights(*rows: tuple[str, int, int, float] | tuple[str, int, int, float, float]) -> pd.DataFrame:
    """Sightings as (picture, listing, seller, day, day of posting: 0 unless given)."""
    rows = [row if len(row) == 5 else (*row, 0) for row in rows]
    frame = pd.DataFrame(rows, columns=["image_id", "listing_key", "seller_key", "observed_at", "created_at"])
    frame["observed_at"] = [day(number) for number in frame["observed_at"]]
    frame["created_at"] = [day(number) for number in frame["created_at"]]
    frame = frame.assign(position=0, matched=0)
    return frame.astype({"image_id": TEXT, "observed_at": TIME, "created_at": TIME})


def match_all(connection) -> int:
    """What a run does once its pictures were compared; returns how many listings were reopened."""
    reopened = reopen_later(connection)
    keys = unmatched_listings(connection)
    facts = matching_facts(connection, keys)
    found = earlier_sightings(facts.own, facts.alike, facts.sightings, facts.sellers, facts.different)
    save_matches(connection, keys, found, TIE_LIMITS)
    return reopened


def table(connection, of) -> pd.DataFrame:
    return read_frame(connection, select(of).order_by(*of.primary_key))


def test_fingerprints_are_read_by_recipe_and_by_whether_they_were_compared(catalog):
    with catalog.write() as connection:
        save_fingerprints(connection, hashed(A, B), TIE_LIMITS)
        save_fingerprints(connection, hashed(C, recipe="recipe-0"), TIE_LIMITS)
        save_fingerprints(
            connection, pd.DataFrame({"image_id": [D], "status": "unreadable", "recipe": RECIPE}), TIE_LIMITS
        )
        save_alike(connection, [B], alike_pairs())
        new = fingerprints(connection, RECIPE, compared=False)
        known = fingerprints(connection, RECIPE, compared=True)
    assert (new["image_id"].tolist(), known["image_id"].tolist()) == ([A], [B])
    assert tuple(new.columns) == FINGERPRINT_COLUMNS
    assert {str(new[kind].dtype) for kind in ("ahash", "phash", "dhash", "whash", "colorhash")} == {"uint64"}
    assert new["phash"].tolist() == [2**63]


def test_fingerprints_come_in_parts_that_follow_on_each_other(catalog):
    with catalog.write() as connection:
        save_fingerprints(connection, hashed(D, B, A, C), TIE_LIMITS)
        assert fingerprints(connection, RECIPE, compared=False, limit=3)["image_id"].tolist() == [A, B, C]
        assert fingerprints(connection, RECIPE, compared=False, after=C, limit=3)["image_id"].tolist() == [D]
        assert fingerprints(connection, RECIPE, compared=False, after=D, limit=3).empty
        save_alike(connection, [D, A], alike_pairs())
        assert fingerprints(connection, RECIPE, compared=True, after=A, limit=1)["image_id"].tolist() == [D]


def test_pictures_are_counted_by_recipe_and_by_whether_they_were_compared(catalog):
    with catalog.write() as connection:
        save_fingerprints(connection, hashed(A, B), TIE_LIMITS)
        save_fingerprints(connection, hashed(C, recipe="recipe-0"), TIE_LIMITS)
        save_fingerprints(
            connection, pd.DataFrame({"image_id": [D], "status": "unreadable", "recipe": RECIPE}), TIE_LIMITS
        )
        assert compared_pictures(connection, RECIPE) == 0
        save_alike(connection, [A, C, D], alike_pairs())
        assert compared_pictures(connection, RECIPE) == 1
        assert readable_pictures(connection, RECIPE, [A, B, C, D, "e"]) == 2
        assert readable_pictures(connection, RECIPE, []) == 0


def test_how_pictures_lie_in_each_other_is_kept_with_the_pair(catalog):
    with catalog.write() as connection:
        save_alike(connection, [A, B], alike_pairs((A, B)))
        kept = table(connection, alike)
    columns = ["matched_points", "common_area", "other_common_area", "lead"]
    assert kept[columns].to_numpy().tolist() == alike_pairs((A, B))[columns].to_numpy().tolist()


def test_comparing_a_picture_again_replaces_its_pairs_on_either_side_and_no_others(catalog):
    with catalog.write() as connection:
        save_alike(connection, [A, B, C, D], alike_pairs((A, B), (B, C), (C, D)))
        save_alike(connection, [B], alike_pairs((B, D), same_photo=0.5))
        found = table(connection, alike)
        near = alike_of(connection, pd.Series([D, D]))
    assert found[["image_id", "other_image_id"]].to_numpy().tolist() == [[B, D], [C, D]]
    assert tuple(near.columns) == NEAR_DUPLICATE_COLUMNS
    assert sorted(near["image_id"]) == [B, C]
    assert near["distance_phash"].dtype == "float64"


def test_matching_facts_hold_everything_about_the_pictures_concerned_and_nothing_else(catalog):
    with catalog.write() as connection:
        insert(connection, sightings, sights((A, 1, 1, 0), (B, 2, 2, 1), (C, 3, 3, 2), (B, 4, 4, 3)))
        save_alike(connection, [A, B, C], alike_pairs((A, B)))
        account = {"seller_key": [2, 3], "observed_at": day(0), "marketplace": "m", "seller_id": "s", "content_id": "c"}
        insert(connection, sellers, pd.DataFrame(account))
        deny_pairs(connection, different_pairs((C, A), (C, D), known_on=1))
        facts = matching_facts(connection, [1])
        nothing = matching_facts(connection, [99])
    assert facts.own["image_id"].tolist() == [A]
    assert sorted(facts.sightings["listing_key"]) == [1, 2, 4]
    assert facts.sellers["seller_key"].tolist() == [2]
    assert facts.different[["image_id", "other_image_id"]].to_numpy().tolist() == [[A, C]]
    for read in (facts, nothing):
        frames = (read.own, read.alike, read.sightings, read.sellers)
        names = (SIGHTING_COLUMNS, NEAR_DUPLICATE_COLUMNS, SIGHTING_COLUMNS, SELLER_COLUMNS)
        assert [tuple(frame.columns) for frame in frames] == list(names)
    pd.testing.assert_series_equal(nothing.alike.dtypes, facts.alike.dtypes)
    assert nothing.different.dtypes.to_dict() == facts.different.dtypes.to_dict()
    assert earlier_sightings(nothing.own, nothing.alike, nothing.sightings, nothing.sellers, nothing.different).empty


def test_match_facts_are_replaced_and_their_sightings_done(catalog):
    with catalog.write() as connection:
        insert(connection, sightings, sights((A, 1, 1, 0), (A, 2, 2, 1), (A, 3, 3, 2)))
        assert unmatched_listings(connection) == [1, 2, 3]
        match_all(connection)
        assert unmatched_listings(connection) == []
        assert table(connection, matches)[["listing_key", "other_listing_key"]].to_numpy().tolist() == [[2, 1], [3, 1]]
        save_matches(connection, [3], pd.DataFrame(columns=list(MATCH_COLUMNS)), TIE_LIMITS)
        assert table(connection, matches)["listing_key"].tolist() == [2]


def test_an_earlier_sighting_that_is_loaded_later_reopens_the_later_ones_and_only_these(catalog):
    with catalog.write() as connection:
        save_alike(connection, [A, B, C], alike_pairs((A, B)))
        insert(connection, sightings, sights((A, 1, 1, 5), (A, 2, 2, 2), (B, 3, 3, 6), (C, 4, 4, 9)))
        match_all(connection)
        insert(connection, sightings, sights((B, 5, 5, 4)))
        assert reopen_later(connection) == 2
        assert unmatched_listings(connection) == [1, 3, 5]
        match_all(connection)
        found = table(connection, matches).set_index(["listing_key", "other_image_id"])["other_listing_key"]
    assert found.to_dict() == {(1, A): 2, (1, B): 5, (3, A): 2, (3, B): 5, (5, A): 2}


def group_of(connection, seller: int, since: float, group: str | None) -> None:
    """Let an account's group become known, with effect from a day on."""
    version = {"seller_key": [seller], "observed_at": day(since), "group_id": pd.Series([group], dtype=TEXT)}
    names = {"marketplace": "m", "seller_id": str(seller), "content_id": f"{seller} {since} {group}"}
    insert(connection, sellers, pd.DataFrame(version | names))
    reopen_accounts(connection, pd.DataFrame(version))


@pytest.mark.parametrize("accounts", list(itertools.permutations([(1, "g"), (2, "g"), (3, "h")])))
def test_accounts_that_turn_out_to_be_one_business_have_not_copied_from_each_other(catalog, accounts):
    with catalog.write() as connection:
        insert(connection, sightings, sights((A, 10, 1, 0), (A, 20, 2, 1), (A, 30, 3, 2)))
        match_all(connection)
        for seller, group in accounts:
            group_of(connection, seller, 0, group)
            match_all(connection)
        found = table(connection, matches)
    assert found[["listing_key", "other_listing_key"]].to_numpy().tolist() == [[30, 10]]


def test_a_group_counts_from_its_day_on_and_reopens_nothing_before(catalog):
    with catalog.write() as connection:
        insert(connection, sightings, sights((A, 10, 1, 0), (A, 20, 2, 1), (A, 30, 2, 5)))
        match_all(connection)
        group_of(connection, 1, 0, "g")
        match_all(connection)
        group_of(connection, 2, 3, "g")
        assert unmatched_listings(connection) == [30]
        match_all(connection)
        assert table(connection, matches)["listing_key"].tolist() == [20]
        group_of(connection, 3, 0, None)
        assert unmatched_listings(connection) == []


def test_without_anything_new_nothing_is_reopened(catalog):
    with catalog.write() as connection:
        assert reopen_later(connection) == 0
        insert(connection, sightings, sights((A, 1, 1, 0), (A, 2, 2, 1)))
        assert match_all(connection) == 0
        assert reopen_later(connection) == 0


def test_a_sighting_that_was_posted_earlier_but_comes_later_reopens_those_it_may_accuse_and_only_these(catalog):
    with catalog.write() as connection:
        save_alike(connection, [A, B, C], alike_pairs((A, B)))
        early, alike_one, copy, foreign = (A, 1, 1, 1, 1), (B, 2, 2, 5, 5), (A, 3, 3, 6, 6), (C, 4, 4, 9, 9)
        insert(connection, sightings, sights(early, alike_one, copy, foreign))
        match_all(connection)
        insert(connection, sightings, sights((B, 5, 5, 20, 4)))
        assert reopen_later(connection) == 1
        assert unmatched_listings(connection) == [2, 5]
        match_all(connection)
        found = table(connection, matches).set_index(["listing_key", "other_image_id"])["other_listing_key"]
        assert found.to_dict() == {(2, A): 1, (2, B): 5, (3, A): 1, (3, B): 2, (5, A): 1, (5, B): 2}
        # All are spoken for by somebody who was known sooner.
        insert(connection, sightings, sights((B, 6, 6, 30, 3)))
        assert reopen_later(connection) == 0


sighting = st.tuples(st.sampled_from([A, B, C]), st.integers(1, 6), st.integers(0, 4), st.integers(0, 4))


@settings(
    deadline=None,
    max_examples=often(in_full=25, otherwise=10),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(
    rows=st.lists(sighting, max_size=12, unique_by=lambda row: row[:2]), cuts=st.lists(st.integers(0, 12), max_size=2)
)
def test_loading_bit_by_bit_in_any_order_ends_in_the_facts_of_loading_all_at_once(catalog, rows, cuts):
    # A listing belongs to one seller: three sellers, two listings each.
    every = sights(*((picture, listing, listing % 3, *times) for picture, listing, *times in rows))
    pairs = alike_pairs((A, B))
    edges = sorted({0, len(every), *(cut for cut in cuts if cut < len(every))})
    with catalog.write() as connection:
        for each in (sightings, alike, matches, images):
            connection.execute(each.delete())
        known: set[str] = set()
        for start, stop in itertools.pairwise(edges):
            part = every.iloc[start:stop]
            new = set(part["image_id"]) - known
            known |= new
            insert(connection, sightings, part)
            save_alike(connection, sorted(new), pairs if {A, B} <= known and new & {A, B} else pairs.iloc[:0])
            match_all(connection)
        found = table(connection, matches)[list(MATCH_COLUMNS)]
    accounts = pd.DataFrame({name: [] for name in SELLER_COLUMNS})
    accounts = accounts.astype({"seller_key": "int64", "observed_at": TIME, "group_id": TEXT})
    expected = earlier_sightings(every, pairs if {A, B} <= set(every["image_id"]) else pairs.iloc[:0], every, accounts)
    by = ["listing_key", "image_id", "other_image_id"]
    pd.testing.assert_frame_equal(
        found.sort_values(by, ignore_index=True), expected.sort_values(by, ignore_index=True), check_dtype=False
    )
