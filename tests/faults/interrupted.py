"""A small market to ingest through the command line, and how far an ingest of it has come."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from data.catalog.database.engine import open_catalog
from tests.data.catalog.catalog_digest import catalog_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LISTINGS = 60
PICTURES = 120
SIDE_PIXELS = 96
SMALL_STEPS = {"SEENBEFORE_CHUNK_IMAGES": "8", "SEENBEFORE_BATCH_ROWS": "10"}  # so that there is much to be interrupted
START = datetime(2026, 1, 1, tzinfo=UTC)
# What an ingest adds step by step, from its first row to its last.
PROGRESS = (
    "SELECT count(*) FROM loads",
    "SELECT count(*) FROM listings",
    "SELECT count(*) FROM fetches WHERE status != 'pending'",
    "SELECT count(*) FROM images WHERE recipe IS NOT NULL",
    "SELECT count(*) FROM images WHERE compared = 1",
    "SELECT count(*) FROM sightings WHERE matched = 1",
)


@dataclass(frozen=True, slots=True)
class Market:
    """A table of listings and the folder of their pictures."""

    listings: Path
    photos: Path

    @classmethod
    def drawn(cls, folder: Path) -> Market:
        """Draw a market: every third listing shows pictures of an earlier one under another seller, compressed anew."""
        photos = folder / "photos"
        photos.mkdir()
        rng = np.random.default_rng(7)
        rows = []
        for number in range(LISTINGS):
            copied = number - 2 if number % 3 == 2 else None
            names = [_draw(photos, number, place, copied, rng) for place in range(PICTURES // LISTINGS)]
            rows.append(
                {
                    "listing_id": f"l{number:02}",
                    "seller_id": f"s{number % 17}",
                    "created_at": (START + timedelta(hours=number)).isoformat(),
                    "title": f"Thing {number}",
                    "image_urls": names,
                }
            )
        table = folder / "listings.jsonl"
        table.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return cls(table, photos)

    @property
    def command(self) -> list[str]:
        """The command that ingests it, behind ``seenbefore --home HOME``."""
        return ["ingest", str(self.listings), "--images-root", str(self.photos), "--json"]

    def start_ingest(self, home: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start an ingest in a process group of its own, in small steps."""
        command = [sys.executable, "-c", "from flows.cli.app import main; main()", "--home", str(home), *self.command]
        with (home.parent / f"{home.name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                env={**os.environ, **SMALL_STEPS, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def progress(home: Path) -> int:
    """Say how many steps of its ingest are done for good in a home; 0 before its catalog is there."""
    path = home / "catalog.sqlite"
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.01)) as connection:
            return sum(connection.execute(query).fetchone()[0] for query in PROGRESS)
    except sqlite3.OperationalError:  # its tables are being made
        return 0


def digest(home: Path) -> dict[str, str]:
    """Return the digest of a home's catalog."""
    catalog = open_catalog(f"sqlite:///{home / 'catalog.sqlite'}")
    try:
        with catalog.read() as connection:
            return catalog_digest(connection)
    finally:
        catalog.close()


def pictures(home: Path) -> list[str]:
    """Return the names of all whole files in a home's image store."""
    return sorted(path.name for path in (home / "images").glob("??/*"))


def _draw(photos: Path, number: int, place: int, copied: int | None, rng: np.random.Generator) -> str:
    name = f"{number:02}_{place}.jpg"
    if copied is not None:
        Image.open(photos / f"{copied:02}_{place}.jpg").save(photos / name, quality=60)
        return name
    coarse = rng.integers(0, 256, size=(6, 6, 3), dtype=np.uint8)
    scene = Image.fromarray(coarse).resize((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.BICUBIC)
    scene.filter(ImageFilter.SHARPEN).save(photos / name, quality=90)
    return name
