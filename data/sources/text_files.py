"""CSV, TSV and JSON Lines files: text read line by line, each row with the line it starts on."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from data.errors import SourceError
from data.sources.batching import Batch, Broken, Record, excerpt, gather
from data.sources.streams import open_bytes, refuse_wrong_encoding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROBE_ROWS = 10_000
"""Rows whose keys are taken for the columns; a key that first comes later is kept as an attribute all the same."""


def _unknown(_: str) -> None:
    """Read ``NaN`` and ``Infinity``, which are no JSON but are written all the same."""


def _whole(number: str) -> str:
    return number.removesuffix(".0")


_VERBATIM = json.JSONDecoder(parse_int=str, parse_float=_whole, parse_constant=_unknown)
MAX_RECORD_CHARS = 2_000_000
"""Longest row read; a longer one is a reject. It bounds memory whatever a small compressed file grows to."""
UNDECODED = re.compile("[\udc80-\udcff]")
"""What the ``surrogateescape`` error handler leaves in place of bytes that do not decode."""


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

    def columns(self) -> list[str]:
        """Return the names in the first row; a nameless column is called after its place."""
        refuse_wrong_encoding(self.path, self.name, self.encoding)
        with open_lines(self.path, self.name, self.encoding) as feed:
            return self._header(feed)[0]

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield all rows, at most ``rows`` at a time."""
        with open_lines(self.path, self.name, self.encoding) as feed:
            columns, delimiter = self._header(feed)
            yield from gather(_delimited_rows(feed, columns, delimiter, self.encoding), self.name, columns, rows)

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


@dataclass(frozen=True, slots=True)
class JsonLinesFile:
    """A table of JSON objects, one a line.

    Numbers keep the digits they are written with (but for a closing ``.0``), lists and objects become JSON text.
    """

    path: Path
    name: str
    encoding: str

    def columns(self) -> list[str]:
        """Return the keys of the first 10,000 rows, in the order they first appear."""
        refuse_wrong_encoding(self.path, self.name, self.encoding)
        with open_lines(self.path, self.name, self.encoding) as feed:
            return self._keys(feed)

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield all rows, at most ``rows`` at a time."""
        columns = self.columns()
        with open_lines(self.path, self.name, self.encoding) as feed:
            yield from gather(_json_rows(feed, self.encoding), self.name, columns, rows)

    def _keys(self, feed: LineFeed) -> list[str]:
        probe = islice(_json_rows(feed, self.encoding), PROBE_ROWS)
        keys = dict.fromkeys(key for row in probe if isinstance(row, Record) for key in row.cells)
        if not keys:
            raise SourceError(self.name, "none of its first lines is a JSON object", "Write one object a line.")
        return list(keys)


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
def open_lines(path: Path, name: str, encoding: str) -> Iterator[LineFeed]:
    """Open a text file; undecodable bytes come as lone surrogates for the row's reader to reject."""
    with open_bytes(path, name) as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="\n")
        yield LineFeed(text)


def _after(first: str, feed: LineFeed) -> Iterator[str]:
    yield first
    yield from feed


def _delimited_rows(feed: LineFeed, columns: list[str], delimiter: str, encoding: str) -> Iterator[Record | Broken]:
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


def _json_rows(feed: LineFeed, encoding: str) -> Iterator[Record | Broken]:
    while True:
        line = feed.begin()
        try:
            text = next(feed, None)
            if text is None:
                return
            if not text.isspace():
                yield _json_row(line, text, feed, encoding)
        except RecordTooLongError as error:
            yield Broken(line, "", str(error), excerpt(feed.record[0]))


def _json_row(line: int, text: str, feed: LineFeed, encoding: str) -> Record | Broken:
    if not feed.is_decoded():
        return Broken(line, "", f"bytes that are not {encoding}", excerpt(text.strip()))
    try:
        row = _VERBATIM.decode(text)
        if not isinstance(row, dict):
            return Broken(line, "", "not a JSON object", excerpt(text.strip()))
        return Record(line, _as_texts(row, text))
    except (ValueError, RecursionError) as error:
        return Broken(line, "", f"not JSON: {error}", excerpt(text.strip()))


def _as_texts(row: dict[str, Any], text: str) -> dict[str, str | None]:
    nested = [key for key, value in row.items() if isinstance(value, dict | list)]
    if nested:
        plain = json.loads(text)
        row |= {key: json.dumps(plain[key], ensure_ascii=False) for key in nested}
    return {key: _scalar(value) for key, value in row.items()}


def _scalar(value: str | float | bool | None) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
