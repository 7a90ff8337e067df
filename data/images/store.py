"""Where picture files are kept: named by the SHA-256 of their bytes, on any file system fsspec knows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem

from data.errors import LostPicture, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

T = TypeVar("T")
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
_ID_CHARS = 64
FLUSHES_AT_ONCE = 32
_FOLDER = re.compile(r"[0-9a-f]{2}")
_INCOMING = "incoming"  # cannot collide with a two-digit folder


class ImageStore:
    """A content-addressed folder of picture files, ``ab/cd/<sha-256>``.

    Safe for several threads and processes at once: a file appears whole or not at all, and equal bytes are kept once.
    After `flush`, a power cut loses none of the files put before it.

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
        with self._trouble("opening it"):
            self._fs, root = fsspec.url_to_fs(url)
        self._root = root.rstrip("/")
        self._local = isinstance(self._fs, LocalFileSystem)
        self._unflushed: set[str] = set()  # folders
        self._flushing = threading.Lock()

    def put(self, content: bytes) -> str:
        """Keep a picture file; nothing is written if it is already there.

        Returns
        -------
        str
            Its image_id: SHA-256 of ``content`` in hex.
        """
        image_id = hashlib.sha256(content).hexdigest()
        path = self._path(image_id)
        with self._trouble(f"writing {image_id}"):
            if self._local:
                self._put_local(path, content)
            elif not self._fs.exists(path):
                self._fs.pipe_file(path, content)
        return image_id

    def flush(self) -> None:
        """Make the names of all files put so far survive a power cut; their bytes do from the start.

        A folder is flushed once for all its new files, so do it once for many pictures, before anything is written
        elsewhere that counts on them.
        """
        # Another thread may be flushing a folder of our files: what it has begun must have ended when we return.
        with self._trouble("flushing"), self._flushing:
            folders = [self._unflushed.pop() for _ in range(len(self._unflushed))]
            with ThreadPoolExecutor(FLUSHES_AT_ONCE) as threads:  # the disk takes many flushes as one
                list(threads.map(_flush_folder, folders))

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
        with self._trouble(f"reading {image_id}"):
            try:
                content: bytes = Path(path).read_bytes() if self._local else self._fs.cat_file(path)
            except FileNotFoundError as error:
                raise LostPicture(self.url, image_id, "is not there") from error
        if hashlib.sha256(content).hexdigest() != image_id:
            raise LostPicture(self.url, image_id, "holds other bytes than its name says")
        return content

    def remove(self, image_id: str) -> None:
        """Remove a picture file for good; one that is not there is no error."""
        path = self._path(image_id)
        with self._trouble(f"removing {image_id}"), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(path)

    def exists(self, image_id: str) -> bool:
        """Whether a picture file is kept here."""
        path = self._path(image_id)
        with self._trouble(f"looking for {image_id}"):
            return bool(self._fs.exists(path))

    def sweep(self, before: datetime) -> int:
        """Remove what writers that were killed before some time had begun to write; say how many files."""
        if not self._local:
            return 0  # other file systems show a file when it is whole
        with self._trouble("sweeping"):
            begun = [path for path in Path(self._root, _INCOMING).glob("*") if _changed(path) < before.timestamp()]
            for path in begun:
                path.unlink(missing_ok=True)
        return len(begun)

    def ids(self) -> Iterator[str]:
        """Every image_id kept here, ascending, listing one folder at a time."""
        for outer in self._names(self._root, _FOLDER):
            for inner in self._names(f"{self._root}/{outer}", _FOLDER):
                yield from self._names(f"{self._root}/{outer}/{inner}", _IMAGE_ID)

    def _path(self, image_id: str) -> str:
        if not _IMAGE_ID.fullmatch(image_id):
            raise StoreError(self.url, f"{image_id!r} is no image_id", "An image_id is 64 hexadecimal digits.")
        return f"{self._root}/{image_id[:2]}/{image_id[2:4]}/{image_id}"

    def _names(self, folder: str, pattern: re.Pattern[str]) -> list[str]:
        """Names in a folder that match, ascending; a folder that does not exist is empty."""
        with self._trouble(f"listing {folder}"):
            try:
                entries = self._fs.ls(folder, detail=False, refresh=True)
            except FileNotFoundError:
                return []
        names = (entry.rstrip("/").rpartition("/")[2] for entry in entries)
        return sorted(name for name in names if pattern.fullmatch(name))

    def _put_local(self, path: str, content: bytes) -> None:
        inner = path.rpartition("/")[0]
        outer = inner.rpartition("/")[0]
        if not _stands(path, len(content)):
            temporary = f"{self._root}/{_INCOMING}/{path[-_ID_CHARS:]}.{secrets.token_hex(8)}"
            try:
                _in_folder(temporary, lambda: _write_flushed(temporary, content))
                _in_folder(path, lambda: os.replace(temporary, path))  # noqa: PTH105  a Path costs as much as the call
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        # Also where it stood already: another process may have put it there a moment ago and not have flushed yet.
        self._unflushed.update((inner, outer, self._root))

    @contextlib.contextmanager
    def _trouble(self, doing: str) -> Iterator[None]:
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


def _write_flushed(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123  there is a descriptor, not a path
        left = memoryview(content)
        while left:
            left = left[file.write(left) :]
        os.fsync(descriptor)


def _flush_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _in_folder(path: str, act: Callable[[], T]) -> T:
    """Do something to a path, making its folder only when it turns out not to be there: it nearly always is."""
    try:
        return act()
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return act()


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # its writer is alive and has just renamed it
        return float("inf")
