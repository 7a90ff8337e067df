"""A new catalog's tables without its fourteen migrations, for tests that ask for no more than a catalog."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from data.catalog.database import engine, migrations
from data.catalog.database.migrations import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


@contextmanager
def made_at_once() -> Iterator[None]:
    """Let new SQLite catalogs be made by the statements that all migrations together come to; older ones are migrated.

    PostgreSQL's are migrated, too: there tests take turns in schemas that are emptied.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "upgrade", make_or_upgrade)
        yield


def make_or_upgrade(connection: Connection) -> None:
    """Do what ``upgrade`` does."""
    asked_for_head = engine.HEAD == migrations.HEAD == HEAD
    if connection.dialect.name != "sqlite" or not asked_for_head or engine.revision(connection) is not None:
        migrations.upgrade(connection)
        return
    for statement in _statements():
        connection.exec_driver_sql(statement)


@cache
def _statements() -> list[str]:
    """What makes the tables that migrations leave in an empty SQLite database."""
    database = create_engine("sqlite://")
    with database.begin() as connection:
        migrations.upgrade(connection)
        made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
        statements = list(made.scalars())
    database.dispose()
    return [*statements, f"INSERT INTO alembic_version VALUES ('{HEAD}')"]  # noqa: S608 -- our own number
