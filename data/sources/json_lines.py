"""JSON Lines files: one object a line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

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

PROBE_ROWS = 10_000
"""Rows whose keys are taken for the columns; a key that first comes later is kept as an attribute all the same."""


def _whole(number: str) -> str:
    return number.removesuffix(".0")


def _unknown(_: str) -> None:
    """Read ``NaN`` and ``Infinity``, which are no JSON but are written all the same."""


_VERBATIM = json.JSONDecoder(parse_int=str, parse_float=_whole, parse_constant=_unknown)


@dataclass(frozen=True, slots=True)
class JsonLinesFile:
    """A table of JSON objects, one a line.

    Numbers keep the digits they are written with (but for a closing ``.0``), lists and objects become JSON text.
    """

    path: Path
    name: str
    encoding: str

    @property
    def is_snapshot(self) -> bool:
        """Whether an equal digest means equal rows."""
        return True

    def columns(self) -> list[str]:
        """Return the keys of the first 10,000 rows, in the order they first appear."""
        refuse_wrong_encoding(self.path, self.name, self.encoding)
        with open_lines(self.path, self.name, self.encoding) as feed:
            return self._keys(feed)

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield all rows, at most ``rows`` at a time."""
        columns = self.columns()
        with open_lines(self.path, self.name, self.encoding) as feed:
            yield from gather(_records(feed, self.encoding), self.name, columns, rows)

    def digest(self) -> str:
        """Return the SHA-256 of the file."""
        return file_digest(self.path, self.name)

    def _keys(self, feed: LineFeed) -> list[str]:
        probe = islice(_records(feed, self.encoding), PROBE_ROWS)
        keys = dict.fromkeys(key for row in probe if isinstance(row, Record) for key in row.cells)
        if not keys:
            raise SourceError(self.name, "none of its first lines is a JSON object", "Write one object a line.")
        return list(keys)


def _records(feed: LineFeed, encoding: str) -> Iterator[Record | Broken]:
    while True:
        line = feed.begin()
        try:
            text = next(feed, None)
            if text is None:
                return
            if not text.isspace():
                yield _record(line, text, feed, encoding)
        except RecordTooLongError as error:
            yield Broken(line, "", str(error), excerpt(feed.record[0]))


def _record(line: int, text: str, feed: LineFeed, encoding: str) -> Record | Broken:
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
