"""A catalog of the first schema is brought up to date with everything it holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table, select, text

from data.catalog.database import engine, migrations
from data.catalog.database.engine import open_catalog, revision
from data.catalog.database.frames import read_frame, upsert
from data.catalog.database.migrations import HEAD
from data.catalog.database.schema import alike, images, listings, metadata
from data.catalog.market.matches import alike_of, denied_pairs, deny_pairs, save_alike
from data.catalog.market.pictures import descriptors_of, pending_pictures, save_fingerprints
from data.catalog.market.texts import unread_texts
from features.point_in_time.ring_features import TIE_LIMITS
from tests.data.catalog.rows import RECIPE, alike_pairs, day, different_pairs, hashed, sketched

NEW = ("untransposed_phash", "matched_points", "common_area", "other_common_area", "lead")
NEW_TABLES = ("sketches", "different_photos", "texts")


def listing():
    """A version of a listing as it was loaded."""
    row = {
        "listing_key": 1, "observed_at": day(1), "marketplace": "m", "listing_id": "l", "seller_key": 2,
        "seller_id": "s", "created_at": day(0), "title": "chair", "content_id": "c",
    }  # fmt: skip
    return pd.DataFrame([row])


def first(table):
    """A table as the first schema had it."""
    columns = [
        Column(each.name, each.type, primary_key=each.primary_key) for each in table.columns if each.name not in NEW
    ]
    return Table(table.name, MetaData(), *columns)


@pytest.fixture
def upgraded(database_url, real_migrations, monkeypatch):
    """A catalog that was made and filled with the first schema, and then opened with this one."""
    with monkeypatch.context() as then:
        for module in (migrations, engine):
            then.setattr(module, "HEAD", "0001")
        old = open_catalog(database_url)
        with old.write() as connection:
            upsert(connection, first(images), hashed("p1", "p2", recipe="older").assign(compared=1))
            upsert(connection, first(alike), alike_pairs(("p1", "p2")).drop(columns=list(NEW[1:])))
            upsert(connection, first(listings), listing())
            assert revision(connection) == "0001"
            assert not any(connection.dialect.has_table(connection, name) for name in NEW_TABLES)
        old.close()
    opened = open_catalog(database_url)
    yield opened
    opened.close()


def test_it_has_the_tables_of_a_new_one(upgraded):
    with upgraded.read() as connection:
        assert revision(connection) == HEAD
        elsewhere = {"listings_past"} if connection.dialect.name == "postgresql" else {"claims"}
        opts = {"include_object": lambda _object, name, *_: name not in elsewhere}
        assert compare_metadata(MigrationContext.configure(connection, opts=opts), metadata) == []


def test_its_pictures_are_there_and_wait_for_the_new_recipe(upgraded):
    with upgraded.read() as connection:
        found = read_frame(connection, select(images).order_by(images.c.image_id))
        assert pending_pictures(connection, "older") == []
        assert pending_pictures(connection, RECIPE) == ["p1", "p2"]
        assert descriptors_of(connection, ["p1", "p2"], "older").image_id.tolist() == []
    assert found["phash"].tolist() == hashed("p1", "p2")["phash"].tolist()
    assert found["untransposed_phash"].isna().all()


def test_it_takes_fingerprints_with_sketches(upgraded):
    top_bit = np.uint64(2**63 + 1)
    with upgraded.write() as connection:
        save_fingerprints(connection, hashed("p1").assign(untransposed_phash=top_bit), TIE_LIMITS, sketched("p1"))
        assert pending_pictures(connection, RECIPE) == ["p2"]
        assert descriptors_of(connection, ["p1", "p2"], RECIPE).image_id.tolist() == ["p1"]
        found = read_frame(connection, select(images).order_by(images.c.image_id))
    assert found["untransposed_phash"].astype(object).tolist()[0] == top_bit
    assert found["untransposed_phash"].isna().tolist() == [False, True]


def test_its_pairs_are_there_and_say_nothing_of_how_they_lie(upgraded):
    with upgraded.read() as connection:
        found = read_frame(connection, select(alike))
        pairs = alike_of(connection, found["image_id"])
    assert pairs[["image_id", "other_image_id", "same_photo"]].to_numpy().tolist() == [["p1", "p2", 0.9]]
    assert found[list(NEW[1:])].isna().all(axis=None)


def test_it_takes_pairs_with_alignments_and_pairs_of_different_photos(upgraded):
    with upgraded.write() as connection:
        save_alike(connection, ["p1"], alike_pairs(("p1", "p2")))
        deny_pairs(connection, different_pairs(("p2", "p1"), known_on=2))
        found = read_frame(connection, select(alike))
        different = denied_pairs(connection, found["image_id"])
    assert found["matched_points"].tolist() == [40]
    assert found["lead"].tolist() == alike_pairs(("p1", "p2"))["lead"].tolist()
    assert different.to_numpy().tolist() == [["p1", "p2", day(2)]]


def test_its_texts_wait_to_be_read(upgraded):
    with upgraded.read() as connection:
        found = unread_texts(connection, 10)
    assert found[["listing_key", "observed_at", "seller_key", "title"]].to_numpy().tolist() == [[1, day(1), 2, "chair"]]


def test_opening_it_again_changes_nothing(upgraded, database_url):
    with upgraded.read() as connection:
        before = read_frame(connection, select(images).order_by(images.c.image_id))
    open_catalog(database_url).close()
    with upgraded.read() as connection:
        assert read_frame(connection, select(images).order_by(images.c.image_id)).equals(before)
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
