"""Verdicts and cases as files: CSV that is safe in spreadsheets, JSON Lines, Parquet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from data.catalog.export import export_batches
from data.tables.table_files import write_table
from review.access.permissions import Lead
from review.desk import desk_of

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
PART_BYTES = 1 << 18
router = APIRouter()


@router.get("/export/{what}.{ending}")
def export(
    request: Request, session: Lead, what: Literal["verdicts", "cases"], ending: Literal["csv", "jsonl", "parquet"]
) -> Response:
    """Answer a whole table as a file, which is gone from the disk before the first byte is sent."""
    context = desk_of(request).context
    with TemporaryDirectory(prefix="seenbefore-") as folder:
        path = Path(folder) / f"{what}.{ending}"
        with context.catalog.read() as connection, closing(export_batches(connection, what)) as batches:
            write_table(batches, path)
        file = path.open("rb")
    headers = {
        "Content-Disposition": f'attachment; filename="{path.name}"',
        "Content-Length": str(os.fstat(file.fileno()).st_size),
    }
    return StreamingResponse(_parts(file), headers=headers, media_type=MEDIA_TYPES[ending])


def _parts(file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield from iter(lambda: file.read(PART_BYTES), b"")
