"""Verdicts and cases as files: CSV that is safe in spreadsheets, JSON Lines, Parquet."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.responses import Response

from data.catalog.export import export_batches
from data.catalog.tables_out import write_table
from review.desk import desk_of
from review.permissions import Lead

router = APIRouter()


@router.get("/export/{what}.{ending}")
def export(
    request: Request, session: Lead, what: Literal["verdicts", "cases"], ending: Literal["csv", "jsonl", "parquet"]
) -> Response:
    """Answer a whole table as a file."""
    folder = TemporaryDirectory(prefix="seenbefore-")
    path = Path(folder.name) / f"{what}.{ending}"
    with desk_of(request).context.catalog.read() as connection, closing(export_batches(connection, what)) as batches:
        write_table(batches, path)
    return FileResponse(path, filename=path.name, background=BackgroundTask(folder.cleanup))
