"""The tables of the catalog.

Times are ``BIGINT`` microseconds since 1970 in UTC, in columns named ``*_at`` or ``as_of``. Hashes are 64 unsigned bits
kept as signed ``BIGINT``. ``listing_key`` and ``seller_key`` stand for (marketplace, id), see
`data.catalog.database.frames`.
Rows of ``listings`` and ``sellers`` are versions: a change adds a row, nothing that was known is overwritten.
"""

from __future__ import annotations

from data.catalog.database.decision_tables import (
    QUEUE_ORDER,
    audits,
    cases,
    claims,
    features,
    model_events,
    past_features,
    past_scores,
    runs,
    scores,
    verdicts,
)
from data.catalog.database.market_tables import (
    TEXT_BANDS,
    alike,
    daily_prices,
    different_photos,
    fetches,
    image_links,
    images,
    labels,
    listings,
    loads,
    matches,
    metadata,
    news,
    price_days,
    rejects,
    sellers,
    sightings,
    sketches,
    taken,
    texts,
)

__all__ = (
    "QUEUE_ORDER",
    "TEXT_BANDS",
    "alike",
    "audits",
    "cases",
    "claims",
    "daily_prices",
    "different_photos",
    "features",
    "fetches",
    "image_links",
    "images",
    "labels",
    "listings",
    "loads",
    "matches",
    "metadata",
    "model_events",
    "news",
    "past_features",
    "past_scores",
    "price_days",
    "rejects",
    "runs",
    "scores",
    "sellers",
    "sightings",
    "sketches",
    "taken",
    "texts",
    "verdicts",
)
