"""A small market with its cases, as one evening of scoring leaves it: honest sellers, thieves, and hostile texts."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from data.catalog.market.scoring_moments import all_moments
from models.serving.pictures.match_pictures import match
from models.serving.scoring.open_cases import open_cases
from models.serving.scoring.score_listings import rank, score_moments
from tests.data.catalog.rows import day
from tests.flows.filled import as_file, fill_and_compare, photo, smaller

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from models.serving.context import Context

HOSTILE_TITLE = "<script>alert(1)</script>\u202egnp.exe {{ 7 * 7 }}"
VICTIM, THIEF = "ann", "bob"
COPIES = 6


def make_market(home: Path) -> Context:
    """Keep a market of a dozen listings in an empty home: photos, matches, scores, and a case for each copy."""
    context = fill_and_compare(home, *_victims(), *_copies(), *_others())
    with context.catalog.read() as connection:
        moments = all_moments(connection, None, None)
    keys = moments["listing_key"].drop_duplicates()
    match(context, keys.tolist())
    score_moments(context, list(moments.itertuples(index=False, name=None)), "first")
    rank(context, "first")
    open_cases(context, "first")
    return context


def listing_keys(context: Context, prefix: str = "copy-") -> list[int]:
    """The keys of the listings whose id begins so, in the order of their ids."""
    rows = _ask(context, f"SELECT listing_key FROM listings WHERE listing_id LIKE '{prefix}%' ORDER BY listing_id")  # noqa: S608
    return [row[0] for row in rows]


def picture_file(image: Image.Image) -> bytes:
    """A picture as a browser uploads it."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _ask(context: Context, query: str) -> list[tuple]:
    with context.catalog.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def _victims() -> Iterable[dict[str, object]]:
    for number in range(COPIES):
        shown = as_file(photo(number)), as_file(photo(100 + number))
        yield _posted(f"own-{number}", VICTIM, number, *shown, title=f"Bicycle number {number}", price=900.0)


def _copies() -> Iterable[dict[str, object]]:
    edits = (ImageOps.mirror, smaller, lambda image: image, lambda image: ImageOps.expand(image, 24, "white"))
    for number in range(COPIES):
        copied = as_file(edits[number % len(edits)](photo(number)), quality=80)
        title = HOSTILE_TITLE if number == 0 else f"Nearly new bicycle {number}"
        seller = THIEF if number < COPIES - 1 else "carl"
        yield _posted(
            f"copy-{number}", seller, 20 + number, copied, title=title, price=500.0 - 10 * number,
            description="Pick up today.\nCash only.", location="Utrecht", url="javascript:alert(1)",
            attributes='{"frame": "54 cm"}',
        )  # fmt: skip


def _others() -> Iterable[dict[str, object]]:
    yield _posted("lone", "dora", 30, as_file(photo(300)), title="One of its kind", price=80.0)
    yield _posted("bare", "dora", 31, title="No photo", price=None)


def _posted(listing_id: str, seller_id: str, at_day: float, *files: bytes, **said: object) -> dict[str, object]:
    words = {"category": "bikes", "currency": "EUR"}
    return {"listing_id": listing_id, "seller_id": seller_id, "created_at": day(at_day), "files": files} | words | said
