"""Files that are there whole, on the disk itself, or not at all.

A file is written under another name, flushed, given its name, and then its folder is flushed too: until that is done, a
power cut may still take the name away. Whoever writes many files at once flushes them together, with a `Disk`.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import shutil
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

from data.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

UNFINISHED: Final = ".unfinished"
"""How the names of files end that are still being written; what an ended process left, anybody may remove."""
AT_ONCE: Final = 32
TELLING_KERNEL: Final = (5, 8)
"""The Linux from which ``syncfs`` tells of bytes that could not be written; see its manual page."""
WHOLE_SYSTEMS: Final = {0xEF53: "ext4", 0x58465342: "XFS", 0x9123683E: "Btrfs"}
"""By their magic numbers in ``statfs``, file systems known to keep what ``syncfs`` promises. FUSE passes no flush on to
what is behind it, and an overlay does not tell of errors."""
_STATFS_LONGS: Final = 64  # more than the structure has anywhere; its first is the magic number

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a new file that takes the place of ``path`` when all went well, for good.

    Parameters
    ----------
    path
        Its folder is made as needed; a file of this name is replaced in one step.

    Raises
    ------
    WriteError
        The disk is full or refuses; under this name is what was there before. So it is after any error in the block,
        of which an ``OSError`` counts as the disk's.
    """
    unfinished = _unfinished(path)
    with _writing(path):
        _make_folder(path.parent)
        try:
            with unfinished.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)  # noqa: PTH105  faults are put in here by tests, as elsewhere
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        flush(str(path.parent))


def write_flushed(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file of some pieces in their order; as `replacing`."""
    with replacing(path) as file:
        for piece in pieces:
            file.write(piece)


def write_text(path: Path, text: str) -> None:
    """Write a text, such as an HTML page, as UTF-8; as `replacing`."""
    write_flushed(path, [text.encode()])


def write_once(path: Path, content: bytes, *, mode: int = 0o666) -> bytes:
    """Write a file unless it is there already, and return what it holds now; of several writers, one wins.

    Parameters
    ----------
    path
        Its folder is made as needed.
    mode
        Permissions of a new file, before the process's mask.

    Raises
    ------
    WriteError
        The disk is full or refuses.
    """
    unfinished = _unfinished(path)
    with _writing(path):
        _make_folder(path.parent)
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
        flush(str(path.parent))
        return path.read_bytes()


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a new folder of files: it is there with all of them, for good, or not at all.

    Parameters
    ----------
    path
        Not there yet; the folder above is made as needed.
    files
        Contents by name.

    Raises
    ------
    WriteError
        The disk is full or refuses, or another writer was faster.
    """
    unfinished = _unfinished(path)
    with _writing(path):
        _make_folder(path.parent)
        try:
            unfinished.mkdir()
            for name, content in files.items():
                with (unfinished / name).open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            flush(str(unfinished))
            os.rename(unfinished, path)  # noqa: PTH104  faults are put in here by tests, as elsewhere
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        flush(str(path.parent))


def flush(path: str) -> None:
    """Wait until the disk holds what was written to a file, or the names in a folder, for good."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Disk:
    """The file system that a folder is on, to flush many files at once.

    Where the system can, all of it is flushed with one call, whatever else waits to be written there: a journal takes a
    thousand files as one. That call tells only of what went wrong since the last one of the same `Disk`, so open it
    before the first file is written.

    Parameters
    ----------
    folder
        Where the files are; it must be there.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._descriptor = os.open(folder, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)
        self._whole = flushes_as_a_whole(self._descriptor)

    def flush(self, paths: Iterable[str]) -> None:
        """Wait until the disk holds what was written to some files, or the names in some folders, for good.

        Raises
        ------
        OSError
            When it does not. What it holds is then unknown, of all files written since the last flush: to flush again
            may tell of no error though bytes are lost, so write them again.
        """
        if self._whole:
            _call("syncfs", self._descriptor)
            return
        with ThreadPoolExecutor(AT_ONCE) as threads:  # a disk takes many flushes at once as one
            list(threads.map(flush, paths))


def flushes_as_a_whole(descriptor: int) -> bool:
    """Whether the file system of an open file can be flushed with one call that tells of every failure."""
    if not hasattr(_libc, "syncfs") or _kernel() < TELLING_KERNEL:
        return False
    status = (ctypes.c_long * _STATFS_LONGS)()
    _call("fstatfs", descriptor, status)
    return status[0] in WHOLE_SYSTEMS


def _unfinished(path: Path) -> Path:
    """Return the name under which a file or folder is written."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, as far as they are not there, for good."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        flush(str(each.parent))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(str(path), error.strerror or str(error)) from error


def _kernel() -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
