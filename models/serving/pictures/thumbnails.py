"""Small pictures for people: ours, re-encoded, without anything a stranger put into the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.serving.decoding.worker_pool import workers_for

if TYPE_CHECKING:
    from models.serving.context import Context


SIDE_PIXELS = 320


def thumbnail(context: Context, image_id: str, side_pixels: int = SIDE_PIXELS) -> bytes | None:
    """Return a JPEG of a stored picture, at most so many pixels a side; ``None`` if it cannot be read.

    Raises
    ------
    LostPicture
        The store does not have it any more.
    """
    return workers_for(context.settings.decode).thumbnail(context.store.get(image_id), side_pixels)
