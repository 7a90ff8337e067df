"""A home with a filled catalog, made directly of listings and drawn pictures: no flow, no server, no download."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.catalog.market.listings import save_listings
from data.catalog.market.loads import Load
from data.catalog.market.pictures import pending_pictures
from data.settings import load_settings
from data.synthetic.drawn_pictures import Scene, draw_photo
from features.hashing.fingerprint import RECIPE
from flows.cli.app import answer
from models.serving.context import open_context
from models.serving.pictures.fetch_pictures import fingerprint_pictures
from models.serving.pictures.match_pictures import compare_new_pictures
from tests.data.catalog.rows import day, fetch_all, listings, moment

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from models.serving.context import Context

LOAD = Load("load", moment(500), first_bulk=True)


def photo(number: int) -> Image.Image:
    """One of many photos that have nothing to do with each other."""
    return draw_photo(Scene(category=number % 8, setting=1000 + number, item=2000 + number, view=3000 + number))


def as_file(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def smaller(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2))


def posted(listing_id: str, seller_id: str, at_day: float, *files: bytes) -> dict[str, object]:
    """A listing with its pictures, to be given to `fill`."""
    return {"listing_id": listing_id, "seller_id": seller_id, "created_at": day(at_day), "files": files}


def fill(home: Path, *rows: dict[str, object]) -> Context:
    """Keep listings and pictures as ``ingest`` would; each picture has an address that its listing alone shows."""
    context = open_context(load_settings(home))
    stored: dict[str, str] = {}
    for row in rows:
        addresses = [f"https://p.example/{row['listing_id']}/{n}.jpg" for n in range(len(row["files"]))]
        stored |= {url: context.store.put(file) for url, file in zip(addresses, row.pop("files"), strict=True)}
        row["image_urls"] = addresses
    context.store.flush(stored.values())
    with context.catalog.write() as connection:
        save_listings(connection, LOAD, listings(*rows))
        fetch_all(connection, LOAD, stored)
        pending = pending_pictures(connection, RECIPE)
    fingerprint_pictures(context, pending)
    return context


def fill_and_compare(home: Path, *rows: dict[str, object]) -> Context:
    """Keep listings and pictures, and find which pictures are alike."""
    context = fill(home, *rows)
    compare_new_pictures(context, datetime.now(UTC))
    return context


def ask(home: Path, *arguments: object) -> int:
    """Run a command on a home and return its exit code."""
    return answer(["--home", str(home), *map(str, arguments)])


def json_rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]
