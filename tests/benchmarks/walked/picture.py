"""One picture, from the loaded row to the stored score."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from .calls import read, staged
from .checkout import Checkout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .calls import Walk

SEED = 8
START = datetime(2025, 1, 1, tzinfo=UTC)


def photograph(rng: np.random.Generator) -> Image.Image:
    """Draw light, things and grain of all sizes, as a photograph has them."""
    width, height = 800, 600
    light = np.zeros((height, width, 3))
    for cells in (3, 6, 12, 24, 48, 96):
        coarse = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8))
        light += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), float) / cells**0.5
    drawn = Image.fromarray((255 * (light - light.min()) / np.ptp(light)).astype(np.uint8))
    pen = ImageDraw.Draw(drawn)
    for number in range(40):
        left, top = rng.integers(0, (width, height)).tolist()
        across, down = rng.integers(20, 200, 2).tolist()
        colour = tuple(rng.integers(0, 256, 3).tolist())
        shape = pen.ellipse if number % 2 else pen.rectangle
        shape((left, top, left + across, top + down), fill=colour)
    return drawn


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine while the block runs; yield host and port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def walk_picture(root: Path, work: Path, *, from_folder: bool) -> Walk:
    """Walk a cropped copy of a known photograph."""
    pictures = work / "pictures"
    pictures.mkdir()
    original = photograph(np.random.default_rng(SEED))
    original.save(pictures / "original.jpg", quality=90)
    original.crop((60, 40, 740, 560)).save(pictures / "copy.jpg", quality=85)
    with served(pictures) as host:
        checkout = Checkout(root, work / "picture", [host])
        for day, (name, seller) in enumerate({"original": "ann", "copy": "bob"}.items()):
            row = {
                "listing_id": name,
                "seller_id": seller,
                "created_at": (START + timedelta(days=day)).isoformat(),
                "image_urls": f"{name}.jpg" if from_folder else f"http://{host}/{name}.jpg",
                "title": "Garden table, oak",
                "description": "Little used, to be fetched in person.",
                "price": 120,
                "currency": "EUR",
            }
            pd.DataFrame([row]).to_csv(checkout.work / f"{name}.csv", index=False)
        options = ["--images-root", str(pictures)] if from_folder else []
        checkout.run("run", "original.csv", *options)
        checkout.run("run", "copy.csv", *options, watched=True)
    matches, scores = checkout.table("matches"), checkout.table("scores")
    found = (matches["listing_id"] == "copy") & (matches["other_listing_id"] == "original")
    if not (found & (matches["edit"] == "crop")).any() or "copy" not in set(scores["listing_id"]):
        raise SystemExit(f"{root}: the copy was not matched with its original, or not scored.\n{matches.T}\n{scores.T}")
    return staged(read(checkout.traces))
