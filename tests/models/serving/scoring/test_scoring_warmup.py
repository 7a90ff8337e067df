"""What is made ready for the first listing leaves no trace."""

from __future__ import annotations

from datetime import UTC, datetime

from data.settings import load_settings
from models.serving.context import open_context
from models.serving.pictures.picture_index import open_index
from models.serving.scoring.scoring_warmup import warm_up
from tests.data.catalog.catalog_digest import catalog_digest
from tests.data.catalog.rows import moment


def test_a_rehearsal_keeps_nothing_of_the_made_up_listing(tmp_path):
    context = open_context(load_settings(tmp_path))
    with context.catalog.read() as connection:
        before = catalog_digest(connection)
    warm_up(context, moment(3))
    with context.catalog.read() as connection:
        assert catalog_digest(connection) == before
    assert list(context.store.ids()) == []
    assert open_index(context, datetime.now(UTC)).pictures.image_id.size == 0
    context.catalog.close()
