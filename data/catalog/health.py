"""How a catalog is: its schema, whether its pages hold together, and what waits to be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, make_url, select, text

from data.catalog.database.engine import open_catalog, revision
from data.catalog.database.migrations import HEAD
from data.catalog.database.schema import fetches, images, listings, loads
from data.catalog.market.listings import PENDING
from data.images.fetch_outcome import FetchStatus

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

SOUND = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What holds the catalog.

    Parameters
    ----------
    backend
        ``sqlite`` or ``postgresql``.
    found, expected
        Revisions of the schema; ``found`` is ``None`` where there are no tables yet.
    journal
        SQLite's journal mode; ``None`` on other databases.
    integrity
        ``ok``, or the first damage that SQLite's quick check met; other databases check themselves.
    """

    backend: str
    found: str | None
    expected: str
    journal: str | None
    integrity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What a catalog holds, and what its next run has to do.

    Parameters
    ----------
    listings, pictures
        How many there are.
    pending_fetches
        Addresses never asked.
    failed_fetches
        How many addresses gave no picture, for each reason.
    stale_pictures
        Pictures with a fingerprint of another recipe; they are not compared with any of this recipe.
    unfinished_loads
        Identity of each load that was interrupted.
    """

    listings: int
    pictures: int
    pending_fetches: int
    failed_fetches: dict[str, int]
    stale_pictures: int
    unfinished_loads: list[str]


def is_made(url: str) -> bool:
    """Tell whether there may be a catalog at a URL: a file for SQLite, always for a server."""
    path = sqlite_file(url)
    return path is None or path.exists()


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; ``None`` for others."""
    from pathlib import Path

    address = make_url(url)
    return Path(address.database) if address.get_backend_name() == "sqlite" and address.database else None


def examine(url: str) -> Schema:
    """Look at a catalog without changing it.

    Raises
    ------
    SettingsError, CatalogError
        It cannot be opened.
    """
    catalog = open_catalog(url, migrate=False)
    try:
        with catalog.read() as connection:
            return _schema(connection)
    finally:
        catalog.close()


def backlog(connection: Connection, recipe: str) -> Backlog:
    """Count what waits; ``recipe`` is the one that pictures are fingerprinted with now."""
    stale = images.c.recipe.is_not(None) & (images.c.recipe != recipe)
    failed = (
        select(func.coalesce(fetches.c.reason, fetches.c.status), func.count())
        .where(fetches.c.status.not_in([PENDING, FetchStatus.OK.value]), fetches.c.image_id.is_(None))
        .group_by(func.coalesce(fetches.c.reason, fetches.c.status))
        .order_by(func.count().desc())
    )
    unfinished = select(loads.c.source).where(loads.c.finished_at.is_(None)).order_by(loads.c.started_at)

    def count(query: object) -> int:
        return int(connection.execute(query).scalar_one())  # type: ignore[call-overload]

    return Backlog(
        listings=count(select(func.count(listings.c.listing_key.distinct()))),
        pictures=count(select(func.count()).select_from(images)),
        pending_fetches=count(select(func.count()).where(fetches.c.status == PENDING)),
        failed_fetches={str(reason): int(n) for reason, n in connection.execute(failed)},
        stale_pictures=count(select(func.count()).where(stale)),
        unfinished_loads=list(connection.execute(unfinished).scalars()),
    )


def _schema(connection: Connection) -> Schema:
    backend = connection.dialect.name
    on_sqlite = backend == "sqlite"
    return Schema(
        backend=backend,
        found=revision(connection),
        expected=HEAD,
        journal=str(connection.execute(text("PRAGMA journal_mode")).scalar()) if on_sqlite else None,
        integrity=str(connection.execute(text("PRAGMA quick_check(1)")).scalar()) if on_sqlite else SOUND,
    )
