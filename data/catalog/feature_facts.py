"""Reading the facts about some listings and their sellers' pasts, as frames that features are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import and_, select

from data.catalog.database.frames import KEYS, read_by_keys, read_each, read_frame, read_portions, whole_table
from data.catalog.database.schema import (
    alike,
    different_photos,
    images,
    labels,
    listings,
    matches,
    sellers,
    sightings,
    verdicts,
)
from data.catalog.market.matches import DISTANCES, FINGERPRINT, HASHED, SELLER, SIGHTING, measured
from data.catalog.market.photo_ties import taken_around
from data.catalog.market.texts import texts_like

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from data.catalog.market.photo_ties import TieLimits

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

_LISTINGS = select(*(listings.c[name] for name in LISTING))
_PAST = select(*(listings.c[name] for name in PAST)).where(listings.c.seller_key.in_(KEYS))
_MATCHES = select(*(matches.c[name] for name in MATCH)).where(matches.c.seller_key.in_(KEYS))
_ACCOUNTS = select(*(sellers.c[name] for name in SELLER)).where(sellers.c.seller_key.in_(KEYS))
_PRINTS = select(*(images.c[name] for name in FINGERPRINT)).where(
    images.c.status == HASHED, images.c.image_id.in_(KEYS)
)
_PHOTOS = select(*(sightings.c[name] for name in SIGHTING))
_OWN_PHOTOS = _PHOTOS.where(sightings.c.listing_key.in_(KEYS))
_MATCHED = select(matches.c.listing_key, matches.c.image_id, matches.c.seller_key).distinct().subquery()
_MATCHED_PHOTOS = _PHOTOS.join_from(
    _MATCHED,
    sightings,
    (sightings.c.image_id == _MATCHED.c.image_id) & (sightings.c.listing_key == _MATCHED.c.listing_key),
).where(_MATCHED.c.seller_key.in_(KEYS))
"""Photos that have a match, of some sellers."""
_READABLE = (images.c.image_id == sightings.c.image_id) & (images.c.status == HASHED)
_SIZED_PHOTOS = (
    select(sightings.c.listing_key, sightings.c.image_id, sightings.c.observed_at, images.c.width, images.c.height)
    .join_from(sightings, images, _READABLE, isouter=True)
    .where(sightings.c.listing_key.in_(KEYS))
)
"""Photos of some listings and their sizes in pixels, missing where a picture is unreadable."""
_OTHERS = sightings.alias()
_VERSIONS = (
    select(sightings.c.listing_key, alike.c.image_id, alike.c.other_image_id, alike.c.same_photo)
    .add_columns(different_photos.c.known_at.label("denied_at"))
    .join_from(sightings, _OTHERS, _OTHERS.c.listing_key == sightings.c.listing_key)
    .join(alike, and_(alike.c.image_id == sightings.c.image_id, alike.c.other_image_id == _OTHERS.c.image_id))
    .join(
        different_photos,
        and_(
            different_photos.c.image_id == alike.c.image_id,
            different_photos.c.other_image_id == alike.c.other_image_id,
        ),
        isouter=True,
    )
    .where(sightings.c.listing_key.in_(KEYS))
)
"""Pictures of some listings that are alike others of the same listing."""
_BY_OTHERS, _BY_ANALYSTS = (
    select(table.c.listing_key).where(table.c.listing_key == listings.c.listing_key).exists()
    for table in (labels, verdicts)
)
_DECIDED = (
    select(listings.c.listing_key, listings.c.seller_key)
    .where(_BY_OTHERS | _BY_ANALYSTS)
    .where(listings.c.seller_key.in_(KEYS))
)
"""Listings of some sellers that anything was decided on."""
_LABELS = select(
    labels.c.listing_key, labels.c.label, labels.c.labelled_at, labels.c.observed_at, labels.c.source
).where(labels.c.listing_key.in_(KEYS))
_VERDICTS = (
    select(verdicts.c.listing_key, verdicts.c.verdict.label("label"), verdicts.c.decided_at.label("known_at"))
    .where(verdicts.c.image_id.is_(None), verdicts.c.other_image_id.is_(None))
    .where(verdicts.c.listing_key.in_(KEYS))
)
"""Verdicts on listings: one on a pair of pictures ("not the same photo") says nothing of the listing."""
ANALYST = "analyst"
"""The ``source`` of labels that are verdicts."""


def facts_about(connection: Connection, moments: pd.DataFrame, limits: TieLimits) -> dict[str, pd.DataFrame]:
    """Read the frames of `features.facts.Facts` that describe some moments, all but the prices.

    Parameters
    ----------
    moments
        ``listing_key, as_of``; not empty.
    limits
        How far ties are read.
    """
    keys = moments["listing_key"]
    described = read_by_keys(connection, _LISTINGS, listings.c.listing_key, keys)
    concerned = described["seller_key"].drop_duplicates()
    taken = taken_around(connection, concerned, limits)
    texts = texts_like(connection, keys)
    accounts = pd.concat([concerned, taken["seller_key"], texts["other_seller_key"]])
    past, matched, own_photos, matched_photos, accounts_told, decided = read_each(
        connection,
        (_PAST, concerned),
        (_MATCHES, concerned),
        (_OWN_PHOTOS, keys),
        (_MATCHED_PHOTOS, concerned),
        (_ACCOUNTS, accounts),
        (_DECIDED, accounts),
    )
    copied = matched.loc[matched["listing_key"].isin(keys), "other_listing_key"]
    photos = pd.concat([own_photos, matched_photos]).drop_duplicates(["image_id", "listing_key"], ignore_index=True)
    prints, others, other_photos, versions = read_each(
        connection,
        (_PRINTS, photos["image_id"]),
        (_LISTINGS.where(listings.c.listing_key.in_(KEYS)), copied),
        (_SIZED_PHOTOS, copied),
        (_VERSIONS, pd.concat([keys, copied])),
    )
    return {
        "listings": _versions(described, others, past),
        "sellers": accounts_told,
        "sightings": photos,
        "fingerprints": prints,
        "matches": measured(matched),
        "other_photos": other_photos.astype({"width": "float64", "height": "float64"}),
        "versions": versions,
        "labels": known_labels(connection, decided.drop_duplicates()).drop(columns="source"),
        "taken": taken,
        "texts": texts,
    }


def _versions(described: pd.DataFrame, others: pd.DataFrame, past: pd.DataFrame) -> pd.DataFrame:
    """Put versions of listings together, each once and with all that was read of it."""
    every = pd.concat([described, others, past.reindex(columns=described.columns).astype(described.dtypes)])
    return every.drop_duplicates(["listing_key", "observed_at"], ignore_index=True)


def known_labels(connection: Connection, of_listings: pd.DataFrame) -> pd.DataFrame:
    """Return what was decided on some listings (``listing_key, seller_key, label, known_at, source``).

    Labels from outside and analysts' verdicts together, each from the moment it could be known; all of a listing's.
    """
    owners = of_listings[["listing_key", "seller_key"]].drop_duplicates("listing_key")
    stated, given = read_each(connection, (_LABELS, owners["listing_key"]), (_VERDICTS, owners["listing_key"]))
    later = stated["labelled_at"] > stated["observed_at"]
    stated["known_at"] = stated["labelled_at"].where(later, stated["observed_at"])
    every = pd.concat([stated, _as_labels(given)], ignore_index=True)
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


def verdict_labels(connection: Connection, listing_keys: pd.Series[int]) -> pd.DataFrame:
    """Return every verdict on some listings as ``listing_key, label, known_at, source``, in no order.

    A verdict is known from the moment it was given. None is dropped for a later one: which of them counts depends on
    the moment that is looked at, and an undo is a later verdict. A verdict on a pair of pictures ("not the same photo")
    says nothing of the listing and is left out.

    Parameters
    ----------
    listing_keys
        Of the listings asked about.
    """
    return _as_labels(read_portions(connection, _VERDICTS, listing_keys))


def _as_labels(given: pd.DataFrame) -> pd.DataFrame:
    return given.assign(source=ANALYST).astype({"source": "str"})
