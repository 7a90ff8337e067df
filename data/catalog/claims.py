"""Who is looking at a case, so that two people never judge the same one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from data.catalog.frames import read_by_keys, to_instant, whole_table
from data.catalog.tables import claims

if TYPE_CHECKING:
    import pandas as pd
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
    held = claim_on(connection, listing_key, now)
    if held is not None and held.actor != actor:
        return held
    until = now + timedelta(minutes=minutes)
    times = {"actor": actor, "claimed_at": to_instant(now), "expires_at": to_instant(until)}
    changed = connection.execute(update(claims).where(claims.c.listing_key == listing_key).values(**times))
    if changed.rowcount == 0:
        connection.execute(insert(claims).values(listing_key=listing_key, **times))
    return Claim(listing_key, actor, until)


def claim_on(connection: Connection, listing_key: int, now: datetime) -> Claim | None:
    """Return who has a case; ``None`` if nobody has, or had it for too long."""
    row = connection.execute(
        select(claims.c.actor, claims.c.expires_at).where(
            claims.c.listing_key == listing_key, claims.c.expires_at > to_instant(now)
        )
    ).first()
    return None if row is None else Claim(listing_key, row.actor, datetime.fromtimestamp(row.expires_at / 1e6, UTC))


def release(connection: Connection, listing_key: int, actor: str) -> None:
    """Give back a case that somebody has; one that others have stays theirs."""
    connection.execute(delete(claims).where(claims.c.listing_key == listing_key, claims.c.actor == actor))


def claims_on(connection: Connection, listing_keys: pd.Series[int], now: datetime) -> dict[int, str]:
    """Return who has which of some cases."""
    query = whole_table(claims, ("listing_key", "actor")).where(claims.c.expires_at > to_instant(now))
    found = read_by_keys(connection, query, claims.c.listing_key, listing_keys)
    return dict(zip(found["listing_key"].tolist(), found["actor"].tolist(), strict=True))
