"""Texts are read where listings are loaded, and those that an older version left unread before scoring."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
from sqlalchemy import select

from data.catalog.database.frames import read_frame
from data.catalog.database.schema import listings, texts
from data.settings import load_settings
from features.point_in_time.feature_frame import build, moments_of
from models.serving.context import open_context
from models.serving.load_tables import Tables, load_tables, read_listing_texts
from models.serving.scoring.score_listings import describe

OAK = "a chair that my grandmother sat in; of oak; with two small scratches on the left side"
ROWS = (
    "a,ann,2026-01-01T00:00:00Z,,chair," + OAK,
    "b,bob,2026-01-02T00:00:00Z,,chair," + OAK,
    "c,cid,2026-01-03T00:00:00Z,,chair,short",
)


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setenv("SEENBEFORE_BATCH_ROWS", "2")
    table = tmp_path / "listings.csv"
    table.write_text("listing_id,seller_id,created_at,image_urls,title,description\n" + "\n".join(ROWS) + "\n")
    opened = open_context(load_settings(tmp_path / "home"))
    load_tables(opened, Tables(listings=str(table)), datetime(2026, 6, 1, tzinfo=UTC))
    yield opened
    opened.catalog.close()


def same_texts(context):
    with context.catalog.read() as connection:
        rows = read_frame(connection, select(listings.c.listing_key, listings.c.observed_at, listings.c.listing_id))
    moments = rows.rename(columns={"observed_at": "as_of"}).sort_values("listing_id", ignore_index=True)
    found, facts = describe(context, moments[["listing_key", "as_of"]])
    pd.testing.assert_frame_equal(found, build(moments, facts))
    assert len(moments_of(facts.listings, facts.sightings, facts.matches)) == len(ROWS)
    return found["same_text_sellers"].tolist()


def test_whoever_repeats_a_loaded_text_is_told_of(context):
    assert same_texts(context) == [0, 1, 0]
    assert read_listing_texts(context) == 0


def test_texts_left_unread_are_read_in_parts(context):
    with context.catalog.write() as connection:
        connection.execute(texts.update().values(hashed=0, band_1=None, band_2=None, band_3=None, band_4=None))
    assert same_texts(context) == [0, 0, 0]
    assert read_listing_texts(context) == len(ROWS)
    assert same_texts(context) == [0, 1, 0]
