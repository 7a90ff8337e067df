"""Texts wait to be read, and are found again by what they share with others."""

from __future__ import annotations

import time

import pandas as pd
from sqlalchemy import select

from data.catalog.database.frames import insert, read_frame
from data.catalog.database.schema import TEXT_BANDS, texts
from data.catalog.market.listings import save_listings
from data.catalog.market.loads import Load
from data.catalog.market.texts import EARLIEST_SELLERS, TEXT, save_texts, texts_like, unread_texts
from features.facts import TEXT_COLUMNS
from features.point_in_time.listing_features import BANDS, COMMON_TEXT_SELLERS
from tests.data.catalog.rows import TIME, day, listings, moment

LOAD = Load("load", moment(100), first_bulk=True)


def shown(*rows):
    """Texts that were read: (listing, seller, day, bands)."""
    keys = pd.DataFrame([row[:3] for row in rows], columns=["listing_key", "seller_key", "observed_at"])
    keys["observed_at"] = pd.Series([day(on) for on in keys["observed_at"]], dtype=TIME)
    bands = pd.DataFrame([row[3] for row in rows], columns=list(TEXT_BANDS)).astype("Int64")
    return pd.concat([keys, bands], axis="columns").assign(hashed=1)


def like(catalog, *listing_keys):
    with catalog.read() as connection:
        found = texts_like(connection, list(listing_keys))
    return found.sort_values(list(TEXT), ignore_index=True)


def test_the_names_are_those_that_features_know():
    assert (TEXT_BANDS, TEXT) == (BANDS, TEXT_COLUMNS)
    assert EARLIEST_SELLERS >= COMMON_TEXT_SELLERS + 2


def test_every_new_version_waits_to_be_read_once(catalog):
    first = {"listing_id": "a", "title": "chair", "description": "of oak"}
    with catalog.write() as connection:
        save_listings(connection, LOAD, listings(first, {"listing_id": "b"}))
        waiting = unread_texts(connection, 10)
        read = waiting[["listing_key", "observed_at", "seller_key"]].assign(**dict.fromkeys(BANDS, 7))
        save_texts(connection, read.assign(goods=5, price=2.0))
        assert unread_texts(connection, 10).empty
        save_listings(connection, LOAD, listings(first, first | {"observed_at": day(3), "title": "old chair"}))
        assert unread_texts(connection, 10)["title"].tolist() == ["old chair"]
        kept = read_frame(connection, select(texts).order_by(texts.c.hashed))
    assert sorted(waiting["description"].dropna()) == ["of oak"]
    assert kept["hashed"].tolist() == [0, 1, 1]
    assert kept["band_4"].isna().tolist() == [True, False, False]


def test_texts_that_share_a_band_are_found_with_who_showed_it_first(catalog):
    rows = shown(
        (10, 1, 0, (5, 6, 7, 8)), (11, 1, 3, (5, 6, 7, 8)), (20, 2, 1, (5, 0, 0, 0)), (30, 3, 2, (-9, 6, -9, -9)),
        (40, 4, 4, (None,) * 4),
    )  # fmt: skip
    with catalog.write() as connection:
        insert(connection, texts, rows)
    found = like(catalog, 11, 40)
    assert tuple(found.columns) == TEXT
    expected = [(5, 1, 0), (5, 2, 1), (6, 1, 0), (6, 3, 2)]
    assert found[["listing_key", "observed_at", "seller_key"]].drop_duplicates().to_numpy().tolist() == [
        [11, day(3), 1]
    ]
    assert found[["band", "other_seller_key", "other_observed_at"]].to_numpy().tolist() == [
        [band, seller, day(on)] for band, seller, on in expected
    ]
    assert like(catalog, 40).empty
    assert found.dtypes.equals(like(catalog, 40).dtypes)


def test_what_nobody_else_shows_is_not_told(catalog):
    with catalog.write() as connection:
        insert(connection, texts, shown((10, 1, 0, (5, 6, 7, 8)), (11, 1, 3, (5, 6, 7, 8))))
    assert like(catalog, 10, 11).empty


def test_of_a_text_of_thousands_the_first_sellers_are_told(catalog):
    rows = [(seller, seller, (5000 - seller) / 100, (5, 6, 7, 8)) for seller in range(1, 5001)]
    with catalog.write() as connection:
        insert(connection, texts, shown(*rows))
    begun = time.process_time()
    found = like(catalog, 1)
    assert time.process_time() - begun < 2
    assert sorted(found["other_seller_key"].unique()) == list(range(5001 - EARLIEST_SELLERS, 5001))
    assert len(found) == EARLIEST_SELLERS * len(BANDS)
