"""The demo's market: made once a home, and served where its tables say its pictures are."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from data.errors import CallerError
from data.progress import advance
from data.synthetic.market import make_market, write_market
from data.synthetic.picture_server import serve_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 180
HISTORY_DAYS = 120
"""The first two thirds are history to learn from; the rest comes day by day afterwards."""
FRAUDS_A_DAY = 0.15
"""Capacity of the demo's analysts as a share of a day's listings: a little more than there are frauds."""


class OtherMarketError(CallerError):
    """The home holds a demo market of another make."""

    def __init__(self, folder: Path, found: str, wanted: str) -> None:
        super().__init__(
            f"{folder} holds another market ({found}), wanted was {wanted}. Use another --home, or remove this one."
        )


@dataclass(frozen=True, slots=True)
class Recipe:
    """What makes two markets the same."""

    listings: int
    seed: int
    photos: str

    @property
    def daily_capacity(self) -> int:
        """Listings that the market's analysts can judge in a day."""
        return max(1, round(FRAUDS_A_DAY * self.listings / DAYS))

    @property
    def split_at(self) -> datetime:
        """End of the history that the demo learns from."""
        return START + timedelta(days=HISTORY_DAYS)


@dataclass(frozen=True, slots=True)
class ServedMarket:
    """A market on disk whose pictures are being served at ``host``."""

    folder: Path
    host: str

    def table(self, name: str) -> str:
        """Return where a table of the market lies."""
        return str(self.folder / f"{name}.csv")


@contextmanager
def market_served(folder: Path, recipe: Recipe) -> Iterator[ServedMarket]:
    """Make the market unless it is there, and serve its pictures over HTTP while the block runs.

    Raises
    ------
    OtherMarketError
        The folder holds a market of another recipe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "market.json"
    known = json.loads(note.read_text()) if note.exists() else None
    if known is not None and known["recipe"] != asdict(recipe):
        raise OtherMarketError(folder, str(known["recipe"]), str(asdict(recipe)))
    port = 0 if known is None else int(urlsplit(known["base_url"]).port or 0)
    with serve_pictures(folder, port=port) as base_url:
        if known is None:
            _make(folder, recipe, base_url)
            note.write_text(json.dumps({"recipe": asdict(recipe), "base_url": base_url}))
        yield ServedMarket(folder, urlsplit(base_url).netloc)


def _make(folder: Path, recipe: Recipe, base_url: str) -> None:
    photos = Path(recipe.photos) if recipe.photos else None
    market = make_market(listings=recipe.listings, seed=recipe.seed, start=START, days=DAYS, photos=photos)
    pictures = int((market.pictures["fate"] != "dead").sum())
    made = 0

    def tell(so_far: int) -> None:
        nonlocal made
        advance("drawing pictures", so_far - made, pictures)
        made = so_far

    write_market(market, folder, base_url=base_url, split_at=recipe.split_at, on_picture=tell)
