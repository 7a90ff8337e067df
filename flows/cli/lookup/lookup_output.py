"""What a look-up found: some of it printed, all of it written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.durable import write_text
from data.tables.table_files import check_name, write_table
from data.visible_text import visible
from features.facts import DISTANCE_COLUMNS, HASH_KINDS
from flows.cli.console import STDERR, STDOUT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

BITS = "bits: how many differ in " + ", ".join(HASH_KINDS)
SHORT = {"listing_id": "listing", "seller_id": "seller", "same_photo": "same"}
SHEET_SUFFIXES = frozenset({".html", ".htm"})
MESSAGE_CHARACTERS = 200
NO_PICTURES = "The catalog holds no pictures that this version has hashed. Run `seenbefore ingest LISTINGS` first."


def check_out(out: Path | None) -> None:
    """Refuse a file name that says no format, before the work begins.

    Raises
    ------
    ExportError
        If it is neither a table's nor a sheet's.
    """
    if out is not None and out.suffix.lower() not in SHEET_SUFFIXES:
        check_name(out)


def write_findings(rows: pd.DataFrame, out: Path | None, sheet: Callable[[], str]) -> None:
    """Write all rows as a table, or as the sheet with pictures if the file's name says HTML."""
    if out is None:
        return
    if out.suffix.lower() in SHEET_SUFFIXES:
        write_text(out, sheet())
    else:
        write_table([rows], out)


def for_people(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return what fits on a screen: some columns, files without folders, days, the five distances as one text."""
    shown = rows.assign(
        day=rows["observed_at"].dt.strftime("%Y-%m-%d"),
        bits=rows[list(DISTANCE_COLUMNS)].astype("str").agg(" ".join, axis=1),
    )
    if "query" in columns:
        shown["query"] = shown["query"].str.rsplit("/", n=1).str[-1]
    return shown[columns].rename(columns=SHORT)


def say(sentence: str, *, as_json: bool = False) -> None:
    """Say something to people: on standard output, unless that is for programs."""
    (STDERR if as_json else STDOUT).print(sentence, markup=False, highlight=False, soft_wrap=True)


def warn(name: str, problem: str) -> None:
    """Say on standard error what is wrong with one thing; both texts may be a stranger's."""
    STDERR.print(
        f"Not read: {visible(name, MESSAGE_CHARACTERS)}: {visible(problem, MESSAGE_CHARACTERS)}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
