"""Files as streams of lines: decompressed, decoded and bounded on the way."""

from __future__ import annotations

import codecs
import hashlib
import io
import re
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa

from data.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
MAX_RECORD_CHARS = 2_000_000
"""Longest row read; a longer one is a reject. It bounds memory whatever a small compressed file grows to."""
PROBE_BYTES = 16_000_000
"""How much of a file is looked at, before anything is loaded, to tell whether its encoding is the one given."""
UNDECODED = re.compile("[\udc80-\udcff]")
"""What the ``surrogateescape`` error handler leaves in place of bytes that do not decode."""


class RecordTooLongError(ValueError):
    """A row is longer than any honest one."""

    def __init__(self) -> None:
        super().__init__(f"longer than {MAX_RECORD_CHARS:,} characters")


class LineFeed:
    r"""The lines of a text, counted, with those of the row under way at hand so that they can be read again.

    Parameters
    ----------
    stream
        Opened with ``newline="\n"``, so that lines are counted as editors count them.
    """

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self._again: deque[str] = deque()
        self._chars = 0
        self.line = 0
        self.record: list[str] = []

    def begin(self) -> int:
        """Start a new row; return the line it will start on."""
        self.record = []
        self._chars = 0
        return self.line + 1

    def rewind(self) -> None:
        """Go back to the second line of the row under way: all we gave up on is its first."""
        self._again.extendleft(reversed(self.record[1:]))
        self.line -= len(self.record[1:])

    def is_decoded(self) -> bool:
        """Whether all bytes of the row under way were text in the given encoding."""
        return all(line.isascii() or not UNDECODED.search(line) for line in self.record)

    def __iter__(self) -> LineFeed:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._stream.readline(MAX_RECORD_CHARS + 1)
        if not line:
            raise StopIteration
        self.line += 1
        self.record.append(line)
        self._chars += len(line)
        if self._chars > MAX_RECORD_CHARS:
            self._skip_rest(line)
            raise RecordTooLongError
        return line

    def _skip_rest(self, line: str) -> None:
        while line and not line.endswith("\n"):
            line = self._stream.readline(MAX_RECORD_CHARS)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever opening and reading a file may raise into a `SourceError` naming it."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(name, "there is no such file", "Check the path.") from error
    except UnicodeError as error:
        advice = "Give the encoding it was written in with --encoding."
        raise SourceError(name, f"its bytes do not decode ({error})", advice) from error
    except (OSError, EOFError) as error:
        found = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(name, found, "Check that the file is whole and may be read.") from error


@contextmanager
def open_bytes(path: Path, name: str) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed by its suffix; a damaged or cut one is a `SourceError`."""
    with reading(name):
        compression = COMPRESSIONS.get(path.suffix.lower())
        if compression is None:
            with path.open("rb") as stream:
                yield stream
        else:
            with pa.input_stream(str(path), compression=compression) as arrow:
                yield cast("BinaryIO", io.BufferedReader(arrow))


@contextmanager
def open_lines(path: Path, name: str, encoding: str) -> Iterator[LineFeed]:
    """Open a text file; undecodable bytes come as lone surrogates for the row's reader to reject."""
    with open_bytes(path, name) as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="\n")
        yield LineFeed(text)


def refuse_wrong_encoding(path: Path, name: str, encoding: str) -> None:
    """Look at the beginning of a file and refuse an encoding in which most of its non-ASCII lines do not decode.

    A few such lines in an otherwise sound file are damage, and become rejects when they are read.

    Raises
    ------
    SourceError
        Naming the encodings that would do.
    """
    try:
        codec = codecs.lookup(encoding).name
    except LookupError as error:
        advice = "Try --encoding cp1252, latin-1 or utf-16."
        raise SourceError(name, f"{encoding} is no encoding Python knows", advice) from error
    if codec.startswith(("utf-16", "utf-32")):
        return
    with open_bytes(path, name) as stream:
        head = stream.read(PROBE_BYTES)
    lines = [line for line in head.split(b"\n") if not line.isascii()]
    undecodable = [line for line in lines if not _decodes(line, encoding)]
    if len(undecodable) * 2 > len(lines):
        found = f"{len(undecodable):,} of {len(lines):,} lines with letters beyond ASCII are not {codec}"
        raise SourceError(name, found, f"Try --encoding {_likely_encoding(head)}.")


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _likely_encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "cp1252, or latin-1" if _decodes(head, "cp1252") else "latin-1"


def file_digest(path: Path, name: str) -> str:
    """Return the SHA-256 of a file's bytes as they lie on the disk."""
    with reading(name), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
