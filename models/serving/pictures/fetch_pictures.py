"""Download and fingerprint: addresses to stored pictures to hashes."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.catalog.market.matches import HASHED
from data.catalog.market.pictures import (
    due_fetches,
    forget_pictures,
    pending_pictures,
    read_fetches,
    save_fetches,
    save_fingerprints,
    sight_known_pictures,
)
from data.errors import LostPicture
from data.images.fetch_outcome import FetchOutcome, Reason, Revalidation
from data.images.store.local_files import read_local
from features.facts import HASH_KINDS
from features.hashing.fingerprint import RECIPE
from features.keypoints.descriptor import BLOBS
from features.point_in_time.ring_features import TIE_LIMITS
from models.serving.context import open_fetcher
from models.serving.decoding.worker_pool import workers_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.catalog.market.loads import Load
    from models.serving.context import Context
    from models.serving.decoding.worker import Message

Counts = dict[str, int]
UNREADABLE = "unreadable"


def due_downloads(context: Context, load: Load) -> list[str]:
    """Return the ids of the addresses to ask in a load; pictures known already are sighted at its listings."""
    fetch_settings = context.settings.fetch
    with context.catalog.write() as connection:
        sight_known_pictures(connection, load)
        due = due_fetches(
            connection,
            load.started_at,
            fetch_settings.max_attempts,
            revalidate_after_days=fetch_settings.revalidate_after_days,
        )
    return [*due["url_id"]]


def pictures_to_fingerprint(context: Context) -> list[str]:
    """Return the ids of the stored pictures that have no fingerprint of this recipe yet."""
    with context.catalog.read() as connection:
        return pending_pictures(connection, RECIPE)


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
    prints = fingerprint_rows(found)
    with context.catalog.write() as connection:
        save_fingerprints(connection, prints, TIE_LIMITS, descriptor_rows(found))
        forget_pictures(connection, lost, TIE_LIMITS)
    for image_id in lost:
        context.store.remove(image_id)
    return dict(Counter(prints["status"])) | ({"lost": len(lost)} if lost else {})


def fingerprint_rows(found: Sequence[Message]) -> pd.DataFrame:
    """Return all columns of the ``images`` table but ``compared``, one row for each message.

    Parameters
    ----------
    found
        What `models.serving.decoding.worker.answer` says, with ``image_id`` and ``recipe``.
    """
    # Built from objects: a column with a gap would become floating point, which cannot hold 64 bits.
    columns = ["image_id", "reason", "width", "height", "format", "orientation", "information", "recipe"]
    hashes = [*HASH_KINDS, "untransposed_phash"]
    frame = pd.DataFrame(found, columns=[*columns, *hashes], dtype=object)
    status = np.where(frame["reason"].isna(), HASHED, UNREADABLE)
    return frame.astype(dict.fromkeys(hashes, "UInt64") | {"information": "float64"}).assign(status=status)


def descriptor_rows(found: Sequence[Message]) -> pd.DataFrame:
    """Return all columns of the ``sketches`` table, one row for each message about a readable picture."""
    readable = [row for row in found if row["reason"] is None]
    return pd.DataFrame(readable, columns=["image_id", "recipe", *BLOBS], dtype=object)


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
