"""Small pictures for people: ours, re-encoded, without anything a stranger put into the file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from data.images.decode import Unreadable, decode

if TYPE_CHECKING:
    from flows.context import Context

SIDE_PIXELS = 320
JPEG_QUALITY = 80


def thumbnail(context: Context, image_id: str) -> bytes | None:
    """Return a JPEG of a stored picture, at most 320 pixels a side; ``None`` if it cannot be read."""
    picture = decode(context.store.get(image_id), context.settings.decode)
    if isinstance(picture, Unreadable):
        return None
    small = picture.image.convert("RGB")
    small.thumbnail((SIDE_PIXELS, SIDE_PIXELS))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()
