"""What a monitor looks at, counted in the database: every query is bounded in time or in rows, and served by an index.

Time is cut into periods of equal length, counted back from a moment: period 0 is the newest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import and_, case, func, literal, or_, select

from data.catalog.database.frames import read_by_keys, read_frame, to_instant
from data.catalog.database.schema import (
    alike,
    features,
    fetches,
    images,
    labels,
    listings,
    matches,
    scores,
    sightings,
    verdicts,
)
from data.catalog.market.listings import PENDING
from data.catalog.market.matches import HASHED
from data.catalog.market.pictures import STORED
from data.images.fetch_outcome import FetchStatus

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

DAY_US = 86_400_000_000
DECISIONS = ("fraud", "legit")
MOST_HOST_ROWS = 5_000
"""Rows of (host, period, reason) that are read, the largest first: a market may have a host for each seller."""
UNREADABLE = "unreadable"
NO_HOST = "(files)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Periods of equal length that end at a moment.

    Parameters
    ----------
    until
        Where period 0 ends, itself included; aware UTC.
    days
        Length of a period.
    count
        How many there are.
    """

    until: datetime
    days: float
    count: int

    @property
    def length(self) -> timedelta:
        """Length of a period."""
        return timedelta(days=self.days)

    def since(self, periods: int) -> datetime:
        """Return when the newest ``periods`` began; they begin after this moment."""
        return self.until - periods * self.length

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Return the condition that a time lies in one of the periods."""
        return within(column, self.since(self.count), self.until)

    def number(self, column: ColumnElement[Any]) -> ColumnElement[int]:
        """Return the number of the period in which a time lies."""
        length_us = int(self.length / timedelta(microseconds=1))
        return (literal(to_instant(self.until)) - column) // length_us


def within(column: ColumnElement[Any], after: datetime, until: datetime) -> ColumnElement[bool]:
    """Return the condition that a time is later than ``after`` and not later than ``until``."""
    return and_(column > to_instant(after), column <= to_instant(until))


def known_span(connection: Connection) -> tuple[datetime, datetime] | None:
    """Return when something about a listing was first and last known, aware UTC; ``None`` in an empty catalog."""
    # One end at a time: asked for both at once, SQLite reads the whole index.
    times = [table.c.observed_at for table in (listings, sightings)]
    ends = [
        [found for time in times if (found := connection.execute(select(end(time))).scalar()) is not None]
        for end in (func.min, func.max)
    ]
    return (_moment(min(ends[0])), _moment(max(ends[1]))) if ends[0] else None


def sampled_features(connection: Connection, spec: str, after: datetime, until: datetime, rows: int) -> pd.DataFrame:
    """Return about ``rows`` kept vectors of a span, as ``listing_key, as_of, vector, seller_key``.

    Listings are drawn by their keys, which are hashes of their names: the same ones every time.
    """
    span = and_(features.c.spec == spec, within(features.c.as_of, after, until))
    query = select(features.c.listing_key, features.c.as_of, features.c.vector).where(span)
    return _sampled(connection, query, select(func.count()).where(span), features.c.listing_key, rows)


def sampled_scores(connection: Connection, model_id: str, after: datetime, until: datetime, rows: int) -> pd.DataFrame:
    """Return about ``rows`` scores of a model, as ``listing_key, as_of, score, band, seller_key``; drawn likewise."""
    span = and_(scores.c.model_id == model_id, within(scores.c.as_of, after, until))
    names = ("listing_key", "as_of", "score", "band")
    query = select(*(scores.c[name] for name in names)).where(span)
    return _sampled(connection, query, select(func.count()).where(span), scores.c.listing_key, rows)


def matched_listings(connection: Connection, periods: Periods) -> pd.DataFrame:
    """Count scored listings with photos, and those with a photo that another seller had shown before.

    Returns
    -------
    pandas.DataFrame
        ``period, listings, matched``, the oldest first; periods without listings have no row.
    """
    once = (
        select(
            periods.number(scores.c.as_of).label("period"),
            scores.c.listing_key,
            func.max(case((scores.c.matched_images > 0, 1), else_=0)).label("matched"),
        )
        .where(periods.holds(scores.c.as_of), scores.c.images > 0)
        .group_by("period", scores.c.listing_key)
        .subquery()
    )
    counted = select(once.c.period, func.count().label("listings"), func.sum(once.c.matched).label("matched"))
    return _counts(read_frame(connection, counted.group_by(once.c.period).order_by(once.c.period.desc())))


def fetch_outcomes(connection: Connection, periods: Periods) -> pd.DataFrame:
    """Count what asking for pictures last led to, by host.

    Returns
    -------
    pandas.DataFrame
        ``host`` (``(files)`` for paths), ``period`` (of the last asking), ``reason`` (NA where there is a readable
        picture; ``unreadable`` where a file came that is none), ``addresses``.
    """
    host = _host(connection)
    unreadable = images.c.status.not_in([STORED, HASHED])
    reason = case(
        (fetches.c.status != FetchStatus.OK.value, func.coalesce(fetches.c.reason, fetches.c.status)),
        (unreadable, UNREADABLE),
    )
    asked = (
        select(host.label("host"), periods.number(fetches.c.fetched_at).label("period"), reason.label("reason"))
        .join_from(fetches, images, images.c.image_id == fetches.c.image_id, isouter=True)
        .where(periods.holds(fetches.c.fetched_at), fetches.c.status != PENDING)
        .subquery()
    )
    cells = (asked.c.host, asked.c.period, asked.c.reason)
    counted = select(*cells, func.count().label("addresses")).group_by(*cells)
    return read_frame(connection, counted.order_by(func.count().desc(), *cells).limit(MOST_HOST_ROWS))


def hub_photos(
    connection: Connection, after: datetime, until: datetime, *, same_photo: float, sellers: int, limit: int
) -> pd.DataFrame:
    """Return the known photos that most sellers took up in a span of time.

    Parameters
    ----------
    same_photo
        Least probability from which two pictures are one photo.
    sellers
        Least number of sellers who took it up.
    limit
        Most photos returned; of several pictures that are alike only the first known is named.

    Returns
    -------
    pandas.DataFrame
        ``image_id, first_seen_at, sellers_new, listings_new, sellers_sharing`` (all who had shown it by then),
        ``information`` (bits; small means flat), the most sellers first.
    """
    sellers_new = func.count(matches.c.seller_key.distinct())
    query = (
        select(
            matches.c.other_image_id.label("image_id"),
            func.min(matches.c.other_observed_at).label("first_seen_at"),
            sellers_new.label("sellers_new"),
            func.count(matches.c.listing_key.distinct()).label("listings_new"),
            func.max(matches.c.sellers_sharing).label("sellers_sharing"),
        )
        .where(within(matches.c.observed_at, after, until), matches.c.same_photo >= same_photo)
        .group_by(matches.c.other_image_id)
        .having(sellers_new >= sellers)
        .order_by(sellers_new.desc(), func.min(matches.c.other_observed_at), matches.c.other_image_id)
        .limit(10 * limit)
    )
    found = _without_repeats(connection, read_frame(connection, query), same_photo).head(limit)
    known = read_by_keys(
        connection, select(images.c.image_id, images.c.information), images.c.image_id, found["image_id"]
    )
    return found.merge(known, on="image_id", how="left")


def label_lags(connection: Connection, periods: Periods) -> pd.DataFrame:
    """Count listings by when they came and how long their first decision took.

    Returns
    -------
    pandas.DataFrame
        ``period`` (of the listing's first version), ``lag_days`` (whole days to the first decision known by the end
        of period 0, negative ones counted as 0; ``Int64``, NA where there is none), ``listings``.
    """
    earlier = listings.alias("earlier")
    older = select(earlier.c.listing_key).where(
        earlier.c.listing_key == listings.c.listing_key, earlier.c.observed_at < listings.c.observed_at
    )
    known_us = _first_decision(to_instant(periods.until))
    lag_us = known_us - listings.c.observed_at
    lag_days = case((lag_us < 0, 0), else_=lag_us // DAY_US)
    query = (
        select(
            periods.number(listings.c.observed_at).label("period"),
            lag_days.label("lag_days"),
            func.count().label("listings"),
        )
        .where(periods.holds(listings.c.observed_at), ~older.exists())
        .group_by("period", "lag_days")
        .order_by("period", "lag_days")
    )
    return read_frame(connection, query).astype({"lag_days": "Int64"})


def queued(connection: Connection, after: datetime, until: datetime, band: str) -> pd.DataFrame:
    """Return the listings that a model put into a band, once each.

    Returns
    -------
    pandas.DataFrame
        ``listing_key, model_id, as_of`` (the first such moment), ``score`` (the highest), ``seller_key``.
    """
    query = (
        select(
            scores.c.listing_key,
            scores.c.model_id,
            func.min(scores.c.as_of).label("as_of"),
            func.max(scores.c.score).label("score"),
        )
        .where(within(scores.c.as_of, after, until), scores.c.band == band)
        .group_by(scores.c.listing_key, scores.c.model_id)
        .order_by("as_of", scores.c.listing_key, scores.c.model_id)
    )
    return _with_sellers(connection, read_frame(connection, query))


def comparable_pictures(connection: Connection) -> int:
    """Count the distinct pictures that have a fingerprint."""
    return int(connection.execute(select(func.count()).where(images.c.status == HASHED)).scalar_one())


def matches_by_certainty(
    connection: Connection, after: datetime, until: datetime, edges: tuple[float, ...]
) -> list[int]:
    """Count the matches of a span below, between and from the ``edges`` of ``same_photo``, ascending."""
    reached = [func.coalesce(func.sum(case((matches.c.same_photo >= edge, 1), else_=0)), 0) for edge in (-1.0, *edges)]
    found = connection.execute(select(*reached).where(within(matches.c.observed_at, after, until))).one()
    return [int(at_least - more) for at_least, more in zip(found, (*found[1:], 0), strict=True)]


def _sampled(
    connection: Connection, query: Select[Any], counting: Select[Any], key: ColumnElement[Any], rows: int
) -> pd.DataFrame:
    step = -(-int(connection.execute(counting).scalar_one()) // rows)
    drawn = query if step <= 1 else query.where(key % step == 0)
    return _with_sellers(connection, read_frame(connection, drawn))


def _with_sellers(connection: Connection, found: pd.DataFrame) -> pd.DataFrame:
    columns = (listings.c.listing_key, listings.c.seller_key)
    owners = read_by_keys(connection, select(*columns).distinct(), listings.c.listing_key, found["listing_key"])
    return found.merge(owners.drop_duplicates("listing_key"), on="listing_key")


def _without_repeats(connection: Connection, found: pd.DataFrame, same_photo: float) -> pd.DataFrame:
    """Leave out each picture that is the same photo as one before it."""
    place = pd.Series(range(len(found)), index=found["image_id"])
    query = select(alike.c.image_id, alike.c.other_image_id).where(
        alike.c.same_photo >= same_photo, alike.c.other_image_id.in_(found["image_id"].tolist())
    )
    pairs = read_by_keys(connection, query, alike.c.image_id, found["image_id"])
    sides = pd.DataFrame({name: pairs[name].map(place) for name in ("image_id", "other_image_id")})
    repeats = place.isin(sides.max(axis="columns")).to_numpy()
    return found[~repeats].reset_index(drop=True)


def _first_decision(until_us: int) -> ColumnElement[int]:
    """Return when a listing was first decided on, as known by a moment; NULL where it was not."""
    known_at = case((labels.c.labelled_at > labels.c.observed_at, labels.c.labelled_at), else_=labels.c.observed_at)
    outside = select(func.min(known_at)).where(
        labels.c.listing_key == listings.c.listing_key, labels.c.label.in_(DECISIONS), known_at <= until_us
    )
    analysts = select(func.min(verdicts.c.decided_at)).where(
        verdicts.c.listing_key == listings.c.listing_key,
        verdicts.c.verdict.in_(DECISIONS),
        verdicts.c.image_id.is_(None),
        verdicts.c.decided_at <= until_us,
    )
    label, verdict = outside.scalar_subquery(), analysts.scalar_subquery()
    label_first = or_(verdict.is_(None), label <= verdict)
    return case((label_first, label), else_=verdict)


def _host(connection: Connection) -> ColumnElement[str]:
    """Return the host and port of an address, as the database cuts it out."""
    url = fetches.c.image_url
    if connection.dialect.name == "postgresql":
        host: ColumnElement[str] = func.split_part(url, "/", 3)
    else:
        rest = func.substr(url, func.instr(url, "://") + 3)
        host = func.substr(rest, 1, func.instr(rest.concat("/"), "/") - 1)
    return case((url.contains("://"), func.lower(host)), else_=NO_HOST)


def _counts(found: pd.DataFrame) -> pd.DataFrame:
    return found.astype("int64")


def _moment(instant: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=instant)
