"""A schema that PostgreSQL's tests take turns in comes to the next one as if it were new."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select, text

from data.catalog.database.engine import open_catalog
from data.catalog.database.schema import listings, metadata, model_events, verdicts
from tests.postgres import Schemas

VERDICT = {
    "verdict_id": "v", "listing_key": 1, "kind": "verdict", "verdict": "fraud", "actor": "ada", "decided_at": 2,
}  # fmt: skip
EVENT = {"model_id": "m", "action": "promote", "reason": "better", "happened_at": 3}


@pytest.fixture
def schemas(postgres_server):
    schemas = Schemas(postgres_server)
    yield schemas
    schemas.close()


def changed(schemas, *statements):
    """The address of a schema in which statements were run."""
    with schemas.one() as url:
        catalog = open_catalog(url)
        with catalog.write() as connection:
            for statement in statements:
                connection.execute(statement)
        catalog.close()
    return url


def rows(connection):
    counts = [select(func.count()).select_from(table) for table in metadata.tables.values()]
    return sum(connection.execute(count).scalar_one() for count in counts)


def test_it_is_used_again_without_rows_and_counts_from_one(schemas):
    before = changed(schemas, insert(verdicts).values(VERDICT), insert(model_events).values(EVENT))
    with schemas.one() as url:
        assert url == before
        catalog = open_catalog(url)
        with catalog.write() as connection:
            assert rows(connection) == 0
            added = insert(model_events).values(EVENT).returning(model_events.c.event)
            assert connection.execute(added).scalar_one() == 1
        catalog.close()


@pytest.mark.parametrize(
    "change",
    [
        f"ALTER TABLE {listings.name} ADD COLUMN more TEXT",
        "CREATE TABLE more (number INTEGER)",
        "DROP INDEX listings_by_seller",
        "UPDATE alembic_version SET version_num = '9999'",
    ],
)
def test_it_is_thrown_away_when_it_is_no_catalog_of_this_version_any_more(schemas, change):
    before = changed(schemas, text(change))
    assert changed(schemas) != before
