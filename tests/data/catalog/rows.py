"""Rows as the loaders and later stages hand them to the catalog, short to write and fully typed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.images.fetch_outcome import FetchOutcome, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from data.catalog.market.loads import Load

START = pd.Timestamp("2026-01-01", tz="UTC")
RECIPE = "recipe-1"
KEY_BYTES, THUMBNAIL_BYTES = 24, 100
HASHES = ("ahash", "phash", "dhash", "whash", "colorhash")
DISTANCES = tuple(f"distance_{kind}" for kind in HASHES)
TIME, TEXT = "datetime64[us, UTC]", "str"

LISTING_TYPES = {
    "listing_id": TEXT, "seller_id": TEXT, "created_at": TIME, "image_urls": object, "observed_at": TIME,
    "marketplace": TEXT, "title": TEXT, "description": TEXT, "category": TEXT, "location": TEXT, "url": TEXT,
    "price": "float64", "currency": TEXT, "attributes": TEXT,
}  # fmt: skip
SELLER_TYPES = {
    "seller_id": TEXT, "joined_at": TIME, "feedback_count": "float64", "rating": "float64", "country": TEXT,
    "observed_at": TIME, "group_id": TEXT, "marketplace": TEXT, "attributes": TEXT,
}  # fmt: skip
LABEL_TYPES = {
    "listing_id": TEXT, "label": TEXT, "labelled_at": TIME, "source": TEXT, "observed_at": TIME, "marketplace": TEXT,
    "attributes": TEXT,
}  # fmt: skip


def day(number: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def moment(number: float) -> datetime:
    return START.to_pydatetime() + timedelta(days=number)


def typed(rows: tuple[dict[str, object], ...], types: dict[str, object]) -> pd.DataFrame:
    values = {name: [row.get(name) for row in rows] for name in types}
    frame = pd.DataFrame({name: pd.Series(values[name], dtype=kind) for name, kind in types.items()})
    return frame.assign(_line=np.arange(2, len(rows) + 2))


def listings(*rows: dict[str, object]) -> pd.DataFrame:
    defaults = {"seller_id": "ann", "created_at": day(0), "image_urls": [], "marketplace": "default"}
    return typed(tuple(defaults | row for row in rows), LISTING_TYPES)


def sellers(*rows: dict[str, object]) -> pd.DataFrame:
    return typed(tuple({"marketplace": "default"} | row for row in rows), SELLER_TYPES)


def labels(*rows: dict[str, object]) -> pd.DataFrame:
    defaults = {"label": "fraud", "labelled_at": day(5), "marketplace": "default"}
    return typed(tuple(defaults | row for row in rows), LABEL_TYPES)


def outcomes(asked: pd.DataFrame, pictures: dict[str, str], otherwise: Reason = Reason.TIMEOUT) -> pd.DataFrame:
    """What asking ``asked`` led to: the pictures given by address, and else the same failure for all."""
    found = [
        FetchOutcome(url, Reason.FETCHED, image_id=pictures[url], http_status=200, n_bytes=9)
        if url in pictures
        else FetchOutcome(url, otherwise)
        for url in asked["image_url"]
    ]
    rows = pd.DataFrame([asdict(outcome) for outcome in found]).rename(columns={"url": "image_url"})
    return asked.merge(rows, on="image_url")


def fetch_all(connection: Connection, load: Load, pictures: dict[str, str]) -> None:
    """Ask every address that is due."""
    from data.catalog.market.pictures import due_fetches, save_fetches, sight_known_pictures

    sight_known_pictures(connection, load)
    due = due_fetches(connection, load.started_at, max_attempts=3)
    if len(due):
        save_fetches(connection, load, outcomes(due, pictures))


def hashed(*image_ids: str, recipe: str = RECIPE) -> pd.DataFrame:
    """Fingerprints that differ between pictures and have their top bit set."""
    numbers = np.arange(len(image_ids), dtype=np.uint64)
    frame = pd.DataFrame(
        {
            "image_id": pd.Series(image_ids, dtype=TEXT), "status": "hashed",
            "reason": pd.Series([None] * len(numbers), dtype=TEXT),
            "width": 640, "height": 480, "format": "JPEG", "orientation": 1, "information": 5.5, "recipe": recipe,
        }
    )  # fmt: skip
    return frame.assign(**{kind: numbers + np.uint64(2**63) for kind in HASHES[:4]}, colorhash=numbers)


def octets(image_id: str, recipe: str, n_bytes: int) -> bytes:
    return np.random.default_rng([*image_id.encode(), *recipe.encode(), n_bytes]).bytes(n_bytes)


def sketched(*image_ids: str, recipe: str = RECIPE) -> pd.DataFrame:
    """Sketches of random bytes, others for each picture and recipe."""
    rows = {
        "image_id": image_ids,
        "recipe": recipe,
        "search_keys": [octets(image_id, recipe, KEY_BYTES) for image_id in image_ids],
        "thumbnail": [octets(image_id, recipe, THUMBNAIL_BYTES) for image_id in image_ids],
    }
    return pd.DataFrame(rows, dtype=object)


def alike_pairs(*pairs: tuple[str, str], same_photo: float = 0.9) -> pd.DataFrame:
    ordered = [sorted(pair) for pair in pairs]
    frame = pd.DataFrame(ordered, columns=["image_id", "other_image_id"], dtype=TEXT)
    frame = frame.assign(**dict.fromkeys(DISTANCES, 4.0), edit="recompressed", same_photo=same_photo)
    lead = pd.Series(["[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]"] * len(frame), dtype=TEXT)
    return frame.assign(matched_points=40, common_area=1.0, other_common_area=0.5, lead=lead)


def different_pairs(*pairs: tuple[str, str], known_on: float) -> pd.DataFrame:
    """Pairs in the order in which they are given."""
    frame = pd.DataFrame(pairs, columns=["image_id", "other_image_id"], dtype=TEXT)
    return frame.assign(known_at=pd.Series([day(known_on)] * len(pairs), dtype=TIME))
