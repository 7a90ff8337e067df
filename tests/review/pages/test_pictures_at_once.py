"""Many pictures at once: few processes open them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from models.serving.decoding.worker_pool import Workers
from review.pages import pictures_page

ASKED_AT_ONCE = 12
LONG_ENOUGH_S = 0.02


def test_however_many_pictures_a_page_shows_few_are_opened_at_once(ada, context, monkeypatch):
    counted, under_way, most = threading.Lock(), [0], [0]

    def opened(context, image_id, side_pixels=pictures_page.SIDE_PIXELS):
        with counted:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(LONG_ENOUGH_S)
        with counted:
            under_way[0] -= 1
        return image_id.encode()

    monkeypatch.setattr(pictures_page, "thumbnail", opened)
    allowed = 2
    monkeypatch.setattr(pictures_page, "OPEN_AT_ONCE", threading.BoundedSemaphore(allowed))
    with context.catalog.read() as connection:
        known = connection.exec_driver_sql(
            "SELECT DISTINCT s.image_id FROM sightings s JOIN images i USING (image_id) WHERE i.status = 'hashed'"
        ).fetchall()
    paths = [f"/pictures/{row[0]}{size}" for row in known for size in ("", "/large")][:ASKED_AT_ONCE]
    with ThreadPoolExecutor(len(paths)) as threads:
        answers = list(threads.map(lambda path: (path, ada.get(path)), paths))
    assert all(answer.text in path for path, answer in answers)
    assert most[0] == allowed


def test_a_worker_that_was_prepared_is_the_one_that_opens_the_first_picture(context):
    workers = Workers(context.settings.decode)
    try:
        workers.prepare()
        (ready,) = workers._idle
        assert ready.alive
        assert workers.thumbnail(b"no picture", 10) is None
        assert workers._idle == [ready]
    finally:
        workers.end()
