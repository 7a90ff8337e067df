"""Parquet files."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.errors import SourceError
from data.sources.batching import Batch, Record, gather
from data.sources.streams import COMPRESSIONS, open_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_EXACT_FLOAT = 2.0**53
"""Beyond it, not every whole number is a double of its own."""
MAX_UNPACKED_BYTES = 64 * 2**30
"""A compressed Parquet file that unpacks to more is refused."""


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """A Parquet table; its typed values become the text another format would hold.

    Times become ISO 8601, with their zone if they have one; whole numbers lose a closing ``.0``; lists and structures
    become JSON text.
    """

    path: Path
    name: str

    def columns(self) -> list[str]:
        """Return the names of the columns."""
        with self._open() as file:
            return self._names(file)

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield all rows, at most ``rows`` at a time."""
        with self._open() as file:
            columns, first = self._names(file), 1
            for number, part in enumerate(file.iter_batches(batch_size=rows)):
                yield _batch(part, columns, self.name, number, first)
                first += len(part)

    def _names(self, file: pq.ParquetFile) -> list[str]:
        names = list(file.schema_arrow.names)
        if len(set(names)) < len(names):
            raise SourceError(self.name, "it names a column twice", "Rename one of them.")
        return names

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        try:
            with open_bytes(self.path, self.name) as stream, tempfile.TemporaryFile() as unpacked:
                packed = self.path.suffix.lower() in COMPRESSIONS
                seekable = self._unpack(stream, cast("BinaryIO", unpacked)) if packed else stream
                yield pq.ParquetFile(seekable)
        except pa.ArrowException as error:
            advice = "Check that the file is whole."
            raise SourceError(self.name, f"it is no readable Parquet file ({error})", advice) from error

    def _unpack(self, stream: BinaryIO, unpacked: BinaryIO) -> BinaryIO:
        while chunk := stream.read(2**20):
            unpacked.write(chunk)
            if unpacked.tell() > MAX_UNPACKED_BYTES:
                found = f"it unpacks to more than {MAX_UNPACKED_BYTES // 2**30} GiB"
                raise SourceError(self.name, found, "Parquet compresses by itself: give it unpacked.")
        unpacked.seek(0)
        return unpacked


def _batch(part: pa.RecordBatch, columns: list[str], name: str, number: int, first: int) -> Batch:
    texts = [_empty_as_null(_as_text(column)) for column in part.columns]
    if all(_is_utf8(text) for text in texts):
        frame = pd.DataFrame(
            {column: text.to_pandas().array for column, text in zip(columns, texts, strict=True)},
            index=pd.RangeIndex(len(part)),
        )
        lines = np.arange(first, first + len(part), dtype=np.int64)
        return Batch(source=name, number=number, frame=frame, lines=lines)
    rows = zip(*(_decoded(text) for text in texts), strict=True)
    records = (Record(first + at, dict(zip(columns, row, strict=True))) for at, row in enumerate(rows))
    (batch,) = gather(records, name, columns, len(part))
    return Batch(source=name, number=number, frame=batch.frame, lines=batch.lines, broken=batch.broken)


def _as_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.dictionary_decode())
    if pa.types.is_floating(kind):
        return _float_text(column.cast(pa.float64()))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return column.cast(pa.large_binary()).view(pa.large_string())
    if pa.types.is_nested(kind):
        return pa.array([_json_text(value) for value in column.to_pylist()], pa.large_string())
    return column.cast(pa.large_string())


def _empty_as_null(text: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.large_string()), text)


def _float_text(column: pa.Array) -> pa.Array:
    column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
    whole = pc.and_(pc.equal(column, pc.floor(column)), pc.less(pc.abs(column), MAX_EXACT_FLOAT))
    integers = pc.if_else(whole, column, 0.0).cast(pa.int64()).cast(pa.large_string())
    return pc.if_else(whole, integers, column.cast(pa.large_string()))


def _json_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _is_utf8(text: pa.Array) -> bool:
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _decoded(text: pa.Array) -> list[str | None]:
    values = text.view(pa.large_binary()).to_pylist()
    return [None if value is None else value.decode("utf-8", "surrogateescape") for value in values]
