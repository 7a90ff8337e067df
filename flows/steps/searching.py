"""Look pictures up in the catalog: which known ones are like them, and which photos were posted more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from data.catalog.gallery import (
    known_fingerprints,
    repeated_pictures,
    sightings_of,
    with_addresses,
    with_names,
)
from features.alike import duplicates, search
from features.comparison import Pictures, compare
from features.facts import DISTANCE_COLUMNS
from features.hashing import RECIPE

if TYPE_CHECKING:
    from flows.context import Context

SIMILAR_COLUMNS = (
    "query", "rank", "listing_id", "seller_id", "image_id", "image_url", "observed_at", *DISTANCE_COLUMNS, "edit",
    "same_photo", "marketplace", "sightings", "sellers",
)  # fmt: skip
DUPLICATE_COLUMNS = (
    "photo", "image_id", "listing_id", "seller_id", "image_url", "observed_at", *DISTANCE_COLUMNS, "edit",
    "same_photo", "sellers", "listings", "marketplace",
)  # fmt: skip
ORDER = ["photo", "observed_at", "created_at", "listing_key", "image_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What counts as a hit; see `features.alike.search` for the defaults."""

    kind: str | None = None
    within: int | None = None
    min_probability: float | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Rows, and among how many known pictures they were found."""

    rows: pd.DataFrame
    known: int


def find_similar(context: Context, queries: pd.DataFrame, sought: Sought) -> Found:
    """Rank the known pictures like each query, each named by its earliest sighting.

    Parameters
    ----------
    queries
        ``query`` (a name) and ``FINGERPRINT_COLUMNS``.

    Returns
    -------
    Found
        ``SIMILAR_COLUMNS``: ``sightings`` counts the listings that showed the picture, ``sellers`` their sellers.
    """
    with context.catalog.read() as connection:
        known = known_fingerprints(connection, RECIPE)
        hits = search(
            queries,
            known,
            kind=sought.kind,
            within=sought.within,
            min_probability=sought.min_probability,
            limit=sought.limit,
        )
        seen = sightings_of(connection, hits["image_id"])
        earliest = with_addresses(connection, with_names(connection, seen.drop_duplicates("image_id")))
    counts = seen.groupby("image_id").agg(sightings=("listing_key", "size"), sellers=("seller_key", "nunique"))
    rows = hits.merge(earliest, on="image_id", how="left").join(counts, on="image_id")
    names = queries["query"].reset_index(drop=True)
    return Found(rows.assign(query=rows["query"].map(names))[list(SIMILAR_COLUMNS)], len(known))


def find_duplicates(context: Context, *, kind: str | None = None, within: int = 0) -> Found:
    """Return every posting of the photos that were posted more than once, in other bytes or the same.

    Returns
    -------
    Found
        ``DUPLICATE_COLUMNS``, one row for each picture in each listing, the earliest posting of a photo first;
        distances, ``edit`` and ``same_photo`` compare with the picture of that one. Photos are numbered from 1, those
        of the most sellers first; ``sellers`` and ``listings`` count over the whole photo.
    """
    with context.catalog.read() as connection:
        known = known_fingerprints(connection, RECIPE)
        grouped = _photos(duplicates(known, kind=kind, within=within), known, repeated_pictures(connection))
        seen = sightings_of(connection, grouped["image_id"]).merge(grouped, on="image_id")
        postings = _numbered(seen[seen.groupby("group")["group"].transform("size") > 1])
        named = with_addresses(connection, with_names(connection, postings))
    return Found(pd.concat([named, _beside_earliest(named, known)], axis=1)[list(DUPLICATE_COLUMNS)], len(known))


def spread(rows: pd.DataFrame) -> dict[str, int]:
    """Say how far duplicates are spread: photos, those of several sellers, pictures, listings and sellers."""
    return {
        "photos": rows["photo"].nunique(),
        "photos_of_several_sellers": rows.loc[rows["sellers"] > 1, "photo"].nunique(),
        "pictures": rows["image_id"].nunique(),
        "listings": len(rows.drop_duplicates(["marketplace", "listing_id"])),
        "sellers": len(rows.drop_duplicates(["marketplace", "seller_id"])),
    }


def _photos(groups: pd.DataFrame, known: pd.DataFrame, repeated: pd.Series[str]) -> pd.DataFrame:
    """Add the pictures that were repeated only as they are, each a group of its own."""
    alone = repeated[repeated.isin(known["image_id"]) & ~repeated.isin(groups["image_id"])].reset_index(drop=True)
    first_free = 0 if groups.empty else int(groups["group"].max()) + 1
    return pd.concat([groups, pd.DataFrame({"group": alone.index + first_free, "image_id": alone})], ignore_index=True)


def _numbered(seen: pd.DataFrame) -> pd.DataFrame:
    """Give each photo its number, those of the most sellers first, and order their postings in time."""
    photos = seen.groupby("group").agg(
        sellers=("seller_key", "nunique"),
        listings=("listing_key", "nunique"),
        since=("observed_at", "min"),
        image_id=("image_id", "min"),
    )
    ordered = photos.sort_values(["sellers", "listings", "since", "image_id"], ascending=[False, False, True, True])
    number = pd.Series(range(1, len(ordered) + 1), index=ordered.index, name="photo", dtype="int64")
    counts = photos[["sellers", "listings"]]
    return seen.join(counts, on="group").join(number, on="group").sort_values(ORDER, ignore_index=True)


def _beside_earliest(postings: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    pictures = Pictures.of(known)
    rows = pd.Index(known["image_id"])
    earliest = postings.groupby("photo")["image_id"].transform("first")
    return compare(pictures, rows.get_indexer(postings["image_id"]), pictures, rows.get_indexer(earliest))
