"""Take in the pictures that somebody asks about: files, folders and addresses, fetched, decoded and fingerprinted."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.errors import SourceError
from data.images.fetch import Fetcher
from data.images.local import read_local
from data.images.outcome import FetchOutcome, Reason
from data.images.store import ImageStore
from data.progress import advance
from features.facts import FINGERPRINT_COLUMNS, HASH_KINDS
from features.packing import unpack
from models.serving.decoding.pool import workers_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from features.sketch import Sketch
    from models.serving.context import Context
    from models.serving.decoding.messages import Message

ADVICE = "Give JPEG, PNG, WebP or GIF files, folders of them, or http(s) addresses."


@dataclass(frozen=True, slots=True)
class Queries:
    """Pictures that are asked about.

    Parameters
    ----------
    context
        Its store holds them, apart from the known pictures.
    prints
        ``query`` (the file's path or the address) and ``FINGERPRINT_COLUMNS``, one row for each readable picture, in
        the order in which they were given.
    sketches
        What the search for copies needs of these, by ``image_id``.
    unread
        The others: name and reason.
    """

    context: Context
    prints: pd.DataFrame
    sketches: dict[str, Sketch]
    unread: tuple[tuple[str, str], ...]


@contextmanager
def taken_in(context: Context, images: Sequence[str]) -> Iterator[Queries]:
    """Yield the pictures of some files, folders (all files directly in them) and addresses.

    They are kept in a folder that is gone when the block ends: asking leaves nothing behind.

    Raises
    ------
    SourceError
        None of them could be read; each is named with its reason.
    """
    with TemporaryDirectory(prefix="seenbefore-") as folder:
        yield _read_all(replace(context, store=ImageStore(folder)), images)


def _read_all(aside: Context, images: Sequence[str]) -> Queries:
    outcomes = _outcomes(aside, images)
    rows: list[Message] = []
    unread: list[tuple[str, str]] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for outcome, found in zip(outcomes, pool.map(partial(_read, aside), outcomes), strict=True):
            if isinstance(found, str):
                unread.append((_shown(outcome.url), found))
            else:
                rows.append({"query": _shown(outcome.url), **found})
            advance("reading pictures", 1, len(outcomes))
    if not rows:
        listed = "; ".join(f"{name}: {reason.rstrip('.')}" for name, reason in unread)
        raise SourceError("any of the pictures", listed, ADVICE)
    prints = pd.DataFrame(rows, columns=["query", *FINGERPRINT_COLUMNS])
    sketches = {row["image_id"]: unpack(row) for row in rows}
    return Queries(aside, prints.astype(dict.fromkeys(HASH_KINDS, np.uint64)), sketches, tuple(unread))


def _outcomes(aside: Context, images: Sequence[str]) -> list[FetchOutcome]:
    """Fetch every picture once, in the order in which they were given."""
    names = list(dict.fromkeys(name for image in images for name in _expanded(image)))
    urls = [name for name in names if _is_address(name)]
    fetched = dict(zip(urls, _from_web(aside, urls), strict=True))
    return [fetched[name] if name in fetched else _from_file(aside, name) for name in names]


def _is_address(image: str) -> bool:
    return "://" in image


def _expanded(image: str) -> list[str]:
    """Return the files of a folder, or what was given."""
    if _is_address(image) or not Path(image).is_dir():
        return [image]
    return sorted(str(file) for file in Path(image).iterdir() if file.is_file()) or [image]


def _from_web(aside: Context, urls: Sequence[str]) -> list[FetchOutcome]:
    if not urls:
        return []
    with Fetcher(aside.settings.fetch, aside.store) as fetcher:
        return fetcher.fetch(urls)


def _from_file(aside: Context, name: str) -> FetchOutcome:
    path = Path(name)
    if not path.exists():
        return FetchOutcome(name, Reason.MISSING_FILE, "There is no such file or folder.")
    if path.is_dir():
        return FetchOutcome(name, Reason.NOT_A_FILE, "The folder holds no files.")
    file, max_bytes = path.resolve(), aside.settings.fetch.max_bytes
    outcome = read_local([file.name], root=file.parent, store=aside.store, max_bytes=max_bytes)[0]
    return replace(outcome, url=name)


def _read(aside: Context, outcome: FetchOutcome) -> Message | str:
    """Fingerprint and sketch a picture, or say why that cannot be."""
    if outcome.image_id is None:
        return outcome.detail or str(outcome.reason)
    found = workers_for(aside.settings.decode).fingerprint(aside.store.get(outcome.image_id))
    if found["reason"] is not None:
        return str(found["detail"])
    return found | {"image_id": outcome.image_id}


def _shown(name: str) -> str:
    """Return a name that any file can hold; file names need not be Unicode."""
    return name.encode(errors="replace").decode()
