"""Reading the facts about some listings and their sellers' pasts, as frames that features are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import select

from data.catalog.cases.verdict_labels import verdict_labels
from data.catalog.database.frames import read_by_keys, read_frame, whole_table
from data.catalog.database.schema import alike, images, labels, listings, matches, sellers, sightings, verdicts
from data.catalog.market.matches import DISTANCES, FINGERPRINT, HASHED, SELLER, SIGHTING, measured
from data.catalog.market.photo_ties import taken_around
from data.catalog.market.texts import texts_like

if TYPE_CHECKING:
    from sqlalchemy import Connection

LISTING = (
    "listing_key", "seller_key", "observed_at", "created_at", "marketplace", "title", "description", "category",
    "location", "price", "currency",
)  # fmt: skip
MATCH = (
    "listing_key", "image_id", "seller_key", "observed_at", "other_listing_key", "other_image_id", "other_seller_key",
    "other_observed_at", "other_created_at", *DISTANCES, "edit", "same_photo", "sellers_sharing", "sightings",
)  # fmt: skip
PAST = ("seller_key", "listing_key", "observed_at", "category", "location", "price", "currency")
"""What is read of a seller's other listings, all from one index."""


def facts_about(connection: Connection, moments: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Read the frames of `features.facts.Facts` that describe some moments, all but the prices.

    Parameters
    ----------
    moments
        ``listing_key, as_of``; not empty.
    """
    keys = moments["listing_key"]
    described = read_by_keys(connection, whole_table(listings, LISTING), listings.c.listing_key, keys)
    concerned = described["seller_key"].drop_duplicates()
    past = read_by_keys(connection, whole_table(listings, PAST), listings.c.seller_key, concerned)
    found = read_by_keys(connection, whole_table(matches, MATCH), matches.c.seller_key, concerned)
    copied = found.loc[found["listing_key"].isin(keys), "other_listing_key"]
    others = read_by_keys(connection, whole_table(listings, LISTING), listings.c.listing_key, copied)
    seen = _sightings(connection, keys, concerned)
    prints = whole_table(images, FINGERPRINT).where(images.c.status == HASHED)
    taken = taken_around(connection, concerned)
    texts = texts_like(connection, keys)
    accounts = pd.concat([concerned, taken["seller_key"], texts["other_seller_key"]])
    return {
        "listings": _versions(described, others, past),
        "sellers": read_by_keys(connection, whole_table(sellers, SELLER), sellers.c.seller_key, accounts),
        "sightings": seen,
        "fingerprints": read_by_keys(connection, prints, images.c.image_id, seen["image_id"]),
        "matches": measured(found),
        "other_photos": _photos(connection, copied),
        "labels": known_labels(connection, _decided(connection, accounts)).drop(columns="source"),
        "taken": taken,
        "texts": texts,
    }


def _versions(described: pd.DataFrame, others: pd.DataFrame, past: pd.DataFrame) -> pd.DataFrame:
    """Put versions of listings together, each once and with all that was read of it."""
    every = pd.concat([described, others, past.reindex(columns=described.columns).astype(described.dtypes)])
    return every.drop_duplicates(["listing_key", "observed_at"], ignore_index=True)


def _sightings(connection: Connection, keys: pd.Series, concerned: pd.Series) -> pd.DataFrame:
    """Return all photos of some listings, and of some sellers those that have a match."""
    own = read_by_keys(connection, whole_table(sightings, SIGHTING), sightings.c.listing_key, keys)
    matched = select(matches.c.listing_key, matches.c.image_id, matches.c.seller_key).distinct().subquery()
    query = select(*(sightings.c[name] for name in SIGHTING)).join_from(
        matched,
        sightings,
        (sightings.c.image_id == matched.c.image_id) & (sightings.c.listing_key == matched.c.listing_key),
    )
    further = read_by_keys(connection, query, matched.c.seller_key, concerned)
    return pd.concat([own, further]).drop_duplicates(["image_id", "listing_key"], ignore_index=True)


def _decided(connection: Connection, seller_keys: pd.Series) -> pd.DataFrame:
    """Return ``listing_key, seller_key`` of the listings of some sellers that anything was decided on."""
    by_others, by_analysts = (
        select(table.c.listing_key).where(table.c.listing_key == listings.c.listing_key).exists()
        for table in (labels, verdicts)
    )
    query = whole_table(listings, ("listing_key", "seller_key")).where(by_others | by_analysts)
    return read_by_keys(connection, query, listings.c.seller_key, seller_keys).drop_duplicates()


def known_labels(connection: Connection, of_listings: pd.DataFrame) -> pd.DataFrame:
    """Return what was decided on some listings (``listing_key, seller_key, label, known_at, source``).

    Labels from outside and analysts' verdicts together, each from the moment it could be known; all of a listing's.
    """
    names = ("listing_key", "label", "labelled_at", "observed_at", "source")
    found = read_by_keys(connection, whole_table(labels, names), labels.c.listing_key, of_listings["listing_key"])
    owners = of_listings[["listing_key", "seller_key"]].drop_duplicates("listing_key")
    found["known_at"] = found["labelled_at"].where(found["labelled_at"] > found["observed_at"], found["observed_at"])
    every = pd.concat([found, verdict_labels(connection, owners["listing_key"])], ignore_index=True)
    return every.merge(owners, on="listing_key")[["listing_key", "seller_key", "label", "known_at", "source"]]


@dataclass(frozen=True, slots=True)
class Market:
    """What training needs besides features, about every listing known.

    Parameters
    ----------
    listings
        First version of each: ``listing_key, seller_key, listing_id, seller_id, category, price, currency``.
    labels
        As `known_labels` gives them.
    sightings
        ``image_id, listing_key, seller_key, observed_at``.
    alike
        ``image_id, other_image_id, same_photo``.
    """

    listings: pd.DataFrame
    labels: pd.DataFrame
    sightings: pd.DataFrame
    alike: pd.DataFrame


def market(connection: Connection) -> Market:
    """Read what training needs about the whole market."""
    names = ("listing_key", "observed_at", "seller_key", "listing_id", "seller_id", "category", "price", "currency")
    versions = read_frame(connection, whole_table(listings, names))
    first = versions.sort_values("observed_at").drop_duplicates("listing_key").drop(columns="observed_at")
    pairs = whole_table(alike, ("image_id", "other_image_id", "same_photo"))
    return Market(
        listings=first,
        labels=known_labels(connection, first),
        sightings=read_frame(
            connection, whole_table(sightings, ("image_id", "listing_key", "seller_key", "observed_at"))
        ),
        alike=read_frame(connection, pairs),
    )


def _photos(connection: Connection, listing_keys: pd.Series) -> pd.DataFrame:
    """Return the photos of some listings and their sizes in pixels, NaN where a picture is unreadable."""
    readable = (images.c.image_id == sightings.c.image_id) & (images.c.status == HASHED)
    query = select(
        *(sightings.c[name] for name in ("listing_key", "image_id", "observed_at")), images.c.width, images.c.height
    ).join_from(sightings, images, readable, isouter=True)
    photos = read_by_keys(connection, query, sightings.c.listing_key, listing_keys)
    return photos.astype({"width": "float64", "height": "float64"})
