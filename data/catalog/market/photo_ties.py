"""Which photos sellers took, read outwards from some sellers: who else took these, what those took, and so on.

Every reading is bounded, whatever the catalog holds: of a seller the earliest photos it took, of a photo its first
takers. What is told of a seller or of a photo depends on nothing but these, so that one seller asked alone and among
ten thousand gets the same.

When a seller first took a photo follows from matches and is kept beside them, so that nobody's other matches are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd
from sqlalchemy import Text, case, column, func, select, true, tuple_, values

from data.catalog.database.frames import read_by_keys, read_frame, read_portions
from data.catalog.database.schema import images, matches, sightings, taken

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause, ScalarSelect, Select, Subquery

    from data.catalog.database.frames import Keys

PAIRS_A_QUERY = 10_000  # two parameters each
FOR_GOOD = 2**63 - 1

TAKEN = ("seller_key", "other_image_id", "other_seller_key", "known_at", "sellers_showing")


class TieLimits(Protocol):
    """What makes a photo taken, and how far ties are read; who judges the ties says them."""

    @property
    def same_photo(self) -> float:
        """Probability from which two pictures are one photo."""

    @property
    def low_information(self) -> float:
        """Information below which a picture tells nothing, in bits."""

    @property
    def rare_sellers(self) -> int:
        """Most other sellers who show a photo that ties."""

    @property
    def most_takers(self) -> int:
        """Most accounts that may have taken a photo that ties."""

    @property
    def most_photos(self) -> int:
        """Photos of a seller that are looked at, the earliest ones."""

    @property
    def hops(self) -> int:
        """Ties from a seller to those that are reached."""


def taken_around(connection: Connection, seller_keys: Keys, limits: TieLimits) -> pd.DataFrame:
    """Return what some sellers took, who else took these photos, what those took, and so on over some hops.

    Returns
    -------
    DataFrame
        ``TAKEN``, one row for each seller and picture, that of the first time; in no order. Who else took a photo is
        told of the photos that sellers took who are reached before the last step. A taker to whom the photo was common
        is told of and not followed.
    """
    asked = pd.Series(pd.unique(pd.Series(seller_keys)), dtype="int64")
    own = _taken_by(connection, asked, limits)
    parts, reached, photos = [own], asked, own["other_image_id"].iloc[:0]
    for _ in range(limits.hops):
        new = own["other_image_id"][~own["other_image_id"].isin(photos)]
        takers = _takers_of(connection, new, limits.most_takers)
        tied = takers.loc[takers["sellers_showing"] <= limits.rare_sellers, "seller_key"]
        near = pd.concat([tied, own["other_seller_key"]]).drop_duplicates()
        own = _taken_by(connection, near[~near.isin(reached)], limits)
        reached, photos = pd.concat([reached, near]), pd.concat([photos, new])
        parts += [takers, own]
    return pd.concat(parts, ignore_index=True).drop_duplicates(["seller_key", "other_image_id"], ignore_index=True)


def note_taken(connection: Connection, pairs: pd.DataFrame, limits: TieLimits) -> None:
    """Say anew when sellers first took photos (``seller_key, other_image_id``), after their matches have changed."""
    pair = tuple_(matches.c.seller_key, matches.c.other_image_id)
    kept = tuple_(taken.c.seller_key, taken.c.other_image_id)
    every = list(pairs[["seller_key", "other_image_id"]].drop_duplicates().itertuples(index=False, name=None))
    for start in range(0, len(every), PAIRS_A_QUERY):
        some = every[start : start + PAIRS_A_QUERY]
        connection.execute(taken.delete().where(kept.in_(some)))
        connection.execute(taken.insert().from_select(TAKEN, _first_times(pair.in_(some), limits)))


def note_pictures(connection: Connection, image_ids: Keys, limits: TieLimits) -> None:
    """Say anew what was taken with some pictures, which are read otherwise than before or not at all."""
    shown = (sightings.c.listing_key == matches.c.listing_key) & (sightings.c.image_id == matches.c.image_id)
    query = select(matches.c.seller_key, matches.c.other_image_id).join_from(sightings, matches, shown)
    note_taken(connection, read_by_keys(connection, query, sightings.c.image_id, image_ids), limits)


def note_all_taken(connection: Connection, limits: TieLimits) -> None:
    """Say anew when every seller first took every photo."""
    connection.execute(taken.delete())
    connection.execute(taken.insert().from_select(TAKEN, _first_times(true(), limits)))


def _taken_by(connection: Connection, seller_keys: pd.Series, limits: TieLimits) -> pd.DataFrame:
    """Return the earliest photos that each seller took while they were rare."""

    def query(some: list[Any]) -> Select[Any]:
        rare = (
            select(taken).where(taken.c.seller_key.in_(some), taken.c.sellers_showing <= limits.rare_sellers).subquery()
        )
        return _earliest(rare, limits.most_photos, of="seller_key", by="other_image_id")

    return read_portions(connection, query, seller_keys)


def _takers_of(connection: Connection, image_ids: pd.Series, most_takers: int) -> pd.DataFrame:
    """Return the first sellers to take each photo, one more than may have taken it for it to tie anybody."""

    def query(some: list[Any]) -> Select[Any]:
        # Photo by photo from its first taker on: who else took a popular one is not looked at.
        asked = values(column("image_id", Text), name="asked").data([(each,) for each in some]).cte("asked")
        last = (
            select(taken.c.known_at)
            .where(taken.c.other_image_id == asked.c.image_id)
            .order_by(taken.c.known_at)
            .limit(1)
            .offset(most_takers)
            .scalar_subquery()
        )
        until = select(asked.c.image_id, func.coalesce(last, FOR_GOOD).label("until_at")).cte("until")
        early = (taken.c.other_image_id == until.c.image_id) & (taken.c.known_at <= until.c.until_at)
        rows = select(*(taken.c[name] for name in TAKEN)).join_from(until, taken, early).subquery()
        return _earliest(rows, most_takers + 1, of="other_image_id", by="seller_key")

    # Without any picture there is no list of values to begin with.
    if image_ids.empty:
        return read_frame(connection, select(*(taken.c[name] for name in TAKEN)).limit(0))
    return read_portions(connection, query, image_ids)


def _earliest(rows: Subquery, most: int, *, of: str, by: str) -> Select[Any]:
    """Return the query for the earliest so many rows of each value of a column."""
    place = func.row_number().over(partition_by=rows.c[of], order_by=(rows.c.known_at, rows.c[by]))
    placed = select(rows, place.label("place")).subquery()
    return select(*(placed.c[name] for name in TAKEN)).where(placed.c.place <= most)


def _first_times(condition: ColumnElement[bool], limits: TieLimits) -> Select[Any]:
    """Return the query for the first time each seller took each photo, among the matches that fulfil a condition."""
    known_at = _known(matches)
    first = func.row_number().over(
        partition_by=(matches.c.seller_key, matches.c.other_image_id),
        order_by=(known_at, matches.c.listing_key, matches.c.image_id),
    )
    columns = (matches.c[name] for name in ("listing_key", "image_id", *TAKEN[:3]))
    informative = (images.c.image_id == matches.c.image_id) & (images.c.information >= limits.low_information)
    times = (
        select(*columns, known_at.label("known_at"), first.label("time"))
        .join_from(matches, images, informative)
        .where(condition, matches.c.same_photo >= limits.same_photo)
        .subquery()
    )
    names = (times.c[name] for name in TAKEN[:4])
    return select(*names, _showing(times, limits.same_photo).label("sellers_showing")).where(times.c.time == 1)


def _showing(first: Subquery, same_photo: float) -> ScalarSelect[Any]:
    """Return how many others were known to have shown a photo when it was taken, whichever copy of it."""
    rows = matches.alias()
    first_posters, sharing = func.count(rows.c.other_seller_key.distinct()), func.max(rows.c.sellers_sharing)
    return (
        select(case((first_posters > sharing, first_posters), else_=sharing))
        .where(
            rows.c.listing_key == first.c.listing_key,
            rows.c.image_id == first.c.image_id,
            rows.c.same_photo >= same_photo,
            _known(rows) <= first.c.known_at,
        )
        .scalar_subquery()
    )


def _known(rows: FromClause) -> ColumnElement[int]:
    """Return since when a match can be known: both of its sightings are."""
    return case((rows.c.other_observed_at > rows.c.observed_at, rows.c.other_observed_at), else_=rows.c.observed_at)
