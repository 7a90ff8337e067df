"""What is read of the photos that sellers took: bounded, and the same for one seller as for all of them."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
from sqlalchemy import select

from data.catalog.database.frames import insert, read_frame
from data.catalog.database.schema import sightings, taken
from data.catalog.market.matches import save_matches
from data.catalog.market.photo_ties import TAKEN, note_all_taken, taken_around
from data.catalog.market.pictures import forget_pictures, save_fingerprints
from features.facts import TAKEN_COLUMNS
from features.point_in_time.ring_features import MOST_PHOTOS, MOST_TAKERS, RARE_SELLERS, TIE_LIMITS, ring_block
from tests.data.catalog.rows import DISTANCES, TEXT, TIME, day, hashed
from tests.features.point_in_time.worlds import Market

VICTIM = 1
MATCH = {
    "listing_key": "int64", "image_id": TEXT, "other_image_id": TEXT, "seller_key": "int64", "observed_at": TIME,
    "other_listing_key": "int64", "other_seller_key": "int64", "other_observed_at": TIME, "other_created_at": TIME,
    **dict.fromkeys(DISTANCES, "float64"), "edit": TEXT, "same_photo": "float64", "sellers_sharing": "int64",
    "sightings": "int64",
}  # fmt: skip


def took(seller, picture, on, *, victim=VICTIM, listing=None, image=None, victim_on=0.0, **said):
    """A match: a seller shows a picture that a victim had shown before."""
    row = {
        "listing_key": 10_000 + seller if listing is None else listing, "image_id": image or picture,
        "other_image_id": picture, "seller_key": seller, "observed_at": day(on), "other_listing_key": victim,
        "other_seller_key": victim, "other_observed_at": day(victim_on), "other_created_at": day(0), "edit": "none",
        "same_photo": 1.0, "sellers_sharing": 1, "sightings": 1, **dict.fromkeys(DISTANCES, 0.0),
    }  # fmt: skip
    return row | said


def keep(connection, *rows, flat=()):
    frame = pd.DataFrame(list(rows), columns=list(MATCH)).astype(MATCH)
    pictures = hashed(*frame["image_id"].unique())
    pictures["information"] = np.where(pictures["image_id"].isin(flat), 0.1, 5.0)
    save_fingerprints(connection, pictures, TIE_LIMITS)
    save_matches(connection, frame["listing_key"].tolist(), frame, TIE_LIMITS)


def around(catalog, *sellers):
    with catalog.read() as connection:
        return taken_around(connection, list(sellers), TIE_LIMITS).sort_values(
            ["known_at", "seller_key"], ignore_index=True
        )


def pairs(taken):
    return set(zip(taken["seller_key"], taken["other_image_id"], strict=True))


def test_takers_of_a_sellers_photos_are_read_and_what_else_these_took(catalog):
    with catalog.write() as connection:
        keep(
            connection,
            took(2, "a", 1),
            took(3, "a", 2),
            took(3, "b", 3),
            took(4, "b", 4),
            took(4, "c", 5),
            took(9, "z", 6),
        )
    found = around(catalog, 2)
    assert tuple(found.columns) == TAKEN == TAKEN_COLUMNS
    assert pairs(found) == {(2, "a"), (3, "a"), (3, "b"), (4, "b"), (4, "c")}
    assert around(catalog, VICTIM).empty


def test_a_photo_is_taken_once_and_known_when_both_sides_are(catalog):
    again = took(2, "a", 5, listing=77)
    with catalog.write() as connection:
        keep(connection, again, took(2, "a", 2, victim_on=3), took(3, "a", 1, image="b", sellers_sharing=2))
    found = around(catalog, 2)
    assert found[["seller_key", "known_at", "sellers_showing"]].to_numpy().tolist() == [[3, day(1), 2], [2, day(3), 1]]


def test_how_many_had_shown_a_photo_counts_the_first_posters_known_by_then(catalog):
    copies = [took(2, f"c{number}", 4, victim=20 + number, image="b", victim_on=number) for number in range(7)]
    with catalog.write() as connection:
        keep(connection, *copies, took(3, "c0", 9))
    found = around(catalog, 3).set_index("seller_key")["sellers_showing"]
    # Four were known when the photo was first shown; those observed later came to it one by one.
    assert found.to_dict() == {2: 5, 3: 1}


def test_mere_likeness_and_empty_pictures_are_left_out(catalog):
    with catalog.write() as connection:
        keep(connection, took(2, "a", 1), took(3, "a", 2, image="x"), took(4, "a", 3, same_photo=0.4), flat=["x"])
    assert pairs(around(catalog, 2)) == {(2, "a")}


def test_a_placeholder_of_thousands_is_read_by_its_first_takers_alone(catalog):
    rows = [took(seller, "p", seller / 100, sellers_sharing=seller - 1) for seller in range(2, 5002)]
    rows += [took(seller, f"own {seller}", seller / 100, listing=20_000 + seller) for seller in range(2, 60)]
    with catalog.write() as connection:
        keep(connection, *rows)
    begun = time.process_time()
    found = around(catalog, 40)
    assert time.process_time() - begun < 2
    assert pairs(found) == {(40, "own 40")}
    first = around(catalog, 2)
    assert first["other_image_id"].eq("p").sum() == MOST_TAKERS + 1
    sizes = ring_sizes(around(catalog, *range(2, 60)), range(2, 60))
    assert sizes.tolist() == [*range(RARE_SELLERS), *[0] * (58 - RARE_SELLERS)]


def test_of_a_hub_the_earliest_photos_are_read(catalog):
    with catalog.write() as connection:
        keep(connection, *(took(2, f"p{number:03}", number, listing=number) for number in range(90)))
    found = around(catalog, 2)
    assert found["other_image_id"].tolist() == [f"p{number:03}" for number in range(MOST_PHOTOS)]


def ring_sizes(taken, sellers, on=1000.0):
    asked = pd.DataFrame({"seller_key": list(sellers)}).assign(as_of=day(on)).astype({"as_of": TIME})
    market = Market()
    for seller in range(8, 42, 3):
        market.seller(seller, 10, group="one business")
    facts = replace(market.facts(), taken=taken)
    return ring_block(asked, facts).set_axis(asked["seller_key"], axis="index")["ring_sellers"]


def drawn(seed, n_rows):
    """Sellers and photos of all degrees: some photos of many, some sellers of many photos, some victims that take."""
    random = np.random.default_rng(seed)
    sellers = 2 + (40 * random.random(n_rows) ** 2).astype(int)
    photos = (150 * random.random(n_rows) ** 1.5).astype(int)
    times = np.sort(random.integers(1, 40, n_rows))
    shown = random.integers(1, 7, n_rows)
    rows = zip(sellers.tolist(), photos.tolist(), times.tolist(), shown.tolist(), strict=True)
    return [
        took(seller, f"p{photo:03}", on, victim=2 + photo % 45, listing=place, sellers_sharing=sharing)
        for place, (seller, photo, on, sharing) in enumerate(rows)
        if seller != 2 + photo % 45
    ]


def test_a_seller_asked_alone_gets_the_ring_it_gets_among_all(catalog):
    with catalog.write() as connection:
        keep(connection, *drawn(seed=3, n_rows=400))
    sellers = list(range(2, 42))
    whole = ring_sizes(around(catalog, *sellers), sellers)
    alone = [ring_sizes(around(catalog, seller), [seller]).iloc[0] for seller in sellers[::4]]
    assert alone == whole.iloc[::4].tolist()
    assert whole.nunique() > 3


def test_what_is_taken_later_changes_no_ring_of_the_past(catalog):
    rows = drawn(seed=4, n_rows=400)
    half = [row for row in rows if row["observed_at"] <= day(20)]
    sellers = list(range(2, 42))
    with catalog.write() as connection:
        keep(connection, *half)
    then = ring_sizes(around(catalog, *sellers), sellers, on=20)
    with catalog.write() as connection:
        keep(connection, *(row for row in rows if row["observed_at"] > day(20)))
    assert ring_sizes(around(catalog, *sellers), sellers, on=20).equals(then)
    assert not ring_sizes(around(catalog, *sellers), sellers, on=40).equals(then)


def sighting(listing, picture):
    row = {"image_id": picture, "listing_key": listing, "seller_key": 2, "position": 0, "matched": 1}
    return pd.DataFrame([row | dict.fromkeys(("observed_at", "created_at"), day(1))])


def kept(connection):
    return read_frame(connection, select(taken).order_by(taken.c.seller_key, taken.c.other_image_id))


def test_what_is_kept_of_the_first_times_is_what_all_matches_say(catalog):
    random = np.random.default_rng(6)
    rows = drawn(seed=5, n_rows=300)
    with catalog.write() as connection:
        keep(connection, *rows)
        for _ in range(6):
            # Listings are matched again: some matches go, others come, some become likelier or are known later.
            listings = random.choice([row["listing_key"] for row in rows], 25, replace=False).tolist()
            again = [
                row | {"same_photo": random.choice([0.3, 1.0]), "sellers_sharing": int(random.integers(1, 7))}
                for row in rows
                if row["listing_key"] in listings and random.random() < 0.7
            ]
            frame = pd.DataFrame(again, columns=list(MATCH)).astype(MATCH)
            save_matches(connection, listings, frame, TIE_LIMITS)
            after = kept(connection)
            note_all_taken(connection, TIE_LIMITS)
            pd.testing.assert_frame_equal(after, kept(connection))
        assert len(after) > 50


def test_a_picture_that_turns_out_to_be_empty_or_unreadable_was_not_taken(catalog):
    with catalog.write() as connection:
        keep(connection, took(2, "a", 1), took(2, "b", 1, listing=5), took(2, "c", 1, listing=6), took(3, "c", 2))
        for listing, picture in ((10_002, "a"), (5, "b"), (6, "c"), (10_003, "c")):
            insert(connection, sightings, sighting(listing, picture))
        assert len(kept(connection)) == 4
        save_fingerprints(connection, hashed("a").assign(information=0.1), TIE_LIMITS)
        unreadable = {"image_id": ["b"], "status": "unreadable", "recipe": "recipe-1", "information": np.nan}
        save_fingerprints(connection, pd.DataFrame(unreadable), TIE_LIMITS)
        assert pairs(kept(connection)) == {(2, "c"), (3, "c")}
        save_fingerprints(connection, hashed("a"), TIE_LIMITS)
        forget_pictures(connection, ["c"], TIE_LIMITS)
        assert pairs(kept(connection)) == {(2, "a")}
