"""Pictures by the names people know: where each was seen, first at which listing, under which address."""

from __future__ import annotations

import pandas as pd

from data.catalog.market.listings import save_listings
from data.catalog.market.loads import Load
from data.catalog.market.matches import deny_pairs, save_alike
from data.catalog.market.photo_sightings import (
    one_photo,
    repeated_pictures,
    sightings_of,
    with_addresses,
    with_names,
)
from features.facts import NEAR_DUPLICATE_COLUMNS
from tests.data.catalog.rows import alike_pairs, day, different_pairs, fetch_all, listings, moment

FIRST = Load("first", moment(100), first_bulk=True)
PICTURES = {"https://p.example/1": "p1", "https://p.example/2": "p2", "https://p.example/3": "p1"}
ONE, TWO, AGAIN = PICTURES


def fill(connection, *rows):
    save_listings(connection, FIRST, listings(*rows))
    fetch_all(connection, FIRST, PICTURES)


def test_pairs_are_one_photo_from_a_probability_on_unless_somebody_denied_it(catalog):
    likely, unlikely = (
        alike_pairs(("b", "c"), ("a", "c"), ("a", "b"), same_photo=0.8),
        alike_pairs(("c", "d"), same_photo=0.7),
    )
    with catalog.write() as connection:
        save_alike(connection, ["a", "b", "c", "d"], pd.concat([likely, unlikely]))
        deny_pairs(connection, different_pairs(("c", "a"), ("x", "b"), known_on=3))
        found = {least: one_photo(connection, least) for least in (0.7, 0.8, 0.81)}
    pairs = {least: pairs[["image_id", "other_image_id"]].to_numpy().tolist() for least, pairs in found.items()}
    assert pairs == {0.7: [["a", "b"], ["b", "c"], ["c", "d"]], 0.8: [["a", "b"], ["b", "c"]], 0.81: []}
    assert all(tuple(frame.columns) == NEAR_DUPLICATE_COLUMNS for frame in found.values())


def test_a_picture_is_repeated_if_it_stood_in_several_listings(catalog):
    with catalog.write() as connection:
        fill(connection, {"listing_id": "a", "image_urls": [ONE, TWO]}, {"listing_id": "b", "image_urls": [AGAIN]})
        assert repeated_pictures(connection).tolist() == ["p1"]


def test_sightings_come_earliest_first_and_named_with_their_own_address(catalog):
    with catalog.write() as connection:
        fill(
            connection,
            {"listing_id": "late", "seller_id": "bob", "created_at": day(9), "image_urls": [TWO, AGAIN]},
            {"listing_id": "early", "seller_id": "ann", "created_at": day(2), "image_urls": [ONE]},
        )
        seen = with_addresses(connection, with_names(connection, sightings_of(connection, ["p1", "no such picture"])))
    columns = ["listing_id", "seller_id", "marketplace", "image_url", "position"]
    assert seen[columns].to_numpy().tolist() == [
        ["early", "ann", "default", ONE, 0],
        ["late", "bob", "default", AGAIN, 1],
    ]
    assert seen["observed_at"].tolist() == [day(2), day(9)]


def test_of_several_addresses_in_one_listing_the_first_is_named(catalog):
    with catalog.write() as connection:
        fill(connection, {"listing_id": "a", "image_urls": [AGAIN, ONE]})
        seen = with_addresses(connection, sightings_of(connection, ["p1"]))
    assert seen["image_url"].tolist() == [AGAIN]


def test_nothing_seen_makes_empty_frames_of_the_same_columns(catalog):
    with catalog.write() as connection:
        fill(connection, {"listing_id": "a", "image_urls": [ONE]})
        some, none = (
            with_addresses(connection, with_names(connection, sightings_of(connection, ids))) for ids in (["p1"], [])
        )
    assert len(none) == 0
    assert none.dtypes.to_dict() == some.dtypes.to_dict()
