"""A folder of segments: one process adds, any number read, and what was added is merged so that segments stay few."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from data.durable import UNFINISHED
from data.errors import BusyError, SegmentsError
from data.segments.segment_file import Manifest, is_whole, open_segment, read_manifest, write_manifest, write_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from data.segments.segment_file import Arrays, Entry

    Merge = Callable[[Sequence[Arrays]], Arrays]

SUFFIX = ".segment"
LOCK = "writer.lock"
GRACE = timedelta(hours=1)
"""How long a file that no longer counts is kept: a reader may be about to open it, a merge about to name it."""
FEWEST = 4
"""Fewer than this are left as they are: each costs a query a little."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What counted at one moment, mapped into memory; it stays readable whatever becomes of the files.

    Parameters
    ----------
    generation
        Compare it with `SegmentStore.generation` to learn whether there is anything newer.
    parts
        The arrays of each segment, oldest first.
    """

    generation: int
    parts: tuple[dict[str, NDArray[np.generic]], ...]


@dataclass(frozen=True, slots=True)
class SegmentStore:
    """Segments in a folder.

    Parameters
    ----------
    folder
        Holds nothing else; made when first needed.
    format
        Names what the arrays are; another name makes what is there unreadable until it is rebuilt.
    patience_s
        How long to wait for another process that is adding.
    """

    folder: Path
    format: str
    patience_s: float = 60.0

    def open(self) -> Snapshot:
        """Map everything that counts.

        Raises
        ------
        SegmentsError
            There is nothing, or it is damaged, or of another format: rebuild it.
        """
        manifest = read_manifest(self.folder, self.format)
        while True:
            try:
                return Snapshot(manifest.generation, self._mapped(manifest.entries))
            except SegmentsError:
                newer = read_manifest(self.folder, self.format)
                if newer.generation == manifest.generation:
                    raise
                manifest = newer

    def generation(self) -> int:
        """Return the number that rises with every change, without opening segments; raises what `open` raises."""
        return read_manifest(self.folder, self.format).generation

    def rebuild(self, parts: Iterable[Arrays], *, now: datetime) -> None:
        """Have these segments count instead of all that may be there, damaged or not.

        Parameters
        ----------
        parts
            Arrays of each segment; taken one by one.
        now
            From when on the files that stop counting are kept for a while.

        Raises
        ------
        BusyError
            Another process is adding.
        WriteError
            The disk is full or refuses; nothing has changed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock():
            entries = tuple(self._write(arrays) for arrays in parts)
            before = self._readable()
            if before:
                self._retire(before.entries, now)
            # Never a generation that a reader may know already, also where the old one can no longer be read.
            generation = before.generation + 1 if before else int(now.timestamp())
            write_manifest(self.folder, Manifest(self.format, generation, entries))

    def append(self, arrays: Arrays, *, onto: int | None = None) -> None:
        """Add a segment.

        Parameters
        ----------
        arrays
            What it holds.
        onto
            The generation that it continues, if it fits on no other.

        Raises
        ------
        SegmentsError
            There is nothing to add to, or it is damaged: rebuild it. Or it is of another generation: open it again.
        BusyError
            Another process is adding.
        WriteError
            The disk is full or refuses; nothing has changed.
        """
        read_manifest(self.folder, self.format)
        with self._lock():
            before = read_manifest(self.folder, self.format)
            if onto not in (None, before.generation):
                raise SegmentsError(str(self.folder), f"it has generation {before.generation} instead of {onto}")
            entries = (*before.entries, self._write(arrays))
            write_manifest(self.folder, Manifest(self.format, before.generation + 1, entries))

    def compact(self, merge: Merge, *, now: datetime) -> int:
        """Merge the newest segments into one if there are many; readers and adding go on meanwhile.

        Parameters
        ----------
        merge
            Makes one segment's arrays of those of several.
        now
            From when on the files that stop counting are kept for a while.

        Returns
        -------
        int
            How many segments became one; none if that was not worth it, or if they stopped counting meanwhile.
        """
        entries = read_manifest(self.folder, self.format).entries
        chosen = run_to_merge([entry.n_bytes for entry in entries])
        old = entries[chosen.start : chosen.stop]
        if len(old) < 2:
            return 0
        merged = self._write(merge(self._mapped(old)))
        with self._lock():
            return len(old) if self._exchange(old, merged, now) else 0

    def damaged(self) -> list[str]:
        """Read every byte that counts, and return the names of the segments that are not what was written."""
        entries = read_manifest(self.folder, self.format).entries
        paths = {entry: self.folder / entry.name for entry in entries}
        return [entry.name for entry, path in paths.items() if not (path.exists() and is_whole(path, entry))]

    def sweep(self, *, now: datetime, grace: timedelta = GRACE) -> int:
        """Remove files that have not counted for a while, also what ended processes left; return how many."""
        with self._lock():
            counting = {entry.name for entry in read_manifest(self.folder, self.format).entries}
            files = [path for path in self.folder.iterdir() if path.suffix in (SUFFIX, UNFINISHED)]
            spare = [path for path in files if path.name not in counting]
            old = [path for path in spare if path.stat().st_mtime <= (now - grace).timestamp()]
            for path in old:
                path.unlink()
        return len(old)

    def _exchange(self, old: tuple[Entry, ...], merged: Entry, now: datetime) -> bool:
        """Have a segment count instead of others, if these still do; the lock is held."""
        before = read_manifest(self.folder, self.format)
        if not set(old) <= set(before.entries):
            return False
        at = before.entries.index(old[0])
        entries = (*before.entries[:at], merged, *before.entries[at + len(old) :])
        self._retire(old, now)
        write_manifest(self.folder, replace(before, generation=before.generation + 1, entries=entries))
        return True

    def _mapped(self, entries: tuple[Entry, ...]) -> tuple[dict[str, NDArray[np.generic]], ...]:
        try:
            return tuple(open_segment(self.folder / entry.name, entry) for entry in entries)
        except FileNotFoundError as error:
            raise SegmentsError(str(self.folder), f"{Path(error.filename).name} is gone") from error

    def _write(self, arrays: Arrays) -> Entry:
        return write_segment(self.folder / f"{secrets.token_hex(8)}{SUFFIX}", arrays)

    def _retire(self, entries: tuple[Entry, ...], now: datetime) -> None:
        """Begin the time for which files are still kept, which is told by when they were last touched."""
        for entry in entries:
            if (self.folder / entry.name).exists():
                os.utime(self.folder / entry.name, (now.timestamp(), now.timestamp()))

    def _readable(self) -> Manifest | None:
        try:
            return read_manifest(self.folder, self.format)
        except SegmentsError:
            return None

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep out other processes and threads that add; the system lets go of it when the process ends."""
        try:
            with FileLock(self.folder / LOCK, timeout=self.patience_s):
                yield
        except Timeout as error:
            raise BusyError(str(self.folder), "it is adding to it") from error


def run_to_merge(sizes: Sequence[int]) -> range:
    """Choose the newest segments to merge.

    A segment is taken in when it is no larger than all newer ones together. What is merged has therefore at least
    doubled: with n bytes in all, no byte is written more than log2(n) times, and about as many segments remain.

    Parameters
    ----------
    sizes
        Of all segments, oldest first.

    Returns
    -------
    range
        Of positions; empty if there is nothing worth merging.

    Examples
    --------
    >>> run_to_merge([900, 10, 10, 10, 10])
    range(1, 5)
    >>> run_to_merge([900, 40, 10, 10])
    range(0, 0)
    """
    first, total = len(sizes), 0
    while first and (total == 0 or sizes[first - 1] <= total):
        first -= 1
        total += sizes[first]
    chosen = range(first, len(sizes))
    return chosen if len(chosen) >= FEWEST else range(0)
