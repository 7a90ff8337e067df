"""When listings are to be described: the moments of all of them, and those without a score.

A listing has a moment whenever something about it was first known: a version of it, one of its pictures, or that
somebody else had posted such a picture earlier (a late match).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import exists, select, true, union

from data.catalog.database.frames import insert, read_by_keys, read_frame, to_instant
from data.catalog.database.schema import listings, matches, news, scores, sightings

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import CompoundSelect, Connection


def note_news(connection: Connection, listing_keys: pd.Series) -> None:
    """Note that some listings may have a moment that was not scored yet: whoever brings one says so.

    A note too many costs a look at the listing; one too few, and its moment would never be scored.
    """
    insert(connection, news, pd.DataFrame({"listing_key": listing_keys.drop_duplicates()}))


def forget_news(connection: Connection) -> None:
    """Drop the notes on listings all of whose moments have scores."""
    waiting = _moments(unscored=True).subquery()
    connection.execute(news.delete().where(news.c.listing_key.not_in(select(waiting.c.listing_key))))


def unscored_moments(connection: Connection, since: datetime | None, until: datetime | None) -> pd.DataFrame:
    """Return the moments (``listing_key, as_of``) that have no score yet, ordered by time.

    Only listings that news was noted of are looked at, so that the cost is that of what is new.
    """
    moments = _moments(unscored=True).subquery()
    return _within(connection, select(moments), moments, since, until)


def all_moments(connection: Connection, since: datetime | None, until: datetime | None) -> pd.DataFrame:
    """Return every moment (``listing_key, as_of``), ordered by time."""
    moments = _moments().subquery()
    return _within(connection, select(moments), moments, since, until)


def newest_moment(connection: Connection, listing_key: int, until: datetime) -> pd.DataFrame:
    """Return the last moment (``listing_key, as_of``) of a listing up to a time; no row if nothing was known then."""
    moments = _moments().subquery()
    of_it = select(moments).where(moments.c.listing_key == listing_key)
    return _within(connection, of_it, moments, None, until).tail(1).reset_index(drop=True)


def by_seller(connection: Connection, moments: pd.DataFrame) -> pd.DataFrame:
    """Return moments (``listing_key, as_of``) with those of a seller one after the other, and by time among these.

    In portions of this order the past of few sellers is read more than once.
    """
    owners = select(listings.c.listing_key, listings.c.seller_key).distinct()
    owned = read_by_keys(connection, owners, listings.c.listing_key, moments["listing_key"])
    ordered = moments.merge(owned, on="listing_key").sort_values(["seller_key", "as_of", "listing_key"])
    return ordered[["listing_key", "as_of"]].reset_index(drop=True)


def _moments(*, unscored: bool = False) -> CompoundSelect[Any]:
    """Return the query for the moments of all listings, or for those without a score of listings with news.

    Scores are looked for in each table by itself: few moments are new, and those that are not need not be told apart.
    """
    late = matches.c.other_observed_at > matches.c.observed_at
    sources = (
        (listings.c.listing_key, listings.c.observed_at, true()),
        (sightings.c.listing_key, sightings.c.observed_at, true()),
        (matches.c.listing_key, matches.c.other_observed_at, late),
    )
    queries = [select(key, at.label("as_of")).where(condition) for key, at, condition in sources]
    if unscored:
        queries = [
            query.where(key.in_(select(news.c.listing_key))).where(
                ~exists().where(scores.c.listing_key == key, scores.c.as_of == at)
            )
            for query, (key, at, _) in zip(queries, sources, strict=True)
        ]
    return union(*queries)


def _within(
    connection: Connection, query: Any, moments: Any, since: datetime | None, until: datetime | None
) -> pd.DataFrame:
    if since is not None:
        query = query.where(moments.c.as_of >= to_instant(since))
    if until is not None:
        query = query.where(moments.c.as_of <= to_instant(until))
    return read_frame(connection, query.order_by(moments.c.as_of, moments.c.listing_key))
