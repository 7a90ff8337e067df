"""Pictures to be looked at once: fetched or handed in, fingerprinted, and gone with the folder that they lie in."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from data.images.download.fetcher import Fetcher
from data.images.store.image_store import ImageStore
from data.images.store.local_files import take_in
from data.progress import advance
from models.serving.decoding.worker_pool import workers_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from data.images.fetch_outcome import FetchOutcome
    from models.serving.context import Context
    from models.serving.decoding.worker import Message


@contextmanager
def temporary_store(context: Context) -> Iterator[Context]:
    """Yield the context with a picture store of its own, which is gone when the block ends."""
    with TemporaryDirectory(prefix="seenbefore-") as folder:
        yield replace(context, store=ImageStore(folder))


def fetch_once(apart: Context, urls: Sequence[str]) -> list[FetchOutcome]:
    """Ask some addresses, guarded as always; what is no address of the web is refused, never opened as a file."""
    if not urls:
        return []
    with Fetcher(apart.settings.fetch, apart.store) as fetcher:
        return fetcher.fetch(urls)


def take_upload(apart: Context, name: str, content: bytes) -> FetchOutcome:
    """Take in the bytes of a picture that somebody sent."""
    return take_in(name, content, store=apart.store, max_bytes=apart.settings.fetch.max_bytes)


def fingerprint_stored(apart: Context, image_ids: Iterable[str]) -> dict[str, Message]:
    """Fingerprint and sketch stored pictures; a message with a ``reason`` says why one cannot be read.

    Returns
    -------
    dict
        By picture, what `models.serving.decoding.worker.answer` says of it.
    """
    wanted = list(dict.fromkeys(image_ids))
    found = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for image_id, message in zip(wanted, pool.map(partial(_fingerprinted, apart), wanted), strict=True):
            found[image_id] = message | {"image_id": image_id}
            advance("reading pictures", 1, len(wanted))
    return found


def _fingerprinted(apart: Context, image_id: str) -> Message:
    return workers_for(apart.settings.decode).fingerprint(apart.store.get(image_id))
