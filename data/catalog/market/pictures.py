"""From addresses to pictures to sightings: what is due, what came of it, where each picture stood and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import LargeBinary, and_, or_, select

from data.catalog.database.frames import (
    KEYS,
    delete_by_keys,
    insert,
    read_by_keys,
    read_each,
    read_frame,
    replace_by_keys,
    to_instant,
    update_by_keys,
    upsert,
)
from data.catalog.database.schema import fetches, image_links, images, listings, sightings, sketches
from data.catalog.market.listings import PENDING
from data.catalog.market.photo_ties import note_pictures
from data.catalog.market.scoring_moments import note_news
from data.images.fetch_outcome import FetchStatus, Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select

    from data.catalog.market.loads import Load
    from data.catalog.market.photo_ties import TieLimits

STORED = "stored"
FIRST_RETRY = pd.Timedelta(minutes=15)  # doubles twice with every further attempt
BLOBS = tuple(column.name for column in sketches.columns if isinstance(column.type, LargeBinary))
BATCH_ROWS = 2_000
"""Some 34 MB at 17 kB a sketch."""


def due_fetches(
    connection: Connection, now: datetime, max_attempts: int, *, revalidate_after_days: float = 0.0
) -> pd.DataFrame:
    """Return the addresses to ask now, with the columns of `read_fetches`, in a fixed order.

    Parameters
    ----------
    now
        When the asking begins.
    max_attempts
        Attempts at one address over all runs.
    revalidate_after_days
        Age from which an address on the web that gave a picture is asked whether it changed; 0 is never.
    """
    again = and_(
        fetches.c.status == FetchStatus.FAILED.value,
        fetches.c.attempts < max_attempts,
        fetches.c.next_attempt_at <= to_instant(now),
    )
    due = [fetches.c.status == PENDING, again]
    if revalidate_after_days:
        due.append(
            and_(
                fetches.c.status == FetchStatus.OK.value,
                fetches.c.fetched_at <= to_instant(now - timedelta(days=revalidate_after_days)),
                fetches.c.image_url.contains("://"),
            )
        )
    return read_frame(connection, _asked().where(or_(*due)).order_by(fetches.c.url_id))


def read_fetches(connection: Connection, url_ids: Sequence[str]) -> pd.DataFrame:
    """Return what asking some addresses starts from, in a fixed order.

    Returns
    -------
    DataFrame
        ``url_id, image_url, attempts``, and ``known_image_id, known_etag, known_last_modified`` where an earlier run
        got a picture.
    """
    return read_by_keys(connection, _asked(), fetches.c.url_id, url_ids).sort_values("url_id", ignore_index=True)


def save_fetches(connection: Connection, load: Load, outcomes: pd.DataFrame) -> None:
    """Keep what asking led to, the new pictures, and where these were sighted.

    Where a picture is known, whatever brings no other one changes nothing but when the address was asked last; another
    one takes its place at the address, known from this load on, and the sightings of the first stay.

    Parameters
    ----------
    outcomes
        One row an address: the columns of `read_fetches` and the fields of `FetchOutcome`.
    """
    known = outcomes["known_image_id"]
    as_known = known.notna() & (outcomes["image_id"].isna() | (outcomes["image_id"] == known))
    asked_again = outcomes.loc[as_known, "url_id"]
    update_by_keys(connection, fetches, fetches.c.url_id, asked_again, fetched_at=to_instant(load.started_at))
    _save_new(connection, load, outcomes[~as_known])


def sight_known_pictures(connection: Connection, load: Load) -> None:
    """Record the sightings of a load's addresses whose pictures were there before it."""
    _sight(connection, read_frame(connection, _links().where(image_links.c.load_id == load.load_id)))


def pending_pictures(connection: Connection, recipe: str) -> list[str]:
    """Return the ids of the pictures that have no fingerprint of this recipe, sorted."""
    other = or_(images.c.recipe.is_(None), images.c.recipe < recipe, images.c.recipe > recipe)
    query = select(images.c.image_id).where(other).order_by(images.c.image_id)
    return list(connection.execute(query).scalars())


def save_fingerprints(
    connection: Connection, prints: pd.DataFrame, limits: TieLimits, sketched: pd.DataFrame | None = None
) -> None:
    """Keep fingerprints, and sketches in place of any the pictures had; they are to be compared anew.

    Parameters
    ----------
    prints
        All columns of the ``images`` table but ``compared``.
    limits
        What makes a photo taken.
    sketched
        All columns of the ``sketches`` table, for those of the pictures that have a sketch.
    """
    upsert(connection, images, prints.assign(compared=0))
    note_pictures(connection, prints["image_id"], limits)
    replace_descriptors(connection, prints["image_id"], sketched)


def forget_pictures(connection: Connection, image_ids: Sequence[str], limits: TieLimits) -> None:
    """Let pictures that were lost before they were fingerprinted be asked for again; their sightings stay."""
    if not len(image_ids):
        return
    update_by_keys(connection, fetches, fetches.c.image_id, image_ids, status=PENDING, image_id=None)
    delete_by_keys(connection, images, images.c.image_id, image_ids)
    note_pictures(connection, image_ids, limits)
    forget_descriptors(connection, image_ids)


_VERSIONS = select(listings.c.listing_key, listings.c.seller_key, listings.c.created_at, listings.c.observed_at).where(
    listings.c.listing_key.in_(KEYS)
)
_RECORDED = select(sightings).where(sightings.c.listing_key.in_(KEYS))


@dataclass(frozen=True, slots=True, eq=False)
class StoredDescriptors:
    """Sketches of one recipe as they are stored, one row a picture.

    Parameters
    ----------
    image_id
        The pictures, sorted; shape (n,).
    blobs
        For each column that was asked for its bytes, shape (n, bytes), ``uint8``.
    """

    image_id: pd.Series[str]
    blobs: dict[str, NDArray[np.uint8]]


def descriptors_of(
    connection: Connection, image_ids: pd.Series[str] | Sequence[str], recipe: str, *, blobs: Sequence[str] = BLOBS
) -> StoredDescriptors:
    """Return the sketches of some pictures; those without one of this recipe are left out.

    Parameters
    ----------
    blobs
        The columns to read: without the thumbnails it is 40 times less.
    """
    found = read_by_keys(connection, _of_recipe(recipe, blobs), sketches.c.image_id, image_ids)
    return _stacked(found.sort_values("image_id", ignore_index=True), blobs)


def replace_descriptors(
    connection: Connection, image_ids: pd.Series[str] | Sequence[str], sketched: pd.DataFrame | None
) -> None:
    """Keep the sketches (all columns of the table) of some pictures; those that have none now lose what they had."""
    if sketched is None:
        forget_descriptors(connection, image_ids)
    else:
        replace_by_keys(connection, sketches, (sketches.c.image_id,), image_ids, sketched)


def forget_descriptors(connection: Connection, image_ids: pd.Series[str] | Sequence[str]) -> None:
    """Remove the sketches of some pictures."""
    delete_by_keys(connection, sketches, sketches.c.image_id, image_ids)


def _save_new(connection: Connection, load: Load, outcomes: pd.DataFrame) -> None:
    # A host that told us to stay away, or was not asked at all, has not used up an attempt; a picture that took the
    # place of another one begins anew.
    counted = outcomes["asked"] & (outcomes["reason"] != Reason.RATE_LIMITED.value)
    changed = outcomes["known_image_id"].notna()
    outcomes = outcomes.assign(
        attempts=outcomes["attempts"].mask(changed, 0) + counted,
        fetched_at=pd.Timestamp(load.started_at),
        known_at=pd.Timestamp(load.started_at),
    )
    wait = FIRST_RETRY * 4.0 ** (outcomes["attempts"] - 1).clip(lower=0)
    told = pd.to_timedelta(outcomes["retry_after_s"].astype("float64"), unit="s").fillna(pd.Timedelta(0))
    outcomes["next_attempt_at"] = outcomes["fetched_at"] + wait.where(wait > told, told)
    # An address that an earlier load brought too could have been asked then, but its picture was not known then.
    before = select(image_links.c.url_id).where(image_links.c.load_id != load.load_id)
    known_before = read_by_keys(connection, before, image_links.c.url_id, outcomes["url_id"])
    outcomes["known_at"] = outcomes["known_at"].where(changed | outcomes["url_id"].isin(known_before["url_id"]))
    names = [column.name for column in fetches.columns if column.name in outcomes and column.name != "image_url"]
    upsert(
        connection,
        fetches,
        outcomes[["image_url", *names]],
        update=[name for name in names if name != "url_id"],
    )
    pictures = outcomes.loc[outcomes["image_id"].notna(), ["image_id"]].drop_duplicates()
    insert(connection, images, pictures.assign(status=STORED, compared=0))
    links = read_by_keys(connection, _links(), image_links.c.url_id, outcomes["url_id"])
    _sight(connection, links, swapped=outcomes.loc[changed, "url_id"])


def _asked() -> Select[Any]:
    return select(
        fetches.c.url_id,
        fetches.c.image_url,
        fetches.c.attempts,
        fetches.c.image_id.label("known_image_id"),
        fetches.c.etag.label("known_etag"),
        fetches.c.last_modified.label("known_last_modified"),
    )


def _links() -> Select[Any]:
    return (
        select(
            image_links.c.url_id,
            image_links.c.listing_key,
            image_links.c.position,
            image_links.c.observed_at,
            fetches.c.known_at,
            fetches.c.image_id,
        )
        .join(fetches, fetches.c.url_id == image_links.c.url_id)
        .where(fetches.c.image_id.is_not(None))
    )


def _sight(connection: Connection, links: pd.DataFrame, swapped: Collection[str] = ()) -> None:
    if links.empty:
        return
    keys = links["listing_key"]
    known, recorded = read_each(connection, (_VERSIONS, keys), (_RECORDED, keys))
    first = known.sort_values("observed_at").drop_duplicates("listing_key").rename(columns={"observed_at": "first_at"})
    seen = links.merge(first, on="listing_key")
    added = (seen["observed_at"] > seen["first_at"]) | seen["url_id"].isin(list(swapped))
    seen["observed_at"] = seen["known_at"].where(seen["known_at"] > seen["observed_at"], seen["observed_at"])
    # What was put into an old listing later is no older than our knowing of it: the listing's age vouches for nothing.
    posted_late = added & (seen["observed_at"] > seen["created_at"])
    seen["created_at"] = seen["created_at"].mask(posted_late, seen["observed_at"])
    seen = seen.drop(columns=["known_at", "first_at", "url_id"]).assign(matched=0)
    # A picture may stand in a listing under several addresses: the first of them counts, in whichever order they came.
    both = pd.concat([recorded[list(seen.columns)].assign(_new=False), seen.assign(_new=True)], ignore_index=True)
    both = both.sort_values(["observed_at", "position"], kind="stable").drop_duplicates(["image_id", "listing_key"])
    new = both[both["_new"]].drop(columns="_new")
    upsert(connection, sightings, new)
    note_news(connection, new["listing_key"])


def _of_recipe(recipe: str, blobs: Sequence[str]) -> Select[Any]:
    return select(sketches.c.image_id, *(sketches.c[name] for name in blobs)).where(sketches.c.recipe == recipe)


def _stacked(rows: pd.DataFrame, blobs: Sequence[str]) -> StoredDescriptors:
    return StoredDescriptors(rows["image_id"], {name: _octets(rows[name]) for name in blobs})


def _octets(column: pd.Series) -> NDArray[np.uint8]:
    lengths = set(column.map(len))
    if len(lengths) > 1:
        raise ValueError(f"{column.name} of sketches of one recipe differ in length: {sorted(lengths)} bytes")
    return np.frombuffer(b"".join(column), np.uint8).reshape(len(column), lengths.pop() if lengths else 0)
