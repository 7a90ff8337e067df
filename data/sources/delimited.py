"""CSV and TSV files."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import SourceError
from data.sources.batching import Record, gather
from data.sources.protocol import Batch, Broken, excerpt
from data.sources.streams import (
    LineFeed,
    RecordTooLongError,
    file_digest,
    open_lines,
    refuse_wrong_encoding,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class DelimitedFile:
    """A table of delimited text, quoted by RFC 4180: ``"`` around a value, ``""`` for one within.

    Parameters
    ----------
    path, name
        Where it is, and what it is called in messages.
    encoding
        How its bytes are text.
    delimiter
        Between two values; empty: ``;`` where the first line has one and no comma, else ``,``.
    """

    path: Path
    name: str
    encoding: str
    delimiter: str = ""

    @property
    def is_snapshot(self) -> bool:
        """Whether an equal digest means equal rows."""
        return True

    def columns(self) -> list[str]:
        """Return the names in the first row; a nameless column is called after its place."""
        refuse_wrong_encoding(self.path, self.name, self.encoding)
        with open_lines(self.path, self.name, self.encoding) as feed:
            return self._header(feed)[0]

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield all rows, at most ``rows`` at a time."""
        with open_lines(self.path, self.name, self.encoding) as feed:
            columns, delimiter = self._header(feed)
            yield from gather(_records(feed, columns, delimiter, self.encoding), self.name, columns, rows)

    def digest(self) -> str:
        """Return the SHA-256 of the file."""
        return file_digest(self.path, self.name)

    def _header(self, feed: LineFeed) -> tuple[list[str], str]:
        feed.begin()
        first = next(feed, "")
        delimiter = self.delimiter or (";" if ";" in first and "," not in first else ",")
        feed.rewind()
        try:
            names = next(csv.reader(_after(first, feed), delimiter=delimiter, strict=True), [])
        except (csv.Error, RecordTooLongError) as error:
            raise SourceError(self.name, f"its first row is {error}", "It must name the columns.") from error
        if not names:
            raise SourceError(self.name, "its first line is empty", "It must name the columns.")
        named = [name.strip() or f"column_{place}" for place, name in enumerate(names, start=1)]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise SourceError(self.name, f"it names a column twice: {', '.join(twice)}", "Rename one of them.")
        return named, delimiter


def _after(first: str, feed: LineFeed) -> Iterator[str]:
    yield first
    yield from feed


def _records(feed: LineFeed, columns: list[str], delimiter: str, encoding: str) -> Iterator[Record | Broken]:
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        line = feed.begin()
        try:
            values = next(reader, None)
        except (csv.Error, RecordTooLongError) as error:
            yield _broken(line, feed, f"not a row of delimited text: {error}")
            feed.rewind()
            continue
        if values is None:
            return
        if not values:
            continue
        if len(values) != len(columns):
            yield _broken(line, feed, f"{len(values)} values where the first row names {len(columns)} columns")
        elif not feed.is_decoded():
            yield _broken(line, feed, f"bytes that are not {encoding}")
        else:
            yield Record(line, dict(zip(columns, values, strict=True)))


def _broken(line: int, feed: LineFeed, reason: str) -> Broken:
    return Broken(line, "", reason, excerpt("".join(feed.record).rstrip("\r\n")))
