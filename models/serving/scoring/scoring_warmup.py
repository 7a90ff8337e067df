"""A made-up listing is scored before the first real one comes, so that this one waits for nothing."""

from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from models.serving.pictures.query_pictures import Upload
from models.serving.scoring.score_one_listing import Posting, score_listing

if TYPE_CHECKING:
    from datetime import datetime

    from models.serving.context import Context

SIDE_PIXELS, SPOT_PIXELS = 256, 16
MADE_UP = {
    "listing_id": "made up", "seller_id": "made up", "created_at": "2000-01-01T00:00:00Z", "title": "made up",
    "image_urls": "[]",
}  # fmt: skip


def warm_up(context: Context, now: datetime) -> None:
    """Make ready what is made ready once a process: the search, the known pictures, the workers and the model.

    Nothing of it is kept. The first time on a machine this takes half a minute, later some seconds.

    Raises
    ------
    SeenbeforeError
        What a real listing would meet too.
    """
    # As many pictures as there may be processes to open them, each another one.
    pictures = tuple(Upload(f"made up {seed}", _drawn(seed)) for seed in range(os.cpu_count() or 1))
    score_listing(context, Posting(MADE_UP, pictures), now)


def _drawn(seed: int) -> bytes:
    spots = np.random.default_rng(seed).integers(0, 256, (SIDE_PIXELS // SPOT_PIXELS,) * 2, np.uint8)
    file = BytesIO()
    Image.fromarray(np.kron(spots, np.ones((SPOT_PIXELS, SPOT_PIXELS), np.uint8))).save(file, "PNG")
    return file.getvalue()
