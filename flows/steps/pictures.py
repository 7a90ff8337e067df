"""Download and fingerprint: addresses to stored pictures to hashes."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from data.catalog.images import forget_pictures, read_fetches, save_fetches, save_fingerprints
from data.catalog.matches import HASHED
from data.errors import LostPicture
from data.images.decode import Unreadable, decode
from data.images.fetch import Fetcher
from data.images.local import read_local
from data.images.outcome import FetchOutcome, Reason, Revalidation
from features.facts import HASH_KINDS
from features.fast_path import warm
from features.hashing import RECIPE, fingerprint
from flows.console import STDERR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.catalog.loads import Load
    from flows.context import Context

UNREADABLE = "unreadable"
WORTH_WARMING = 32
"""Pictures from which on getting the fast way of hashing ready costs less than it saves."""
Counts = dict[str, int]


def fetch(context: Context, load: Load, url_ids: Sequence[int], images_root: Path | None) -> Counts:
    """Ask some addresses, store what they gave, and record the outcome of each."""
    with context.catalog.read() as connection:
        asked = read_fetches(connection, url_ids)
    is_web = asked["image_url"].str.contains("://", regex=False)
    files = asked.loc[~is_web, "image_url"].tolist()
    outcomes = [*_from_web(context, asked[is_web]), *_from_files(context, files, images_root)]
    rows = pd.DataFrame([asdict(outcome) for outcome in outcomes]).rename(columns={"url": "image_url"})
    context.store.flush()  # before the catalog knows them, so that a power cut loses no picture it knows
    with context.catalog.write() as connection:
        save_fetches(connection, load, asked.merge(rows, on="image_url"))
    return dict(Counter(str(outcome.status) for outcome in outcomes))


def fingerprint_pictures(context: Context, image_ids: Sequence[str]) -> Counts:
    """Decode and hash some stored pictures; record why one cannot be read, and ask again for one that was lost."""
    if len(image_ids) >= WORTH_WARMING:
        warm(STDERR.print)
    found, lost = [], []
    for image_id in image_ids:
        try:
            found.append(_fingerprint(context, image_id))
        except LostPicture:
            lost.append(image_id)
    rows = _frame(found)
    with context.catalog.write() as connection:
        save_fingerprints(connection, rows)
        forget_pictures(connection, lost)
    for image_id in lost:
        context.store.remove(image_id)
    return dict(Counter(rows["status"])) | ({"lost": len(lost)} if lost else {})


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    # Built from objects: a column with a gap would become floating point, which cannot hold 64 bits.
    columns = ["image_id", "status", "reason", "width", "height", "format", "orientation", "information", "recipe"]
    frame = pd.DataFrame(rows, columns=[*columns, *HASH_KINDS], dtype=object)
    return frame.astype(dict.fromkeys(HASH_KINDS, "UInt64") | {"information": "float64"})


def _from_web(context: Context, asked: pd.DataFrame) -> list[FetchOutcome]:
    if asked.empty:
        return []
    known = asked.dropna(subset="known_image_id").astype(object).where(lambda frame: frame.notna(), None)
    columns = ["known_image_id", "known_etag", "known_last_modified"]
    earlier = {url: Revalidation(*row) for url, *row in known[["image_url", *columns]].itertuples(index=False)}
    with Fetcher(context.settings.fetch, context.store) as fetcher:
        return fetcher.fetch(asked["image_url"].tolist(), known=earlier)


def _from_files(context: Context, paths: list[str], images_root: Path | None) -> list[FetchOutcome]:
    if images_root is None:
        return [FetchOutcome(path, Reason.MISSING_FILE, "a file path needs --images-root") for path in paths]
    return read_local(paths, root=images_root, store=context.store, max_bytes=context.settings.fetch.max_bytes)


def _fingerprint(context: Context, image_id: str) -> dict[str, object]:
    picture = decode(context.store.get(image_id), context.settings.decode)
    if isinstance(picture, Unreadable):
        return {"image_id": image_id, "status": UNREADABLE, "recipe": RECIPE, "reason": str(picture.reason)}
    found = fingerprint(picture.image)
    return asdict(found) | {
        "image_id": image_id,
        "status": HASHED,
        "reason": None,
        "width": picture.width,
        "height": picture.height,
        "format": picture.format,
        "orientation": picture.orientation,
        "recipe": RECIPE,
    }
