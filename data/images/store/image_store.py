"""Where picture files are kept: named by the SHA-256 of their bytes, on any file system fsspec knows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import fsspec
from fsspec.implementations.local import LocalFileSystem

from data.errors import LostPicture, StoreError
from data.images.store.staging import Staging

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

LONGEST_WRITE = timedelta(hours=1)
"""How long a writer may take between beginning a file and naming it; what is older was left by one that was killed."""

_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
_FOLDER = re.compile(r"[0-9a-f]{2}")


class ImageStore:
    """A content-addressed folder of picture files, ``ab/<sha-256>``.

    Safe for several threads and processes at once: equal bytes are kept once, and a file appears under its name whole
    and safe from a power cut, or not at all. In a folder of this machine, what is put waits aside for its name until
    `flush`, so that many files are made safe at once; meanwhile only this object knows of it.

    Parameters
    ----------
    url
        Any fsspec URL: a path, ``file://…``, ``s3://…``, ``memory://…``. Folders are made as needed.

    Raises
    ------
    StoreError
        When the URL's file system is unknown or lacks its driver.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        with self._store_errors("opening it"):
            self._fs, root = fsspec.url_to_fs(url)
        self._root = root.rstrip("/")
        self._staging = Staging(self._root) if isinstance(self._fs, LocalFileSystem) else None

    def put(self, content: bytes) -> str:
        """Keep a picture file; nothing is written if it is already there. Pictures to be kept for good need `flush`.

        Returns
        -------
        str
            Its image_id: SHA-256 of ``content`` in hex.
        """
        image_id = hashlib.sha256(content).hexdigest()
        path = self._path(image_id)
        with self._store_errors(f"writing {image_id}"):
            if self._staging is not None:
                if not _stands(path, len(content)):
                    self._staging.put(image_id, content)
            elif not self._fs.exists(path):
                self._fs.pipe_file(path, content)
        return image_id

    def flush(self, image_ids: Iterable[str]) -> None:
        """Keep pictures that were put for good: no power cut takes them away, and every process sees them.

        Do it once for many pictures, before anything is written elsewhere that counts on them.

        Raises
        ------
        StoreError
            When it fails, or one of them was not put. What was put and not flushed is then to be put again: the disk
            may have lost any of the bytes.
        """
        if self._staging is None:
            return  # other file systems answer when they have a file for good
        with self._store_errors("flushing"):
            self._staging.flush({image_id: self._path(image_id) for image_id in image_ids})

    def get(self, image_id: str) -> bytes:
        """Read a picture file.

        Raises
        ------
        LostPicture
            When it is not there, or no longer holds the bytes it is named after.
        StoreError
            When it cannot be read.
        """
        path = self._path(image_id)
        with self._store_errors(f"reading {image_id}"):
            try:
                content = self._read(image_id, path)
            except FileNotFoundError as error:
                raise LostPicture(self.url, image_id, "is not there") from error
        if hashlib.sha256(content).hexdigest() != image_id:
            raise LostPicture(self.url, image_id, "holds other bytes than its name says")
        return content

    def remove(self, image_id: str) -> None:
        """Remove a picture file for good; one that is not there is no error."""
        path = self._path(image_id)
        with self._store_errors(f"removing {image_id}"), contextlib.suppress(FileNotFoundError):
            if self._staging is not None:
                self._staging.remove(image_id)
            self._fs.rm_file(path)

    def exists(self, image_id: str) -> bool:
        """Whether a picture file is kept here."""
        path = self._path(image_id)
        with self._store_errors(f"looking for {image_id}"):
            return (self._staging is not None and image_id in self._staging) or bool(self._fs.exists(path))

    def sweep(self, before: datetime) -> int:
        """Remove what writers that were killed before some time had begun to write; say how many files."""
        if self._staging is None:
            return 0  # other file systems show a file when it is whole
        with self._store_errors("sweeping"):
            return self._staging.sweep(before)

    def ids(self) -> Iterator[str]:
        """Every image_id kept here for good, ascending, listing one folder at a time."""
        for folder in self._names(self._root, _FOLDER):
            yield from self._names(f"{self._root}/{folder}", _IMAGE_ID)

    def _path(self, image_id: str) -> str:
        if not _IMAGE_ID.fullmatch(image_id):
            raise StoreError(self.url, f"{image_id!r} is no image_id", "An image_id is 64 hexadecimal digits.")
        return f"{self._root}/{image_id[:2]}/{image_id}"

    def _names(self, folder: str, pattern: re.Pattern[str]) -> list[str]:
        """Names in a folder that match, ascending; a folder that does not exist is empty."""
        with self._store_errors(f"listing {folder}"):
            try:
                entries = self._fs.ls(folder, detail=False, refresh=True)
            except FileNotFoundError:
                return []
        names = (entry.rstrip("/").rpartition("/")[2] for entry in entries)
        return sorted(name for name in names if pattern.fullmatch(name))

    def _read(self, image_id: str, path: str) -> bytes:
        if self._staging is None:
            content: bytes = self._fs.cat_file(path)
            return content
        waiting = self._staging.get(image_id)
        return Path(path).read_bytes() if waiting is None else waiting

    @contextlib.contextmanager
    def _store_errors(self, doing: str) -> Iterator[None]:
        """Turn whatever a file system raises into a StoreError; drivers have error types of their own."""
        try:
            yield
        except LostPicture:
            raise
        except Exception as error:
            advice = "Check SEENBEFORE_IMAGES_URL, free space and permissions, then run again."
            raise StoreError(self.url, f"{doing} failed ({type(error).__name__}: {error})", advice) from error


def _stands(path: str, n_bytes: int) -> bool:
    """Whether a file is there, whole.

    It was flushed before it got its name; one that was damaged since, by a disk or a hand, is told by its size.
    """
    try:
        return os.stat(path).st_size == n_bytes  # noqa: PTH116  a Path costs as much as the call
    except FileNotFoundError:
        return False
