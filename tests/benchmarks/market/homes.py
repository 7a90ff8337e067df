"""A home filled with a market by the real ingest; pictures and their fingerprints are made once and kept."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from data.catalog.database.frames import insert, read_frame, whole_table
from data.catalog.database.schema import images, sketches
from data.synthetic.market import write_market
from flows.start import started
from models.serving.context import Context, open_context
from models.serving.load_tables import read_listing_texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.synthetic.market import Market

FILLED = "filled.json"
"""In a home that was filled to the end: with what, and how long it took."""
PRINTS = {"images": images, "sketches": sketches}
"""The tables that hold all that was read off a picture."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A home with a market in it.

    Parameters
    ----------
    pictures
        Files that there are.
    drawing_s, ingest_s
        Wall time; what was kept from an earlier run is not in it.
    fingerprints_kept
        Whether the fingerprints were.
    """

    context: Context
    pictures: int
    drawing_s: float
    ingest_s: float
    fingerprints_kept: bool


def without_pictures(market: Market) -> Market:
    """Return the market with no picture in any listing."""
    return replace(market, listings=market.listings.assign(image_urls="[]"), pictures=market.pictures[:0])


@contextmanager
def filled(market: Market, cache: Path, *, name: str, keep: bool = False) -> Iterator[Filled]:
    """Draw the market's pictures unless they are there, and ingest it into a home.

    Parameters
    ----------
    cache
        Folder for pictures and fingerprints; the home is made in it, too.
    name
        Of this market: another market takes the place of an earlier one of the same name.
    keep
        Leave the home there after the block, and take one that was left: what was matched then is not matched anew.
    """
    folder, home = cache / f"market-{name}", cache / f"home-{name}"
    note = home / FILLED
    if not (keep and note.exists() and json.loads(note.read_text())["market"] == _digest(market)):
        shutil.rmtree(home, ignore_errors=True)
    files, drawing_s = _drawn(market, folder)
    try:
        with started(home, "judging a market") as settings:
            context = open_context(settings)
            if not note.exists():
                told = {"market": _digest(market), **_ingested(context, files, folder)}
                note.write_text(json.dumps(told))
            # What a newer version wants to know of kept listings, the next ingest would read.
            read_listing_texts(context)
        told = json.loads(note.read_text())
        there = int((market.pictures["fate"] != "dead").sum())
        yield Filled(context, there, drawing_s, told["ingest_s"], told["fingerprints_kept"])
    finally:
        if not keep:
            shutil.rmtree(home, ignore_errors=True)


def _ingested(context: Context, files: tuple[Path, Path, Path], folder: Path) -> dict[str, Any]:
    """Ingest a market's tables, and say how long it took and whether the fingerprints were there before."""
    from flows.ingest import ingest

    kept = _restored(context, folder)
    begun = perf_counter()
    ingest(str(files[0]), str(files[1]), str(files[2]), str(folder), home=str(context.settings.home))
    ingest_s = perf_counter() - begun
    if not kept:
        _keep(context, folder)
    return {"ingest_s": ingest_s, "fingerprints_kept": kept}


def _drawn(market: Market, folder: Path) -> tuple[tuple[Path, Path, Path], float]:
    """Write tables and pictures unless just these are there; return listings, sellers and labels, and the time."""
    note, digest = folder / "market.txt", _digest(market)
    begun = perf_counter()
    if not note.exists() or note.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        write_market(market, folder)
        note.write_text(digest)
    tables = (folder / "listings-1.csv", folder / "sellers.csv", folder / "labels.csv")
    return tables, perf_counter() - begun


def _digest(market: Market) -> str:
    frames = (market.listings, market.sellers, market.labels, market.pictures)
    return " ".join(f"{pd.util.hash_pandas_object(frame).sum():016x}" for frame in frames)


def _restored(context: Context, folder: Path) -> bool:
    """Tell the catalog what pictures look like before it meets them; return whether that is known."""
    if not all((folder / f"{name}.parquet").exists() for name in PRINTS):
        return False
    with context.catalog.write() as connection:
        for name, table in PRINTS.items():
            insert(connection, table, pd.read_parquet(folder / f"{name}.parquet"))
    return True


def _keep(context: Context, folder: Path) -> None:
    with context.catalog.read() as connection:
        for name, table in PRINTS.items():
            frame = read_frame(connection, whole_table(table, [column.name for column in table.columns]))
            frame = frame.assign(compared=0) if "compared" in frame else frame
            frame.to_parquet(folder / f"{name}.parquet", index=False)
