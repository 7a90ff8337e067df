"""Look pictures up in the catalog: which known ones are like them, and which photos were posted more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.catalog.market.matches import alike_of, denied_pairs
from data.catalog.market.photo_sightings import (
    one_photo,
    repeated_pictures,
    sightings_of,
    with_addresses,
    with_names,
)
from features.copies.pairs import without_inliers
from features.copies.photo_groups import photos, photos_by_hash
from features.copies.reverse_search import search, search_by_hash
from features.facts import DISTANCE_COLUMNS
from features.registration.edits import Edit
from features.registration.registration import describe, register
from features.registration.same_photo import operating_point
from models.serving.pictures.picture_index import open_index, open_index_for_queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from features.copies.collection import Collection
    from features.keypoints.descriptor import Descriptor
    from models.serving.context import Context
    from models.serving.pictures.query_pictures import Queries

SIMILAR_COLUMNS = (
    "query", "rank", "listing_id", "seller_id", "image_id", "image_url", "observed_at", *DISTANCE_COLUMNS, "edit",
    "same_photo", "found_by", "matched_points", "marketplace", "sightings", "sellers",
)  # fmt: skip
DUPLICATE_COLUMNS = (
    "photo", "image_id", "listing_id", "seller_id", "image_url", "observed_at", *DISTANCE_COLUMNS, "edit",
    "same_photo", "found_by", "matched_points", "sellers", "listings", "marketplace",
)  # fmt: skip
ORDER = ["photo", "observed_at", "created_at", "listing_key", "image_id"]
PAIR = ["image_id", "other_image_id"]
LIKENESS = [*DISTANCE_COLUMNS, "edit", "same_photo", "matched_points"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """What counts as a hit; see `features.copies.reverse_search` for the defaults."""

    kind: str | None = None
    within: int | None = None
    min_probability: float | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Rows, and among how many known pictures they were found."""

    rows: pd.DataFrame
    known: int


def find_similar(context: Context, queries: Queries, options: SearchOptions, now: datetime) -> SearchResult:
    """Rank the known pictures like each query, each named by its earliest sighting.

    Returns
    -------
    SearchResult
        ``SIMILAR_COLUMNS``: ``sightings`` counts the listings that showed the picture, ``sellers`` their sellers.
    """
    known = open_index_for_queries(context, now)
    with context.catalog.read() as connection:
        different = denied_pairs(connection, queries.prints["image_id"])
    hits = _hits(queries, known, options, different)
    with context.catalog.read() as connection:
        seen = sightings_of(connection, hits["image_id"])
        earliest = with_addresses(connection, with_names(connection, seen.drop_duplicates("image_id")))
    counts = seen.groupby("image_id").agg(sightings=("listing_key", "size"), sellers=("seller_key", "nunique"))
    rows = hits.merge(earliest, on="image_id", how="left").join(counts, on="image_id")
    names = queries.prints["query"].reset_index(drop=True)
    return SearchResult(
        rows.assign(query=rows["query"].map(names))[list(SIMILAR_COLUMNS)], len(known.pictures.image_id)
    )


def _hits(queries: Queries, known: Collection, options: SearchOptions, different: pd.DataFrame) -> pd.DataFrame:
    def read(image_ids: Sequence[str]) -> Mapping[str, Descriptor]:
        return {image_id: queries.sketches[image_id] for image_id in image_ids}

    if options.kind is None:
        least = options.min_probability
        return search(queries.prints, read, known, min_probability=least, limit=options.limit, different=different)
    return search_by_hash(
        queries.prints,
        read,
        known,
        kind=options.kind,
        within=options.within,
        min_probability=options.min_probability or 0.0,
        limit=options.limit,
    )


def find_duplicates(context: Context, now: datetime, *, kind: str | None = None, within: int = 0) -> SearchResult:
    """Return every posting of the photos that were posted more than once, in other bytes or the same.

    Returns
    -------
    SearchResult
        ``DUPLICATE_COLUMNS``, one row for each picture in each listing, the earliest posting of a photo first;
        distances, ``edit``, ``same_photo`` and ``matched_points`` compare with the picture of that one. Photos are
        numbered from 1, those of the most sellers first; ``sellers`` and ``listings`` count over the whole photo.
    """
    known = open_index(context, now)
    with context.catalog.read() as connection:
        if kind is None:
            pairs = one_photo(connection, operating_point(len(known.pictures.image_id)))
            groups = photos(pairs, denied_pairs(connection, pairs["image_id"]))
        else:
            groups = photos_by_hash(known.pictures, kind=kind, within=within)
        grouped = _photos(groups, known, repeated_pictures(connection))
        seen = sightings_of(connection, grouped["image_id"]).merge(grouped, on="image_id")
        postings = _numbered(seen[seen.groupby("group")["group"].transform("size") > 1])
        named = with_addresses(connection, with_names(connection, postings))
        stored = alike_of(connection, postings["image_id"], [*PAIR, *LIKENESS])
    rows = pd.concat([named, _beside_earliest(named, known, stored)], axis=1)
    by_points = (rows["matched_points"] > 0) & (kind is None)
    found_by = np.select([rows["edit"] == Edit.NONE, by_points], ["bytes", "points"], "hashes")
    rows["found_by"] = pd.array(found_by, dtype="str")
    return SearchResult(rows[list(DUPLICATE_COLUMNS)], len(known.pictures.image_id))


def spread(rows: pd.DataFrame) -> dict[str, int]:
    """Say how far duplicates are spread: photos, those of several sellers, pictures, listings and sellers."""
    return {
        "photos": rows["photo"].nunique(),
        "photos_of_several_sellers": rows.loc[rows["sellers"] > 1, "photo"].nunique(),
        "pictures": rows["image_id"].nunique(),
        "listings": len(rows.drop_duplicates(["marketplace", "listing_id"])),
        "sellers": len(rows.drop_duplicates(["marketplace", "seller_id"])),
    }


def _photos(groups: pd.DataFrame, known: Collection, repeated: pd.Series[str]) -> pd.DataFrame:
    """Add the pictures that were repeated only as they are, each a group of its own."""
    is_known = known.pictures.rows(repeated) >= 0
    alone = repeated[is_known & ~repeated.isin(groups["image_id"]).to_numpy()].reset_index(drop=True)
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


def _beside_earliest(postings: pd.DataFrame, known: Collection, stored: pd.DataFrame) -> pd.DataFrame:
    """Compare each posting's picture with that of the earliest one; what is stored of a pair counts."""
    earliest = postings.groupby("photo")["image_id"].transform("first")
    both = pd.DataFrame({"image_id": postings["image_id"], "other_image_id": earliest})
    pairs = pd.DataFrame({"image_id": both.min(axis=1), "other_image_id": both.max(axis=1)}, dtype="str")
    itself = pairs[pairs["image_id"] == pairs["other_image_id"]].drop_duplicates()
    nothing_differs = dict.fromkeys(DISTANCE_COLUMNS, 0)
    itself = itself.assign(**nothing_differs, edit=Edit.NONE.value, same_photo=1.0, matched_points=0)
    told = pd.concat([stored, itself])
    untold = pairs.drop_duplicates().merge(told[PAIR], how="left", indicator=True).query("_merge == 'left_only'")[PAIR]
    found = pairs.merge(pd.concat([told, _compared(known, untold)]), how="left")[LIKENESS]
    # Pairs that an earlier version compared have no points.
    return found.fillna({"matched_points": 0}).astype(dict.fromkeys([*DISTANCE_COLUMNS, "matched_points"], "int64"))


def _compared(known: Collection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Register the pictures of each pair on each other."""
    pictures = known.pictures
    rows = without_inliers(pictures.rows(pairs["other_image_id"]), pictures.rows(pairs["image_id"]))
    found = describe(register(rows, pictures, known.read, pictures, known.read))
    return pd.concat([pairs.reset_index(drop=True), found[LIKENESS]], axis=1)
