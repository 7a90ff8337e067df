"""Files as streams of bytes, decompressed on the way, and whether an encoding fits them."""

from __future__ import annotations

import codecs
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa

from data.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
PROBE_BYTES = 16_000_000
"""How much of a file is looked at, before anything is loaded, to tell whether its encoding is the one given."""


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
