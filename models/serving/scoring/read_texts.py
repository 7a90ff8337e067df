"""Read the texts of new versions of listings, so that those shown before are found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.catalog.market.texts import save_texts, unread_texts
from data.progress import advance
from models.serving.scoring.text_keys import texts_of

if TYPE_CHECKING:
    from models.serving.context import Context


def read_texts(context: Context) -> int:
    """Read the texts of all versions that were not read yet, also of those kept by an older version; say how many."""
    read = 0
    rows = context.settings.batch_rows
    with context.catalog.read() as connection:
        unread = unread_texts(connection, rows)
    while not unread.empty:
        found = texts_of(unread)
        with context.catalog.write() as connection:
            save_texts(connection, found)
        read += len(unread)
        advance("reading texts", len(unread))
        with context.catalog.read() as connection:
            unread = unread_texts(connection, rows)
    return read
