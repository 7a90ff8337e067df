"""``seenbefore export``: any table as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.settings import load_settings
from flows.cli.options import Json

EXAMPLE = "Example: `seenbefore export matches --out matches.parquet`"


def export(
    context: typer.Context,
    table: Annotated[
        str,
        typer.Argument(
            help="listings, images, matches, features, scores, verdicts, cases or rejects.", show_default=False
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Output file: .csv, .jsonl or .parquet, each also with .gz or .zst.", dir_okay=False)
    ],
    as_json: Json = False,
) -> None:
    """Write a table as CSV, JSON Lines or Parquet."""
    settings = load_settings(context.obj)
    from flows.cli.console import STDERR, show_summary
    from flows.cli.progress_bars import bars
    from models.serving.context import open_context
    from models.serving.export_tables import write_export

    with bars(STDERR, quiet=as_json):
        rows = write_export(open_context(settings), table, out)
    show_summary("Exported", {"table": table, "rows": rows, "written_to": str(out)}, as_json=as_json)
