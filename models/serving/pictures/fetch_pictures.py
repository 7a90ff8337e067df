"""Download and fingerprint: addresses to stored pictures to hashes."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from data.catalog.market.pictures import forget_pictures, read_fetches, save_fetches, save_fingerprints
from data.errors import LostPicture
from data.images.fetch_outcome import FetchOutcome, Reason, Revalidation
from data.images.store.local_files import read_local
from features.hashing.fingerprint import RECIPE
from models.serving.context import open_fetcher
from models.serving.decoding.fingerprint_rows import prints_of, sketches_of
from models.serving.decoding.worker_pool import workers_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.catalog.market.loads import Load
    from models.serving.context import Context

Counts = dict[str, int]


def fetch(context: Context, load: Load, url_ids: Sequence[str], images_root: Path | None) -> Counts:
    """Ask some addresses, store what they gave, and record the outcome of each."""
    with context.catalog.read() as connection:
        asked = read_fetches(connection, url_ids)
    is_web = asked["image_url"].str.contains("://", regex=False)
    files = asked.loc[~is_web, "image_url"].tolist()
    outcomes = [*_from_web(context, asked[is_web]), *_from_files(context, files, images_root)]
    rows = pd.DataFrame([asdict(outcome) for outcome in outcomes]).rename(columns={"url": "image_url"})
    context.store.flush(rows["image_id"].dropna())  # first, so that a power cut loses no picture the catalog knows
    with context.catalog.write() as connection:
        save_fetches(connection, load, asked.merge(rows, on="image_url"))
    return dict(Counter(str(outcome.status) for outcome in outcomes))


def fingerprint_pictures(context: Context, image_ids: Sequence[str]) -> Counts:
    """Hash and sketch some stored pictures; record why one cannot be read, and ask again for one that was lost."""
    workers = workers_for(context.settings.decode)
    found, lost = [], []
    for image_id in image_ids:
        try:
            content = context.store.get(image_id)
        except LostPicture:
            lost.append(image_id)
        else:
            found.append(workers.fingerprint(content) | {"image_id": image_id, "recipe": RECIPE})
    prints = prints_of(found)
    with context.catalog.write() as connection:
        save_fingerprints(connection, prints, sketches_of(found))
        forget_pictures(connection, lost)
    for image_id in lost:
        context.store.remove(image_id)
    return dict(Counter(prints["status"])) | ({"lost": len(lost)} if lost else {})


def _from_web(context: Context, asked: pd.DataFrame) -> list[FetchOutcome]:
    if asked.empty:
        return []
    known = asked.dropna(subset="known_image_id").astype(object).where(lambda frame: frame.notna(), None)
    columns = ["known_image_id", "known_etag", "known_last_modified"]
    earlier = {url: Revalidation(*row) for url, *row in known[["image_url", *columns]].itertuples(index=False)}
    fetcher = open_fetcher(context.settings.fetch, context.store)
    return fetcher.fetch(asked["image_url"].tolist(), known=earlier)


def _from_files(context: Context, paths: list[str], images_root: Path | None) -> list[FetchOutcome]:
    if images_root is None:
        return [FetchOutcome(path, Reason.MISSING_FILE, "a file path needs --images-root") for path in paths]
    return read_local(paths, root=images_root, store=context.store, max_bytes=context.settings.fetch.max_bytes)
