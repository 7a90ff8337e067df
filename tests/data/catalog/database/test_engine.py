"""Opening a catalog, its schema, and its transactions, on both databases."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select, text

from data.catalog.database.engine import Catalog, open_catalog
from data.catalog.database.frames import insert, upsert
from data.catalog.database.migrations import HEAD
from data.catalog.database.schema import alike, metadata
from data.errors import CatalogError, SettingsError

OPEN = "import sys; from data.catalog.database.engine import open_catalog; open_catalog(sys.argv[1]).close()"

# PostgreSQL takes no entry as long as the texts of this index may be.
SQLITE_ONLY = {"listings_past"}
# SQLite has the claims in a file of their own.
POSTGRESQL_ONLY = {"claims"}


def differences(connection: Connection) -> list:
    """What the tables that stand lack against those that are declared, beside indexes meant for another database."""

    def meant_here(_, name: str | None, *__) -> bool:
        return name not in (POSTGRESQL_ONLY if connection.dialect.name == "sqlite" else SQLITE_ONLY)

    return compare_metadata(MigrationContext.configure(connection, opts={"include_object": meant_here}), metadata)


def pairs(n: int, same_photo: float = 0.5) -> pd.DataFrame:
    ids = [f"{number:064x}" for number in range(n)]
    return pd.DataFrame({"image_id": ids, "other_image_id": "f" * 64, "edit": "none", "same_photo": same_photo})


def count(catalog: Catalog) -> int:
    with catalog.read() as connection:
        return connection.execute(select(func.count()).select_from(alike)).scalar_one()


def test_migrating_from_nothing_gives_the_tables_of_the_metadata(database_url, real_migrations):
    catalog = open_catalog(database_url)
    with catalog.read() as connection:
        assert differences(connection) == []
    catalog.close()


def test_tables_that_tests_are_given_at_once_are_those_of_the_migrations(catalog):
    with catalog.read() as connection:
        assert differences(connection) == []


def test_opening_a_second_time_needs_no_migration_and_keeps_the_rows(catalog, catalog_url):
    with catalog.write() as connection:
        insert(connection, alike, pairs(3))
    script = f"{OPEN}; assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", script, catalog_url], check=True, cwd=Path(__file__).parents[4])
    assert count(catalog) == 3


def test_a_schema_of_a_newer_version_is_refused_and_left_alone(catalog, catalog_url):
    with catalog.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CatalogError, match=f"9999 is newer than this version's {HEAD}"):
        open_catalog(catalog_url)
    with catalog.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_processes_may_open_a_new_catalog_at_the_same_time(database_url):
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, database_url],
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[4],
        )
        for _ in range(3)
    ]
    errors = [opener.communicate(timeout=60)[1] for opener in openers]
    assert [opener.returncode for opener in openers] == [0, 0, 0], errors
    opened = open_catalog(database_url)
    with opened.read() as connection:
        assert differences(connection) == []
    opened.close()


def test_a_write_that_fails_leaves_nothing(catalog):
    with pytest.raises(ZeroDivisionError), catalog.write() as connection:
        insert(connection, alike, pairs(5))
        raise ZeroDivisionError
    assert count(catalog) == 0


def test_what_is_only_supposed_is_seen_by_who_supposes_it_and_is_gone_afterwards(catalog):
    with catalog.supposing() as connection:
        insert(connection, alike, pairs(3))
        assert connection.execute(select(func.count()).select_from(alike)).scalar_one() == 3
        assert count(catalog) == 0
    assert count(catalog) == 0
    with pytest.raises(RuntimeError), catalog.supposing() as connection:
        insert(connection, alike, pairs(3))
        raise RuntimeError
    with catalog.write() as connection:
        insert(connection, alike, pairs(2))
    assert count(catalog) == 2


def test_a_statement_the_database_refuses_is_a_catalog_error_and_leaves_nothing(catalog):
    with pytest.raises(CatalogError, match="Nothing of this step was kept"), catalog.write() as connection:
        insert(connection, alike, pairs(5))
        insert(connection, alike, pairs(1).assign(image_id="e" * 64, edit=None))
    assert count(catalog) == 0


def test_a_reader_sees_one_snapshot_however_long_it_looks(catalog):
    query = select(func.count()).select_from(alike)
    with catalog.read() as reader:
        before = reader.execute(query).scalar_one()
        with catalog.write() as writer:
            insert(writer, alike, pairs(2))
        assert reader.execute(query).scalar_one() == before == 0
    assert count(catalog) == 2


def test_readers_and_writers_at_the_same_time_never_fail_or_see_half_a_write(catalog):
    with catalog.write() as connection:
        insert(connection, alike, pairs(20, same_photo=0.0))
    errors: list[Exception] = []
    seen: set[int] = set()
    done = threading.Event()

    def overwrite(first: int) -> None:
        for value in range(first, first + 20):
            with catalog.write() as connection:
                connection.execute(select(func.count()).select_from(alike))
                upsert(connection, alike, pairs(20, same_photo=float(value)))

    def look() -> None:
        while not done.is_set():
            with catalog.read() as connection:
                seen.add(connection.execute(select(func.count(alike.c.same_photo.distinct()))).scalar_one())

    def recorded(work, *arguments) -> None:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 -- a thread's failure would be lost
            errors.append(error)

    readers = [threading.Thread(target=recorded, args=(look,)) for _ in range(3)]
    writers = [threading.Thread(target=recorded, args=(overwrite, first)) for first in (0, 100)]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()
    assert errors == []
    assert seen == {1}


def test_two_writers_that_read_and_then_write_lose_no_update(catalog):
    with catalog.write() as connection:
        insert(connection, alike, pairs(1, same_photo=0.0))

    def add_one_again_and_again() -> None:
        for _ in range(25):
            with catalog.write() as connection:
                found = connection.execute(select(alike.c.same_photo)).scalar_one()
                upsert(connection, alike, pairs(1, same_photo=found + 1))

    threads = [threading.Thread(target=add_one_again_and_again) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with catalog.read() as connection:
        assert connection.execute(select(alike.c.same_photo)).scalar_one() == 50


@pytest.mark.parametrize("url", ["", "no address", "mysql://host/database", "oracle://host/database"])
def test_a_url_of_another_kind_is_the_callers_mistake(url):
    with pytest.raises(SettingsError, match="SEENBEFORE_CATALOG_URL: expected sqlite"):
        open_catalog(url)


def test_a_database_that_does_not_answer_is_the_outside_worlds_and_names_no_password(tmp_path):
    pytest.importorskip("psycopg")
    with pytest.raises(CatalogError, match="Check SEENBEFORE_CATALOG_URL") as caught:
        open_catalog(f"postgresql://user:secret@/database?host={tmp_path}")
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_a_catalog_error(tmp_path):
    (tmp_path / "catalog.sqlite").write_text("this is a letter to a friend" * 100)
    with pytest.raises(CatalogError, match="not a database"):
        open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
