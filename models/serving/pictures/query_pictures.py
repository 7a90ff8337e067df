"""Take in the pictures that somebody asks about: files, folders, addresses and uploads, decoded and fingerprinted."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.errors import SourceError
from data.images.fetch_outcome import FetchOutcome, FetchStatus, Reason
from data.images.store.local_files import read_local
from data.sources.batching import excerpt
from features.facts import FINGERPRINT_COLUMNS, HASH_KINDS
from features.keypoints.descriptor import unpack
from models.serving.pictures.temporary_pictures import fetch_once, fingerprint_stored, take_upload, temporary_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from features.keypoints.descriptor import Descriptor
    from models.serving.context import Context
    from models.serving.decoding.worker import Message

ADVICE = "Give JPEG, PNG, WebP or GIF files, folders of them, or http(s) addresses."
SAVE_IT = "Save the picture yourself and upload the file."
GIVE_A_WHOLE_ONE = "Give a whole JPEG, PNG, WebP, GIF or AVIF picture."
ADVICE_FOR_ADDRESS = {
    FetchStatus.OK: GIVE_A_WHOLE_ONE,
    FetchStatus.FAILED: f"Try again later. {SAVE_IT}",
    FetchStatus.GONE: SAVE_IT,
    FetchStatus.REFUSED: "Give a picture file, or the public http(s) address of one.",
}


@dataclass(frozen=True, slots=True)
class Address:
    """A picture somewhere on the web."""

    url: str


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of a picture file, and what its sender calls it."""

    name: str
    content: bytes


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
    sketches: dict[str, Descriptor]
    unread: tuple[tuple[str, str], ...]


@contextmanager
def read_queries(context: Context, images: Sequence[str]) -> Iterator[Queries]:
    """Yield the pictures of some files, folders (all files directly in them) and addresses.

    They are kept in a folder that is gone when the block ends: asking leaves nothing behind.

    Raises
    ------
    SourceError
        None of them could be read; each is named with its reason.
    """
    with temporary_store(context) as apart:
        queries = _queries(apart, _outcomes(apart, images))
        if queries.prints.empty:
            listed = "; ".join(f"{name}: {reason.rstrip('.')}" for name, reason in queries.unread)
            raise SourceError("any of the pictures", listed, ADVICE)
        yield queries


@contextmanager
def read_query(context: Context, picture: Address | Upload) -> Iterator[Queries]:
    """Yield the one picture that somebody far away asks about; it is gone when the block ends.

    A file of this machine is never opened, whatever the address says.

    Raises
    ------
    SourceError
        It cannot be read, with the reason.
    """
    with temporary_store(context) as apart:
        if isinstance(picture, Address):
            outcome = fetch_once(apart, [picture.url])[0]
            advice = ADVICE_FOR_ADDRESS[outcome.status]
        else:
            outcome = take_upload(apart, picture.name, picture.content)
            advice = GIVE_A_WHOLE_ONE
        queries = _queries(apart, [outcome])
        if queries.prints.empty:
            ((name, reason),) = queries.unread
            why = reason.rstrip(".")
            found = why if outcome.image_id is None else f"it is there, but cannot be opened ({why})"
            raise SourceError(f"the picture {excerpt(name)}", found, advice)
        yield queries


def _queries(apart: Context, outcomes: Sequence[FetchOutcome]) -> Queries:
    found = fingerprint_stored(apart, [outcome.image_id for outcome in outcomes if outcome.image_id is not None])
    rows: list[Message] = []
    unread: list[tuple[str, str]] = []
    for outcome in outcomes:
        name, why = _shown(outcome.url), why_unread(outcome, found)
        if why is None:
            rows.append({"query": name, **found[str(outcome.image_id)]})
        else:
            unread.append((name, why))
    prints = pd.DataFrame(rows, columns=["query", *FINGERPRINT_COLUMNS])
    sketches = {row["image_id"]: unpack(row) for row in rows}
    return Queries(apart, prints.astype(dict.fromkeys(HASH_KINDS, np.uint64)), sketches, tuple(unread))


def why_unread(outcome: FetchOutcome, found: Mapping[str, Message]) -> str | None:
    """Say in a sentence why a picture cannot be looked at; ``None`` if it can.

    Parameters
    ----------
    outcome
        What became of its address.
    found
        As `models.serving.pictures.temporary_pictures.fingerprint_stored` gives it.
    """
    if outcome.image_id is None:
        return outcome.detail or str(outcome.reason)
    message = found[outcome.image_id]
    return None if message["reason"] is None else str(message["detail"])


def _outcomes(apart: Context, images: Sequence[str]) -> list[FetchOutcome]:
    """Fetch every picture once, in the order in which they were given."""
    names = list(dict.fromkeys(name for image in images for name in _expanded(image)))
    urls = [name for name in names if _is_address(name)]
    answers = dict(zip(urls, fetch_once(apart, urls), strict=True))
    return [answers[name] if name in answers else _from_file(apart, name) for name in names]


def _is_address(image: str) -> bool:
    return "://" in image


def _expanded(image: str) -> list[str]:
    """Return the files of a folder, or what was given."""
    if _is_address(image) or not Path(image).is_dir():
        return [image]
    return sorted(str(file) for file in Path(image).iterdir() if file.is_file()) or [image]


def _from_file(apart: Context, name: str) -> FetchOutcome:
    path = Path(name)
    if not path.exists():
        return FetchOutcome(name, Reason.MISSING_FILE, "There is no such file or folder.")
    if path.is_dir():
        return FetchOutcome(name, Reason.NOT_A_FILE, "The folder holds no files.")
    file, max_bytes = path.resolve(), apart.settings.fetch.max_bytes
    outcome = read_local([file.name], root=file.parent, store=apart.store, max_bytes=max_bytes)[0]
    return replace(outcome, url=name)


def _shown(name: str) -> str:
    """Return a name that any file can hold; file names need not be Unicode."""
    return name.encode(errors="replace").decode()
