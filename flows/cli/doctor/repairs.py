"""What can be put right without anybody's decision."""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import TYPE_CHECKING

from data.catalog.database.engine import open_catalog
from data.catalog.health import examine, is_made
from data.errors import BusyError
from data.images.store.image_store import LONGEST_WRITE, ImageStore
from flows.cli.doctor.finding import Finding, State, ok
from flows.cli.doctor.index_check import index
from flows.runtime.lock import clear_note, hold, is_held, killed_holders
from flows.runtime.orphans import end_orphans
from models.serving.context import open_context
from models.serving.pictures.picture_index import index_store, rebuild_index

if TYPE_CHECKING:
    from data.settings import Settings

MENDED = "mended"


def mend(settings: Settings, now: datetime) -> list[Finding]:
    """End leftover processes, bring the catalog up to date, and remove what killed runs had begun to write.

    A match index that cannot be used is made anew.

    Nothing is touched while a run holds the home.

    Raises
    ------
    OutsideError
        The catalog or the store cannot be used.
    """
    home = settings.home
    if not home.exists():
        return []
    mended = [f"ended {leftover}" for leftover in end_orphans(home)]
    mended += [f"forgot a killed {lock}: {note}" for lock, note in killed_holders(home).items()]
    try:
        with hold(home, "doctor --fix"):  # whose end clears a killed run's note
            mended += [*_migrated(settings.resolved_catalog_url), *_index(settings, now), *_swept(settings, now)]
    except BusyError as busy:
        return [Finding(MENDED, State.WARN, str(busy), "Run `seenbefore doctor --fix` again when it has ended.")]
    if not is_held(home, lock="schedule"):
        clear_note(home, lock="schedule")
    return [ok(MENDED, what) for what in mended] or [ok(MENDED, "nothing needed repair")]


def _migrated(url: str) -> list[str]:
    if not is_made(url):
        return []
    before = examine(url)
    if before.found == before.expected:
        return []
    open_catalog(url).close()
    return [f"brought the catalog from schema {before.found or 'none'} to {before.expected}"]


def _index(settings: Settings, now: datetime) -> list[str]:
    if index(settings).state is State.OK:
        return []
    rebuild_index(open_context(settings), now)
    return ["made the match index anew from the catalog"]


def _swept(settings: Settings, now: datetime) -> list[str]:
    pictures = ImageStore(settings.resolved_images_url).sweep(now - LONGEST_WRITE)
    models = [folder for folder in (settings.home / "models").glob(".keeping-*") if folder.is_dir()]
    for folder in models:
        shutil.rmtree(folder)
    store = index_store(settings)
    files = store.sweep(now=now, grace=LONGEST_WRITE) if store.folder.exists() else 0
    swept = {"picture files": pictures, "models": len(models), "files of the match index": files}
    return [f"removed {n} {what} that a killed run had begun to write" for what, n in swept.items() if n]
