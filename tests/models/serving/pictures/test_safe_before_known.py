"""The catalog learns of a picture when its bytes are safe, and not if they could not be made safe."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from data.catalog.market.pictures import due_fetches
from data.errors import StoreError
from data.images.store.image_store import ImageStore
from data.settings import load_settings
from models.serving.context import open_context
from models.serving.load_tables import Tables, load_tables
from models.serving.pictures.fetch_pictures import fetch
from tests.flows.filled import as_file, photo

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMES = [f"{number}.jpg" for number in range(3)]


class WatchedStore(ImageStore):
    """A store that notes what the catalog knew when it was asked to flush, and may fail to."""

    def __init__(self, url, known, *, fails):
        super().__init__(url)
        self.known = known
        self.fails = fails
        self.flushed = set()
        self.known_before = []

    def flush(self, image_ids):
        image_ids = list(image_ids)
        self.known_before.append(self.known())
        if self.fails:
            raise StoreError(self.url, "flushing failed", "Make room.")
        super().flush(image_ids)
        self.flushed |= set(image_ids)


@pytest.fixture
def taken_in(tmp_path):
    """Take pictures in with a watched store; gives it, and the pictures that the catalog knows afterwards."""
    context = open_context(load_settings(tmp_path / "home"))

    def known():
        with context.catalog.read() as connection:
            return set(connection.execute(text("SELECT image_id FROM images")).scalars())

    def take_in(*, fails=False):
        for number, name in enumerate(NAMES):
            (tmp_path / name).write_bytes(as_file(photo(number)))
        table = tmp_path / "listings.csv"
        rows = [f"l{name},s,2026-03-01T00:00:00Z,{name}" for name in NAMES]
        table.write_text("\n".join(["listing_id,seller_id,created_at,image_urls", *rows]))
        load, _ = load_tables(context, Tables(listings=str(table), images_root=str(tmp_path)), NOW)
        with context.catalog.read() as connection:
            due = due_fetches(connection, NOW, 3)["url_id"].tolist()
        store = WatchedStore(context.store.url, known, fails=fails)
        try:
            fetch(replace(context, store=store), load, due, tmp_path)
        finally:
            store.known_after = known()
        return store

    yield take_in
    context.catalog.close()


def test_pictures_are_flushed_before_the_catalog_knows_them(taken_in):
    store = taken_in()
    assert store.known_before == [set()]
    assert len(store.known_after) == len(NAMES)
    assert store.flushed == store.known_after


def test_what_could_not_be_flushed_the_catalog_does_not_know(taken_in):
    with pytest.raises(StoreError):
        taken_in(fails=True)
    store = taken_in()
    assert store.known_before == [set()]
    assert store.flushed == store.known_after == set(store.ids())
