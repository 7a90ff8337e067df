"""What is known of pictures: which are one photo, and where each was seen, in the names that people know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, func, select

from data.catalog.database.frames import read_by_keys, read_frame, whole_table
from data.catalog.database.schema import alike, different_photos, fetches, image_links, listings, sightings
from data.catalog.market.matches import ALIKE, SIGHTING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from sqlalchemy import Connection

NAMES = ("listing_id", "seller_id", "marketplace")
EARLIEST_FIRST = ["observed_at", "created_at", "listing_key", "image_id"]


def one_photo(connection: Connection, least: float) -> pd.DataFrame:
    """Return the pairs of alike pictures that are one photo with some probability, unless somebody denied it."""
    denied = (different_photos.c.image_id == alike.c.image_id) & (
        different_photos.c.other_image_id == alike.c.other_image_id
    )
    query = whole_table(alike, ALIKE).where(alike.c.same_photo >= least, ~exists().where(denied))
    return read_frame(connection, query.order_by(alike.c.image_id, alike.c.other_image_id))


def repeated_pictures(connection: Connection) -> pd.Series[str]:
    """Return the ids of the pictures that stood, byte for byte, in more than one listing, sorted."""
    query = select(sightings.c.image_id).group_by(sightings.c.image_id).having(func.count() > 1)
    return read_frame(connection, query.order_by(sightings.c.image_id))["image_id"]


def sightings_of(connection: Connection, image_ids: pd.Series[str] | Sequence[str]) -> pd.DataFrame:
    """Return where some pictures were seen.

    Returns
    -------
    pandas.DataFrame
        ``image_id, listing_key, seller_key, position, observed_at, created_at``, the earliest sighting first; of those
        observed and posted at the same times, the one of the smallest ``listing_key``.
    """
    found = read_by_keys(connection, whole_table(sightings, SIGHTING), sightings.c.image_id, image_ids)
    return found.sort_values(EARLIEST_FIRST, ignore_index=True)


def with_names(connection: Connection, frame: pd.DataFrame, side: str = "") -> pd.DataFrame:
    """Name the listings in ``{side}listing_key``: add ``{side}listing_id, {side}seller_id, {side}marketplace``."""
    keys = frame[f"{side}listing_key"]
    query = whole_table(listings, ("listing_key", *NAMES)).distinct()
    known = read_by_keys(connection, query, listings.c.listing_key, keys).set_index("listing_key")
    return frame.assign(**{f"{side}{name}": keys.map(known[name]).astype("str") for name in NAMES})


def with_addresses(connection: Connection, seen: pd.DataFrame) -> pd.DataFrame:
    """Add to sightings the ``image_url`` under which the listing showed the picture first.

    It is missing where the address has come to show another picture. The rows keep their order, with a fresh index.
    """
    query = select(
        image_links.c.listing_key, image_links.c.observed_at, image_links.c.position, fetches.c.image_id,
        fetches.c.image_url,
    ).join(fetches, fetches.c.url_id == image_links.c.url_id)  # fmt: skip
    links = read_by_keys(connection, query, image_links.c.listing_key, seen["listing_key"])
    first = links.sort_values(["observed_at", "position", "image_url"]).drop_duplicates(["listing_key", "image_id"])
    return seen.merge(first[["listing_key", "image_id", "image_url"]], on=["listing_key", "image_id"], how="left")
