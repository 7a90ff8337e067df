"""The catalog's tables, as files and as frames."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast, get_args

from data.catalog.export import Exported, export_batches, export_frame
from data.catalog.feature_facts import market
from data.errors import ExportError
from data.progress import advance
from data.tables.table_files import write_table
from features.point_in_time.feature_frame import SPEC_FINGERPRINT, SPECS
from models.serving.context import open_context

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas as pd

    from data.settings import Settings
    from models.serving.context import Context

TABLES: tuple[str, ...] = get_args(Exported)


def write_export(context: Context, what: str, out: Path) -> int:
    """Write an output table to a file, batch by batch, and return the number of rows.

    Raises
    ------
    ExportError
        There is no such table, or the file's name says no format.
    WriteError
        The file cannot be written.
    """
    if what not in TABLES:
        raise ExportError(repr(what), "there is no such table", f"The tables are {', '.join(TABLES)}.")
    table = cast("Exported", what)
    names = [spec.name for spec in SPECS]
    with (
        context.catalog.read() as connection,
        closing(export_batches(connection, table, feature_names=names, spec=SPEC_FINGERPRINT)) as batches,
    ):
        return write_table(_told(batches), out)


def table_frame(context: Context, what: Exported) -> pd.DataFrame:
    """Return a whole output table."""
    names = [spec.name for spec in SPECS]
    with context.catalog.read() as connection:
        return export_frame(connection, what, feature_names=names, spec=SPEC_FINGERPRINT)


def label_frame(context: Context) -> pd.DataFrame:
    """Return what was decided on listings: ``listing_id, seller_id, label, known_at, source``, the oldest first."""
    with context.catalog.read() as connection:
        known = market(connection)
    named = known.labels.merge(known.listings[["listing_key", "listing_id", "seller_id"]], on="listing_key")
    ordered = named.sort_values(["known_at", "listing_id"], ignore_index=True)
    return ordered[["listing_id", "seller_id", "label", "known_at", "source"]]


def write_scores_of(settings: Settings, run_id: str, out: Path) -> int:
    """Write the scores of one run to a file, the highest first, and return how many there were.

    Raises
    ------
    ExportError
        The file's name says no format.
    WriteError
        The file cannot be written.
    """
    with (
        open_context(settings).catalog.read() as connection,
        closing(export_batches(connection, "scores", run_id=run_id)) as batches,
    ):
        return write_table(batches, out)


def _told(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        yield batch
        advance("writing rows", len(batch))
