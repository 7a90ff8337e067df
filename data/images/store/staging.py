"""Files that wait for their names, so that many of them are made safe from a power cut at once."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import weakref
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from data.durable import Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

T = TypeVar("T")
FOLDER: Final = "incoming"


class Staging:
    """The files that wait below a folder; shareable by threads.

    Each object knows of its own files only. Those of a process that was killed, `sweep` removes.

    Parameters
    ----------
    root
        The folder below which they will get their names, too. It is made when the first file comes.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._folder = f"{root}/{FOLDER}"
        self._waiting: dict[str, str] = {}  # image_id → path
        self._flushing = threading.Lock()
        self._failure: OSError | None = None
        weakref.finalize(self, _discard, self._waiting)

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._waiting

    def put(self, image_id: str, content: bytes) -> None:
        """Write a file that waits from now on, unless it does already."""
        if image_id in self._waiting:
            return
        path = f"{self._disk.folder}/{image_id}.{secrets.token_hex(8)}"
        try:
            _in_folder(path, lambda: _write(path, content))
        except BaseException:
            Path(path).unlink(missing_ok=True)
            raise
        if self._waiting.setdefault(image_id, path) != path:  # another thread was faster
            Path(path).unlink()

    def get(self, image_id: str) -> bytes | None:
        """Read a file that waits; ``None`` if it does not, or has just got its name."""
        path = self._waiting.get(image_id)
        if path is None:
            return None
        with contextlib.suppress(FileNotFoundError):
            return Path(path).read_bytes()
        return None

    def remove(self, image_id: str) -> None:
        """Let a file wait no longer; one that does not wait is no error."""
        path = self._waiting.pop(image_id, None)
        if path is not None:
            Path(path).unlink(missing_ok=True)

    def flush(self, named: Mapping[str, str]) -> None:
        """Give files their names once their bytes are safe, and end when the names are safe too.

        Parameters
        ----------
        named
            image_id → path. A file that has its name already gets it flushed all the same: another process may have
            named it a moment ago and not have got to flushing.

        Raises
        ------
        OSError
            When it fails: then nothing waits any more, since the disk may have lost any of the bytes. Or when one of
            the files neither waits nor has its name, as after another thread's failure: then the others go.
        """
        if not named:
            return
        with self._flushing:
            waiting = {image_id: self._waiting[image_id] for image_id in named if image_id in self._waiting}
            with self._giving_up(waiting):
                for image_id in named.keys() - waiting.keys():
                    self._expect(named[image_id])
            with self._giving_up(self._waiting):
                self._name(waiting, named)
            self._failure = None
            for image_id in waiting:
                self._waiting.pop(image_id, None)

    def sweep(self, before: datetime) -> int:
        """Remove what has been waiting since before some time, whoever put it there; say how many files."""
        begun = [path for path in Path(self._folder).glob("*") if _changed(path) < before.timestamp()]
        for path in begun:
            path.unlink(missing_ok=True)
        return len(begun)

    @cached_property
    def _disk(self) -> Disk:
        Path(self._folder).mkdir(parents=True, exist_ok=True)
        return Disk(self._folder)

    @contextlib.contextmanager
    def _giving_up(self, image_ids: Iterable[str]) -> Iterator[None]:
        """Let files wait no longer when this fails."""
        try:
            yield
        except BaseException as error:
            self._failure = error if isinstance(error, OSError) else self._failure
            for image_id in list(image_ids):
                self.remove(image_id)
            raise

    def _expect(self, path: str) -> None:
        """Raise if a file is not there, and rather why an earlier flush let it go than that it is missing."""
        try:
            os.stat(path)  # noqa: PTH116  a Path costs as much as the call
        except FileNotFoundError as error:
            raise self._failure or error from error

    def _name(self, waiting: Mapping[str, str], named: Mapping[str, str]) -> None:
        if waiting:
            self._disk.flush(waiting.values())
        for image_id, path in waiting.items():
            _move(path, named[image_id])
        self._disk.flush({folder for path in named.values() for folder in self._way_to(path)})

    def _way_to(self, path: str) -> list[str]:
        """List the folders above a file, up to the root."""
        below = path.count("/") - self._root.count("/")
        return [path.rsplit("/", depth)[0] or "/" for depth in range(1, below + 1)]


def _write(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123  there is a descriptor, not a path
        left = memoryview(content)
        while left:
            left = left[file.write(left) :]


def _move(path: str, named: str) -> None:
    _in_folder(named, lambda: os.replace(path, named))  # noqa: PTH105  a Path costs as much as the call


def _in_folder(path: str, act: Callable[[], T]) -> T:
    """Do something to a path, making its folder only when it turns out not to be there: it nearly always is."""
    try:
        return act()
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return act()


def _discard(waiting: dict[str, str]) -> None:
    """Remove what waits when a process ends in good order, since nobody else knows of it."""
    for path in list(waiting.values()):
        Path(path).unlink(missing_ok=True)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # it has just got its name
        return float("inf")
