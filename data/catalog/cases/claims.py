"""Who is looking at a case, so that two people never judge the same one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from data.catalog.database.frames import to_instant, whole_table
from data.catalog.database.records import read_records_by_keys, to_moment
from data.catalog.database.schema import claims

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Claim:
    """A case is kept for somebody until a time, aware UTC."""

    listing_key: int
    actor: str
    expires_at: datetime


def claim(connection: Connection, listing_key: int, actor: str, now: datetime, minutes: float) -> Claim:
    """Keep a case for somebody, unless it is kept for somebody else; return who has it now.

    Whoever has it already keeps it for so many minutes more.
    """
    at = to_instant(now)
    until = to_instant(now + timedelta(minutes=minutes))
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    taken = dialect.insert(claims).values(listing_key=listing_key, actor=actor, claimed_at=at, expires_at=until)
    free = (claims.c.actor == actor) | (claims.c.expires_at <= at)
    # One statement, so that of two who claim at once one wins, whatever else is being written.
    new = {name: taken.excluded[name] for name in ("actor", "claimed_at", "expires_at")}
    connection.execute(taken.on_conflict_do_update(index_elements=["listing_key"], set_=new, where=free))
    return claim_on(connection, listing_key, now) or Claim(listing_key, actor, to_moment(until))


def claim_on(connection: Connection, listing_key: int, now: datetime) -> Claim | None:
    """Return who has a case; ``None`` if nobody has, or had it for too long."""
    row = connection.execute(
        select(claims.c.actor, claims.c.expires_at).where(
            claims.c.listing_key == listing_key, claims.c.expires_at > to_instant(now)
        )
    ).first()
    return None if row is None else Claim(listing_key, row.actor, to_moment(row.expires_at))


def release(connection: Connection, listing_key: int, actor: str) -> None:
    """Give back a case that somebody has; one that others have stays theirs."""
    connection.execute(delete(claims).where(claims.c.listing_key == listing_key, claims.c.actor == actor))


def claims_on(connection: Connection, listing_keys: Collection[int], now: datetime) -> dict[int, str]:
    """Return who has which of some cases."""
    query = whole_table(claims, ("listing_key", "actor")).where(claims.c.expires_at > to_instant(now))
    found = read_records_by_keys(connection, query, claims.c.listing_key, listing_keys)
    return {row["listing_key"]: row["actor"] for row in found}
