"""Whether the home and the image store can be written, and whether there is room."""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

from data.errors import StoreError
from data.images.store.image_store import ImageStore
from flows.cli.doctor.configuration_check import masked
from flows.cli.doctor.finding import Finding, State, ok

if TYPE_CHECKING:
    from pathlib import Path

    from data.settings import Settings

GB = 1_000_000_000
SCARCE_BYTES = 5 * GB
TOO_FEW_BYTES = GB // 2
PROBE = b"Seenbefore's doctor writes this, reads it and removes it."


def home(settings: Settings) -> Finding:
    """Check that the home, or the folder it will be made in, can be written."""
    place = settings.home.resolve()
    existing = _existing(place)
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        advice = "Give this user the right to write there, or choose another --home."
        return Finding("home", State.BAD, f"{existing} cannot be written: {error.strerror}", advice)
    return ok("home", f"{place}" if place == existing else f"{place} is created by the first run")


def disk(settings: Settings) -> Finding:
    """Check the room on the home's disk."""
    free = shutil.disk_usage(_existing(settings.home.resolve())).free
    found = f"{free / GB:,.1f} GB free"
    if free >= SCARCE_BYTES:
        return ok("disk", found)
    state = State.BAD if free < TOO_FEW_BYTES else State.WARN
    return Finding("disk", state, found, "Make room, or keep pictures elsewhere with SEENBEFORE_IMAGES_URL.")


def image_store(settings: Settings) -> Finding:
    """Check that a picture can be written to the image store, read again and removed."""
    url = masked(settings.resolved_images_url)
    if not settings.images_url and not settings.home.exists():
        return ok("image store", f"{url} is created by the first run")
    try:
        store = ImageStore(settings.resolved_images_url)
        probe = store.put(PROBE)
        store.flush([probe])
        store.get(probe)
        store.remove(probe)
    except StoreError as error:
        return Finding("image store", State.BAD, masked(str(error)), "Fix this first: every run needs it.")
    return ok("image store", f"{url} can be written and read")


def _existing(place: Path) -> Path:
    return next(folder for folder in (place, *place.parents) if folder.exists())
