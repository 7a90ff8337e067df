"""How a catalog is, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from data.catalog.database.engine import open_catalog
from data.catalog.database.frames import insert
from data.catalog.database.migrations import HEAD
from data.catalog.database.schema import images
from data.catalog.health import SOUND, backlog, examine, is_made
from data.catalog.market.loads import begin_load, finish_load
from data.errors import CatalogError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_looking_at_a_database_without_tables_makes_none(database_url: str) -> None:
    assert examine(database_url).found is None
    assert examine(database_url).found is None


def test_an_open_catalog_is_up_to_date_and_sound(database_url: str) -> None:
    open_catalog(database_url).close()
    schema = examine(database_url)
    assert (schema.found, schema.expected, schema.integrity) == (HEAD, HEAD, SOUND)
    assert schema.journal == ("wal" if schema.backend == "sqlite" else None)
    assert is_made(database_url)


def test_only_pictures_of_another_recipe_are_stale_and_only_open_loads_unfinished(database_url: str) -> None:
    catalog = open_catalog(database_url)
    with catalog.write() as connection:
        begin_load(connection, "interrupted", NOW)
        finish_load(connection, begin_load(connection, "finished", NOW), NOW)
        recipes = {"image_id": ["a", "b", "c"], "recipe": ["ours", "older", None], "status": "hashed", "compared": 1}
        insert(connection, images, pd.DataFrame(recipes))
    with catalog.read() as connection:
        found = backlog(connection, "ours")
    catalog.close()
    assert (found.pictures, found.stale_pictures, found.unfinished_loads) == (3, 1, ["interrupted"])
    assert (found.listings, found.pending_fetches, found.failed_fetches) == (0, 0, {})


def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path) -> None:
    assert not is_made(f"sqlite:///{tmp_path / 'catalog.sqlite'}")


def test_a_file_that_is_no_database_is_an_outside_error(tmp_path) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(b"nothing like it " * 500)
    with pytest.raises(CatalogError):
        examine(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
