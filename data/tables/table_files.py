"""Writing tables to files: CSV, JSON Lines or Parquet by suffix, also compressed; whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from data.durable import replacing
from data.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

FORMATS_HINT = "Name a file ending in .csv, .jsonl, .ndjson or .parquet, each also with .gz or .zst behind it."
# What makes a spreadsheet take a text for a formula, behind blanks and characters that do not show.
FORMULA = re.compile(r"[\t\r\n]|[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*[=+\-@＝＋－＠]")


def write_table(frames: Iterable[pd.DataFrame], path: Path) -> int:
    """Write frames of the same columns one after the other into a file, and return the number of rows.

    In CSV, a text that a spreadsheet would run as a formula gets a leading apostrophe, which spreadsheets hide: one
    that begins with ``= + - @``, also in full width and behind blanks or invisible characters, or with a tab or line
    break. Numbers stay as they are. JSON Lines and Parquet hold every text unchanged. Times are written in ISO 8601
    with a ``Z`` (CSV, JSON Lines) or as timestamps (Parquet); missing is empty, ``null`` and null.

    Parameters
    ----------
    frames
        At least one; the first decides names and types.
    path
        The suffix decides the format. A file that is there is replaced at once when the new one is complete.

    Raises
    ------
    ExportError
        The suffix names no format.
    WriteError
        The file cannot be written; the one that was there is untouched.
    """
    write, compression = _format(path)
    with replacing(path) as raw, _compressing(raw, compression) as out:
        return write(frames, out)


def check_name(path: Path) -> None:
    """Refuse a file name whose suffix names no format of a table.

    Raises
    ------
    ExportError
        Naming the formats.
    """
    _format(path)


def _format(path: Path) -> tuple[Callable[[Iterable[pd.DataFrame], IO[bytes]], int], str]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in {".gz", ".zst"} else ""
    writers = {".csv": _csv, ".jsonl": _json_lines, ".ndjson": _json_lines, ".parquet": _parquet}
    if not suffixes or suffixes[-1] not in writers:
        raise ExportError(f"to {path.name}", "its name says no format", FORMATS_HINT)
    return writers[suffixes[-1]], compression


@contextmanager
def _compressing(raw: IO[bytes], compression: str) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        if compression == ".gz":
            # No name and no time in the header: the same rows give the same bytes.
            squeezed = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0))
            yield cast("IO[bytes]", squeezed)
        elif compression == ".zst":
            yield stack.enter_context(zstandard.ZstdCompressor().stream_writer(raw, closefd=False))
        else:
            yield raw


def _csv(frames: Iterable[pd.DataFrame], out: IO[bytes]) -> int:
    n_rows = 0
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    for number, frame in enumerate(frames):
        safe = _times_as_text(frame).apply(_guarded)
        # Quoting only what seems to need it would leave a lone carriage return bare, and readers would break there.
        safe.to_csv(text, index=False, header=number == 0, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        n_rows += len(frame)
    text.detach()
    return n_rows


def _json_lines(frames: Iterable[pd.DataFrame], out: IO[bytes]) -> int:
    n_rows = 0
    for frame in frames:
        plain = _times_as_text(frame).astype(object)
        plain = plain.where(frame.notna(), None)
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in plain.to_dict("records"))
        out.write("".join(lines).encode())
        n_rows += len(frame)
    return n_rows


def _parquet(frames: Iterable[pd.DataFrame], out: IO[bytes]) -> int:
    n_rows = 0
    with ExitStack() as stack:
        writer = None
        for frame in frames:
            schema = writer.schema if writer else None
            table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata()
            writer = writer or stack.enter_context(pq.ParquetWriter(out, table.schema))
            writer.write_table(table)
            n_rows += len(frame)
    return n_rows


def _times_as_text(frame: pd.DataFrame) -> pd.DataFrame:
    times = frame.select_dtypes("datetimetz")
    return frame.assign(**{str(name): _iso(column) for name, column in times.items()})


def _iso(times: pd.Series) -> pd.Series:
    instants = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    texts = pd.Series(np.datetime_as_string(instants), index=times.index, dtype="str") + "Z"
    return texts.str.replace(".000000Z", "Z", regex=False).mask(times.isna())


def _guarded(column: pd.Series) -> pd.Series:
    if not pd.api.types.is_string_dtype(column):
        return column
    return column.mask(column.str.match(FORMULA).fillna(False).astype(bool), "'" + column)
