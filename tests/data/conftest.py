"""Fresh catalogs for the contract tests: each test runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data.catalog.database.engine import Catalog, open_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def catalog(catalog_url: str) -> Iterator[Catalog]:
    """An open catalog without any rows."""
    opened = open_catalog(catalog_url)
    yield opened
    opened.close()
