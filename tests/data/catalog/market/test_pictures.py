"""From addresses to sightings: what is due, what it led to, and since when each picture was known where."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from data.catalog.database.frames import joined_ids, read_frame
from data.catalog.database.schema import fetches, images, sightings
from data.catalog.database.schema import listings as listings_table
from data.catalog.market.listings import save_listings
from data.catalog.market.loads import Load
from data.catalog.market.pictures import (
    due_fetches,
    pending_pictures,
    read_fetches,
    save_fetches,
    save_fingerprints,
    sight_known_pictures,
)
from data.images.fetch_outcome import Reason
from features.point_in_time.ring_features import TIE_LIMITS
from tests.data.catalog.rows import RECIPE, day, fetch_all, hashed, listings, moment, outcomes

FIRST = Load("first", moment(100), first_bulk=True)
ONE, TWO, THREE = (f"https://p.example/{number}" for number in (1, 2, 3))


def load_at(number: float) -> Load:
    return Load(f"load-{number}", moment(number), first_bulk=False)


def add(catalog, load: Load, *rows: dict[str, object]) -> None:
    with catalog.write() as connection:
        save_listings(connection, load, listings(*rows))


def fetch(catalog, load: Load, pictures: dict[str, str]) -> None:
    with catalog.write() as connection:
        fetch_all(connection, load, pictures)


def due(catalog, at: float, max_attempts: int = 3) -> list[str]:
    with catalog.read() as connection:
        return sorted(due_fetches(connection, moment(at), max_attempts)["image_url"])


def ask(
    catalog, load: Load, urls: list[str], pictures: dict[str, str], otherwise: Reason = Reason.TIMEOUT, **told
) -> None:
    with catalog.write() as connection:
        asked = read_fetches(connection, joined_ids(urls))
        save_fetches(connection, load, outcomes(asked, pictures, otherwise).assign(**told))


def seen(catalog) -> set[tuple[object, ...]]:
    """All sightings: picture, listing, when known, position."""
    columns = (sightings.c.image_id, listings_table.c.listing_id, sightings.c.observed_at, sightings.c.position)
    query = select(*columns).join(listings_table, listings_table.c.listing_key == sightings.c.listing_key).distinct()
    with catalog.read() as connection:
        return set(read_frame(connection, query).itertuples(index=False, name=None))


def test_new_addresses_are_due_until_they_are_asked(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE, TWO]})
    assert due(catalog, 100) == [ONE, TWO]
    ask(catalog, FIRST, [ONE], {ONE: "p1"})
    assert due(catalog, 100) == [TWO]


def test_a_failure_is_due_again_later_and_later_until_the_attempts_are_used_up(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE]})
    hour = 1 / 24
    at = 100.0
    for wait_hours in (0.25, 1.0):
        ask(catalog, load_at(at), [ONE], {})
        assert due(catalog, at + (wait_hours - 0.01) * hour) == []
        at += wait_hours * hour
        assert due(catalog, at) == [ONE]
        assert due(catalog, at, max_attempts=1) == []
    ask(catalog, load_at(at), [ONE], {})
    assert due(catalog, 10_000) == []


def test_a_server_may_ask_for_a_longer_wait(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE]})
    ask(catalog, load_at(100), [ONE], {}, Reason.RATE_LIMITED, retry_after_s=86_400.0)
    assert due(catalog, 100.9) == []
    assert due(catalog, 101) == [ONE]


@pytest.mark.parametrize("reason", [Reason.NOT_FOUND, Reason.PRIVATE_ADDRESS, Reason.TOO_LARGE])
def test_what_is_gone_or_refused_is_never_due_again_and_says_why(catalog, reason):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE]})
    ask(catalog, FIRST, [ONE], {}, reason)
    assert due(catalog, 10_000) == []
    with catalog.read() as connection:
        row = read_frame(connection, select(fetches)).iloc[0]
    assert (row["status"], row["reason"], row["attempts"]) == (reason.status.value, reason.value, 1)
    assert pd.isna(row["image_id"])


def test_a_picture_that_came_with_its_load_was_known_when_the_listing_was(catalog):
    add(
        catalog,
        FIRST,
        {"listing_id": "a", "image_urls": [ONE]},
        {"listing_id": "b", "observed_at": day(7), "image_urls": [TWO, ONE]},
    )
    fetch(catalog, FIRST, {ONE: "p1", TWO: "p2"})
    assert seen(catalog) == {("p1", "a", day(0), 0), ("p2", "b", day(7), 0), ("p1", "b", day(7), 1)}


def test_an_interrupted_load_that_goes_on_gives_the_same_sightings(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE, TWO]})
    ask(catalog, FIRST, [ONE], {ONE: "p1"})
    fetch(catalog, Load("first", moment(120), first_bulk=True), {ONE: "p1", TWO: "p2"})
    assert seen(catalog) == {("p1", "a", day(0), 0), ("p2", "a", day(0), 1)}


def test_a_picture_got_only_by_a_later_load_was_not_known_before_it(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE]})
    fetch(catalog, FIRST, {})
    assert seen(catalog) == set()
    fetch(catalog, load_at(130), {ONE: "p1"})
    assert seen(catalog) == {("p1", "a", day(130), 0)}


def test_nor_was_it_where_the_later_load_brings_the_address_again(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE]})
    fetch(catalog, FIRST, {})
    add(catalog, load_at(130), {"listing_id": "b", "observed_at": day(20), "image_urls": [ONE]})
    fetch(catalog, load_at(130), {ONE: "p1"})
    assert seen(catalog) == {("p1", "a", day(130), 0), ("p1", "b", day(130), 0)}


def test_a_known_picture_in_a_later_load_is_sighted_without_being_asked_for(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE]})
    fetch(catalog, FIRST, {ONE: "p1"})
    add(catalog, load_at(130), {"listing_id": "b", "image_urls": [TWO, ONE]})
    assert due(catalog, 130) == [TWO]
    with catalog.write() as connection:
        sight_known_pictures(connection, load_at(130))
        sight_known_pictures(connection, load_at(130))
    assert seen(catalog) == {("p1", "a", day(0), 0), ("p1", "b", day(130), 1)}


@pytest.mark.parametrize("order", [(ONE, TWO), (TWO, ONE)])
def test_one_picture_under_two_addresses_counts_at_the_first_whichever_comes_first(catalog, order):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE, TWO]})
    for url in order:
        ask(catalog, FIRST, [url], {url: "p1"})
    assert seen(catalog) == {("p1", "a", day(0), 0)}


@pytest.mark.parametrize("days", [(5, 20), (20, 5)])
def test_versions_of_a_listing_may_come_in_any_order(catalog, days):
    for day_number in days:
        load = load_at(100 + day_number)
        add(
            catalog, load, {"listing_id": "a", "observed_at": day(day_number), "image_urls": [ONE], "price": day_number}
        )
        with catalog.write() as connection:
            sight_known_pictures(connection, load)
            fetch_all(connection, load, {ONE: "p"} if day_number == days[0] else {})
    assert seen(catalog) == {("p", "a", day(5), 0)}


def test_a_sighting_that_turns_out_to_be_older_is_to_be_matched_again(catalog):
    add(catalog, load_at(50), {"listing_id": "a", "image_urls": [ONE]})
    fetch(catalog, load_at(50), {ONE: "p1"})
    with catalog.write() as connection:
        connection.execute(sightings.update().values(matched=1))
    add(catalog, load_at(60), {"listing_id": "a", "observed_at": day(40), "title": "old", "image_urls": [TWO]})
    fetch(catalog, load_at(60), {TWO: "p1"})
    assert seen(catalog) == {("p1", "a", day(40), 0)}
    with catalog.read() as connection:
        assert connection.execute(select(sightings.c.matched)).scalars().all() == [0]


def test_a_listings_first_version_says_when_it_was_created_and_by_whom(catalog):
    add(
        catalog,
        FIRST,
        {"listing_id": "a", "created_at": day(3), "observed_at": day(4), "image_urls": [ONE]},
        {"listing_id": "a", "observed_at": day(9), "created_at": day(8), "image_urls": [ONE]},
    )
    fetch(catalog, FIRST, {ONE: "p1"})
    with catalog.read() as connection:
        row = read_frame(connection, select(sightings)).iloc[0]
        seller = connection.execute(select(listings_table.c.seller_key).distinct()).scalar_one()
    assert (row["created_at"], row["observed_at"], row["seller_key"], row["matched"]) == (day(3), day(4), seller, 0)


def posted(catalog) -> dict[str, pd.Timestamp]:
    with catalog.read() as connection:
        return read_frame(connection, select(sightings)).set_index("image_id")["created_at"].to_dict()


def test_a_picture_put_into_an_old_listing_is_not_as_old_as_the_listing(catalog):
    add(
        catalog,
        FIRST,
        {"listing_id": "a", "created_at": day(3), "image_urls": [ONE]},
        {"listing_id": "a", "created_at": day(3), "observed_at": day(9), "image_urls": [ONE, TWO]},
    )
    fetch(catalog, FIRST, {ONE: "p1", TWO: "p2"})
    assert posted(catalog) == {"p1": day(3), "p2": day(9)}


def test_neither_is_one_that_took_the_place_of_another_behind_its_address(catalog):
    add(catalog, FIRST, {"listing_id": "a", "created_at": day(3), "image_urls": [ONE]})
    fetch(catalog, FIRST, {ONE: "p1"})
    ask(catalog, load_at(120), [ONE], {ONE: "p2"})
    assert posted(catalog) == {"p1": day(3), "p2": day(120)}


def test_one_that_was_only_got_late_is(catalog):
    add(catalog, FIRST, {"listing_id": "a", "created_at": day(3), "image_urls": [ONE]})
    fetch(catalog, FIRST, {})
    ask(catalog, load_at(120), [ONE], {ONE: "p1"})
    assert posted(catalog) == {"p1": day(3)}


def test_pictures_without_a_fingerprint_of_the_recipe_are_pending(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE, TWO, THREE]})
    fetch(catalog, FIRST, {ONE: "p1", TWO: "p2", THREE: "p3"})
    unreadable = {"image_id": ["p2"], "status": "unreadable", "reason": "truncated", "recipe": RECIPE}
    with catalog.write() as connection:
        assert pending_pictures(connection, RECIPE) == ["p1", "p2", "p3"]
        save_fingerprints(connection, hashed("p1"), TIE_LIMITS)
        save_fingerprints(connection, pd.DataFrame(unreadable), TIE_LIMITS)
        assert pending_pictures(connection, RECIPE) == ["p3"]
        assert pending_pictures(connection, "recipe-0") == ["p1", "p2", "p3"]


def test_a_new_fingerprint_takes_the_place_of_the_old_and_is_compared_anew(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE]})
    fetch(catalog, FIRST, {ONE: "p1"})
    with catalog.write() as connection:
        save_fingerprints(connection, hashed("p1"), TIE_LIMITS)
        connection.execute(images.update().values(compared=1))
        save_fingerprints(connection, hashed("p1", recipe="recipe-2").assign(phash=np.uint64(2**64 - 1)), TIE_LIMITS)
        row = read_frame(connection, select(images)).iloc[0]
    assert (row["recipe"], row["phash"], row["compared"], row["status"]) == ("recipe-2", 2**64 - 1, 0, "hashed")


def test_a_host_that_was_not_asked_has_used_up_no_attempt(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE, TWO]})
    ask(catalog, FIRST, [ONE], {}, Reason.CONNECT, asked=False)
    ask(catalog, FIRST, [TWO], {}, Reason.CONNECT)
    assert due(catalog, 101, max_attempts=1) == [ONE]


def due_again(catalog, at: float, after_days: float) -> list[str]:
    with catalog.read() as connection:
        return sorted(due_fetches(connection, moment(at), 3, revalidate_after_days=after_days)["image_url"])


def row_of(catalog, url: str) -> pd.Series:
    with catalog.read() as connection:
        return read_frame(connection, select(fetches).where(fetches.c.image_url == url)).iloc[0]


def test_a_picture_from_the_web_is_due_again_at_the_age_that_is_set_and_never_by_default(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE, TWO, "photos/3.jpg"]})
    ask(catalog, FIRST, [ONE, "photos/3.jpg"], {ONE: "p1", "photos/3.jpg": "p3"})
    ask(catalog, FIRST, [TWO], {}, Reason.NOT_FOUND)
    assert due(catalog, 10_000) == []
    assert due_again(catalog, 106.9, 7) == []
    assert due_again(catalog, 107, 7) == [ONE]


@pytest.mark.parametrize(
    ("reason", "picture"),
    [(Reason.UNCHANGED, "p1"), (Reason.FETCHED, "p1"), (Reason.TIMEOUT, None), (Reason.NOT_FOUND, None)],
)
def test_asking_again_without_another_picture_changes_nothing_but_when_it_was_asked(catalog, reason, picture):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE]})
    ask(catalog, FIRST, [ONE], {ONE: "p1"}, etag="v1")
    before, sighted = row_of(catalog, ONE), seen(catalog)
    ask(catalog, load_at(130), [ONE], {}, reason, image_id=picture, etag="v2")
    after = row_of(catalog, ONE)
    assert after["fetched_at"] == moment(130)
    pd.testing.assert_series_equal(after.drop("fetched_at"), before.drop("fetched_at"))
    assert seen(catalog) == sighted
    assert due_again(catalog, 131, 7) == []


def test_another_picture_behind_an_address_is_known_from_then_on_and_the_old_one_stays_seen(catalog):
    add(catalog, FIRST, {"listing_id": "a", "image_urls": [ONE]})
    ask(catalog, FIRST, [ONE], {ONE: "p1"}, etag="v1")
    ask(catalog, load_at(130), [ONE], {ONE: "p2"}, etag="v2")
    assert seen(catalog) == {("p1", "a", day(0), 0), ("p2", "a", day(130), 0)}
    row = row_of(catalog, ONE)
    assert (row["image_id"], row["etag"], row["known_at"], row["attempts"]) == ("p2", "v2", day(130), 1)
    add(catalog, load_at(140), {"listing_id": "b", "observed_at": day(20), "image_urls": [ONE]})
    with catalog.write() as connection:
        sight_known_pictures(connection, load_at(140))
        assert pending_pictures(connection, RECIPE) == ["p1", "p2"]
    assert seen(catalog) == {("p1", "a", day(0), 0), ("p2", "a", day(130), 0), ("p2", "b", day(130), 0)}


def test_asking_nothing_changes_nothing(catalog):
    with catalog.write() as connection:
        sight_known_pictures(connection, FIRST)
        assert due_fetches(connection, moment(1), 3).empty
        assert read_fetches(connection, []).empty
    assert seen(catalog) == set()
