"""Pictures for the browser: ours, encoded anew, without anything that a stranger put into the file."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Request
from starlette.responses import Response

from data.catalog.cases.case_views import alignment_of, is_known_picture
from data.errors import LostPicture
from models.serving.context import Context
from models.serving.pictures.thumbnails import SIDE_PIXELS, thumbnail
from review.access.permissions import Viewer
from review.aligned_pair import align, encode_jpeg, open_jpeg, transform_of
from review.desk import desk_of

LARGE_PIXELS = 1_000
CACHED_SMALL, CACHED_LARGE = 2_048, 128
OPEN_AT_ONCE = threading.BoundedSemaphore(min(4, os.cpu_count() or 1))
"""Each that is opened at the same time takes a process of its own, and a page asks for fifty at once."""
CACHE_CONTROL = "private, max-age=86400, immutable"
ImageId = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
router = APIRouter()


@router.get("/pictures/{image_id}")
def small(request: Request, session: Viewer, image_id: ImageId) -> Response:
    """Answer a picture, small."""
    return _jpeg(_thumbnail(desk_of(request).context, image_id, SIDE_PIXELS))


@router.get("/pictures/{image_id}/large")
def large(request: Request, session: Viewer, image_id: ImageId) -> Response:
    """Answer a picture, large."""
    return _jpeg(_thumbnail(desk_of(request).context, image_id, LARGE_PIXELS))


@router.get("/pairs/{image_id}/{other_image_id}/{view}")
def pair(
    request: Request,
    session: Viewer,
    image_id: ImageId,
    other_image_id: ImageId,
    view: Literal["own", "other", "difference"],
) -> Response:
    """Answer the common part of two pictures, in the frame of the first: either of them, or where they differ."""
    context = desk_of(request).context
    with context.catalog.read() as connection:
        stored = alignment_of(connection, image_id, other_image_id)
    if stored is None and image_id != other_image_id:
        raise HTTPException(404, "These two pictures were not found to be alike.")
    transform = transform_of(None if stored is None else stored["lead"], inverse=image_id > other_image_id)
    own, other = (open_jpeg(_thumbnail(context, name, LARGE_PIXELS)) for name in (image_id, other_image_id))
    both = align(own, other, transform)
    parts = {"own": both.own, "other": both.other}
    return _jpeg(encode_jpeg(both.difference() if view == "difference" else parts[view]))


def _thumbnail(context: Context, image_id: str, side_pixels: int) -> bytes:
    with context.catalog.read() as connection:
        if not is_known_picture(connection, image_id):
            raise HTTPException(404, "There is no such picture.")
    cached = _cached_small if side_pixels == SIDE_PIXELS else _cached_large
    try:
        jpeg = cached(context, image_id)
    except LostPicture as error:
        raise HTTPException(404, "The picture is not in the store any more.") from error
    if jpeg is None:
        raise HTTPException(404, "The picture cannot be read.")
    return jpeg


@lru_cache(maxsize=CACHED_SMALL)
def _cached_small(context: Context, image_id: str) -> bytes | None:
    with OPEN_AT_ONCE:
        return thumbnail(context, image_id)


@lru_cache(maxsize=CACHED_LARGE)
def _cached_large(context: Context, image_id: str) -> bytes | None:
    with OPEN_AT_ONCE:
        return thumbnail(context, image_id, LARGE_PIXELS)


def _jpeg(content: bytes) -> Response:
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": CACHE_CONTROL})
