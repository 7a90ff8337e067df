"""The files that copies are looked for in: whether they are as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import SegmentsError
from flows.cli.doctor.finding import Finding, State, ok
from models.serving.pictures.picture_index import index_store

if TYPE_CHECKING:
    from data.settings import Settings

ANEW = "`seenbefore doctor --fix` makes it anew from the catalog."


def index(settings: Settings) -> Finding:
    """Read all files of the match index, and name those that are damaged."""
    store = index_store(settings)
    if not store.folder.exists():
        return ok("match index", "is created when images are first compared")
    try:
        damaged = store.damaged()
    except SegmentsError as error:
        return Finding("match index", State.WARN, str(error), "The next run rebuilds it.")
    if damaged:
        return Finding("match index", State.BAD, f"{store.folder}: damaged: {', '.join(damaged)}", ANEW)
    return ok("match index", f"{store.folder} is intact")
