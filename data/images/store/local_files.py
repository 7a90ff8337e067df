"""Reading pictures from a folder the caller names, and from nowhere else."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from data.images.decode import sniff
from data.images.fetch_outcome import FetchOutcome, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.images.store.image_store import ImageStore

_DETAILS = {
    Reason.NOT_A_FILE: "Only regular files are read.",
    Reason.TOO_LARGE: "The file is larger than {max_bytes} bytes.",
}


def read_local(paths: Sequence[str], *, root: Path, store: ImageStore, max_bytes: int) -> list[FetchOutcome]:
    """Take picture files below a folder into the store.

    Parameters
    ----------
    paths
        Paths relative to ``root``. Absolute ones, ``..`` and links that lead outside are refused.
    root
        The folder; links inside it may point to files inside it.
    store
        Where the files are kept.
    max_bytes
        Largest file taken.

    Returns
    -------
    list of FetchOutcome
        One for each path, in the given order.

    Raises
    ------
    StoreError
        When the store cannot be written: that is nobody's picture's fault, and ends the run.
    """
    resolved_root = root.resolve()
    return [_read_one(path, resolved_root, store, max_bytes) for path in paths]


def take_in(name: str, content: bytes, *, store: ImageStore, max_bytes: int) -> FetchOutcome:
    """Take the bytes of a picture file into the store.

    Parameters
    ----------
    name
        What the outcome calls it.
    content
        The whole file.
    store
        Where it is kept.
    max_bytes
        Largest file taken.

    Raises
    ------
    StoreError
        When the store cannot be written.
    """
    if len(content) > max_bytes:
        return FetchOutcome(name, Reason.TOO_LARGE, _DETAILS[Reason.TOO_LARGE].format(max_bytes=max_bytes))
    if not content:
        return FetchOutcome(name, Reason.EMPTY_BODY, "The file is empty.", n_bytes=0)
    if sniff(content) is None:
        return FetchOutcome(name, Reason.NOT_AN_IMAGE, "The file does not begin like a picture.", n_bytes=len(content))
    return FetchOutcome(name, Reason.FETCHED, image_id=store.put(content), n_bytes=len(content))


def _read_one(path: str, root: Path, store: ImageStore, max_bytes: int) -> FetchOutcome:
    parts = PurePosixPath(path)
    if not path or parts.is_absolute() or ".." in parts.parts:
        return FetchOutcome(path, Reason.OUTSIDE_ROOT, "Only paths below the images root are read.")
    try:
        target = (root / parts).resolve(strict=True)
        if not target.is_relative_to(root):
            return FetchOutcome(path, Reason.OUTSIDE_ROOT, "A link leads out of the images root.")
        content = _read_regular(target, max_bytes)
    except (FileNotFoundError, NotADirectoryError):
        return FetchOutcome(path, Reason.MISSING_FILE, "No such file below the images root.")
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, null bytes, permissions
        return FetchOutcome(path, Reason.UNREADABLE_FILE, f"The file cannot be read ({type(error).__name__}).")
    if isinstance(content, Reason):
        return FetchOutcome(path, content, _DETAILS[content].format(max_bytes=max_bytes))
    return take_in(path, content, store=store, max_bytes=max_bytes)


def _read_regular(target: Path, max_bytes: int) -> bytes | Reason:
    """Read a file, or say why not; never blocks on a pipe and never follows a link put there meanwhile."""
    descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Reason.NOT_A_FILE
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(max_bytes + 1)
    finally:
        os.close(descriptor)
    return content if len(content) <= max_bytes else Reason.TOO_LARGE
