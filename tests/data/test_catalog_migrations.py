"""A catalog of the first schema is brought up to date with everything it holds."""

from __future__ import annotations

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table, select, text

from data.catalog import engine, migrations
from data.catalog.engine import open_catalog, revision
from data.catalog.frames import read_frame, upsert
from data.catalog.images import pending_pictures, save_fingerprints
from data.catalog.migrations import HEAD
from data.catalog.sketches import sketches_of
from data.catalog.tables import images, metadata
from tests.data.rows import RECIPE, hashed, sketched

NEW = {"sketches", "untransposed_phash"}
FIRST_IMAGES = Table(
    "images",
    MetaData(),
    *(
        Column(column.name, column.type, primary_key=column.primary_key)
        for column in images.columns
        if column.name not in NEW
    ),
)


@pytest.fixture
def upgraded(catalog_url, monkeypatch):
    """A catalog that was made and filled with the first schema, and then opened with this one."""
    with monkeypatch.context() as then:
        for module in (migrations, engine):
            then.setattr(module, "HEAD", "0001")
        first = open_catalog(catalog_url)
        with first.write() as connection:
            upsert(connection, FIRST_IMAGES, hashed("p1", "p2", recipe="older").assign(compared=1))
            assert revision(connection) == "0001"
            assert not connection.dialect.has_table(connection, "sketches")
        first.close()
    opened = open_catalog(catalog_url)
    yield opened
    opened.close()


def test_it_has_the_tables_of_a_new_one(upgraded):
    with upgraded.read() as connection:
        assert revision(connection) == HEAD
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_its_pictures_are_there_and_wait_for_the_new_recipe(upgraded):
    with upgraded.read() as connection:
        found = read_frame(connection, select(images).order_by(images.c.image_id))
        assert pending_pictures(connection, "older") == []
        assert pending_pictures(connection, RECIPE) == ["p1", "p2"]
        assert sketches_of(connection, ["p1", "p2"], "older").image_id.tolist() == []
    assert found["phash"].tolist() == hashed("p1", "p2")["phash"].tolist()
    assert found["untransposed_phash"].isna().all()


def test_it_takes_fingerprints_with_sketches(upgraded):
    top_bit = np.uint64(2**63 + 1)
    with upgraded.write() as connection:
        save_fingerprints(connection, hashed("p1").assign(untransposed_phash=top_bit), sketched("p1"))
        assert pending_pictures(connection, RECIPE) == ["p2"]
        assert sketches_of(connection, ["p1", "p2"], RECIPE).image_id.tolist() == ["p1"]
        found = read_frame(connection, select(images).order_by(images.c.image_id))
    assert found["untransposed_phash"].astype(object).tolist()[0] == top_bit
    assert found["untransposed_phash"].isna().tolist() == [False, True]


def test_opening_it_again_changes_nothing(upgraded, catalog_url):
    with upgraded.read() as connection:
        before = read_frame(connection, select(images).order_by(images.c.image_id))
    open_catalog(catalog_url).close()
    with upgraded.read() as connection:
        assert read_frame(connection, select(images).order_by(images.c.image_id)).equals(before)
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1
