"""Making files and folders survive a power cut, many at once."""

from __future__ import annotations

import ctypes
import os
import re
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

AT_ONCE: Final = 32
TELLING_KERNEL: Final = (5, 8)
"""The Linux from which ``syncfs`` tells of bytes that could not be written; see its manual page."""
WHOLE_SYSTEMS: Final = {0xEF53: "ext4", 0x58465342: "XFS", 0x9123683E: "Btrfs"}
"""By their magic numbers in ``statfs``, file systems known to keep what ``syncfs`` promises. FUSE passes no flush on to
what is behind it, and an overlay does not tell of errors."""
_STATFS_LONGS: Final = 64  # more than the structure has anywhere; its first is the magic number

_libc = ctypes.CDLL(None, use_errno=True)


class Disk:
    """The file system that a folder is on.

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
            list(threads.map(_flush, paths))


def flushes_as_a_whole(descriptor: int) -> bool:
    """Whether the file system of an open file can be flushed with one call that tells of every failure."""
    if not hasattr(_libc, "syncfs") or _kernel() < TELLING_KERNEL:
        return False
    told = (ctypes.c_long * _STATFS_LONGS)()
    _call("fstatfs", descriptor, told)
    return told[0] in WHOLE_SYSTEMS


def _kernel() -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _flush(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
