"""The catalog's schema, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "0014"


def upgrade(connection: Connection) -> None:
    """Bring the schema behind a connection to ``HEAD``, inside the connection's transaction."""
    # Imported here: opening an up-to-date catalog needs no migration machinery.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "data.catalog.database:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
