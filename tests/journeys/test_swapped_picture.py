"""A picture is swapped behind its address, and the same bytes stand behind many: what runs make of both."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from sqlalchemy import select

from data.catalog.database.frames import read_frame
from data.catalog.database.schema import fetches, images, listings, sightings
from data.catalog.market.pictures import due_fetches
from models.serving.context import open_context
from models.serving.load_tables import Tables, load_tables
from models.serving.pictures.fetch_pictures import fetch
from tests.data.images.fault_server import FaultServer, answer
from tests.flows.filled import as_file, photo
from tests.journeys.conftest import Home, opened_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STOLEN, OWN = as_file(photo(1)), as_file(photo(2))
NOT_MODIFIED = answer(b"", "304 Not Modified", Content_Length=None)
CREATED = "2026-05-01T00:00:00Z"
MOMENT_IN_DAYS = "0.0000001"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    server = FaultServer()
    yield server
    server.close()


@pytest.fixture
def home(tmp_path: Path, catalog_url: str, server: FaultServer) -> Iterator[Home]:
    variables = {
        "SEENBEFORE_CATALOG_URL": catalog_url,
        "SEENBEFORE_FETCH__ALLOW_HOSTS": json.dumps([server.host]),
        "SEENBEFORE_FETCH__REVALIDATE_AFTER_DAYS": MOMENT_IN_DAYS,
    }
    with opened_home(tmp_path / "home", **variables) as home:
        yield home


def table_of(folder: Path, **urls: list[str]) -> Path:
    """Write a table with one listing, of a seller of its own, for each keyword."""
    rows = [
        {"listing_id": name, "seller_id": f"seller-{name}", "created_at": CREATED, "image_urls": shown}
        for name, shown in urls.items()
    ]
    path = folder / "listings.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(home: Home, table: Path) -> dict[str, int]:
    from flows.ingest import ingest

    return ingest(str(table), home=str(home.path))


def sighted(home: Home) -> pd.DataFrame:
    """All sightings, oldest first: ``listing_id, image_id, observed_at``."""
    query = select(listings.c.listing_id, sightings.c.image_id, sightings.c.observed_at).join(
        listings, listings.c.listing_key == sightings.c.listing_key
    )
    with home.context.catalog.read() as connection:
        return read_frame(connection, query).sort_values(["observed_at", "listing_id"], ignore_index=True)


def rows_of(home: Home, query: object) -> pd.DataFrame:
    with home.context.catalog.read() as connection:
        return read_frame(connection, query)


def test_a_picture_swapped_behind_its_address_is_seen_from_then_on_and_the_first_one_stays(
    home: Home, server: FaultServer, tmp_path: Path, prefect_server: None
) -> None:
    server.play("/honest.jpg", answer(STOLEN, ETag='"h"'), NOT_MODIFIED)
    url = server.play("/swapped.jpg", answer(OWN, ETag='"v1"'), NOT_MODIFIED, answer(STOLEN, ETag='"v2"'), NOT_MODIFIED)
    table = table_of(tmp_path, honest=[f"http://{server.host}/honest.jpg"], thief=[url])

    run(home, table)
    before, first, files = home.table("images"), sighted(home), home.stored_files()
    assert home.table("matches").empty
    assert all("If-None-Match" not in head for _path, head in server.asked)

    run(home, table)  # nothing has changed
    assert sum("If-None-Match" in head for _path, head in server.asked) == 2
    pd.testing.assert_frame_equal(sighted(home), first)
    pd.testing.assert_frame_equal(home.table("images"), before)
    assert home.stored_files() == files

    swapped_after = pd.Timestamp(datetime.now(UTC))
    run(home, table)
    pd.testing.assert_frame_equal(sighted(home).head(2), first)
    (new,) = sighted(home).iloc[2:].itertuples(index=False)
    assert (new.listing_id, new.image_id) == ("thief", first.set_index("listing_id")["image_id"]["honest"])
    assert new.observed_at >= swapped_after
    (match,) = home.table("matches").itertuples(index=False)
    assert (match.listing_id, match.other_listing_id) == ("thief", "honest")

    run(home, table)
    assert len(sighted(home)) == 3
    assert 'If-None-Match: "v2"' in [head for path, head in server.asked if path == "/swapped.jpg"][-1]


def test_a_server_that_fails_when_it_is_asked_again_takes_nothing_away(
    home: Home, server: FaultServer, tmp_path: Path, prefect_server: None
) -> None:
    url = server.play("/a.jpg", answer(OWN, ETag='"v1"'), answer(b"", "404 Not Found"))
    table = table_of(tmp_path, a=[url])
    run(home, table)
    before, first = home.table("images"), sighted(home)
    run(home, table)
    assert server.paths() == ["/a.jpg"] * 2
    pd.testing.assert_frame_equal(home.table("images"), before)
    pd.testing.assert_frame_equal(sighted(home), first)


def test_the_same_bytes_behind_many_addresses_are_stored_and_fingerprinted_once(
    home: Home, server: FaultServer, tmp_path: Path, prefect_server: None
) -> None:
    urls = [server.play(f"/{number}.jpg", answer(OWN)) for number in range(6)]
    summary = run(home, table_of(tmp_path, a=urls[:3], b=urls[3:]))
    assert (summary["pictures_ok"], summary["hashed"]) == (6, 1)
    assert len(home.stored_files()) == 1
    assert len(rows_of(home, select(images.c.image_id))) == 1
    assert len(set(rows_of(home, select(fetches.c.image_id))["image_id"])) == 1
    assert sighted(home)["listing_id"].tolist() == ["a", "b"]


def test_a_picture_that_two_runs_fetch_at_once_is_kept_once(home: Home, server: FaultServer, tmp_path: Path) -> None:
    """Two machines with homes of their own share a catalog and a store."""
    urls = [server.play(f"/{number}.jpg", answer(OWN)) for number in range(4)]
    table = table_of(tmp_path, a=urls[:2], b=urls[2:])
    load, _counts = load_tables(home.context, Tables(listings=str(table)), datetime.now(UTC))
    shared_store = home.context.settings.resolved_images_url
    other = open_context(home.context.settings.model_copy(update={"home": tmp_path / "2", "images_url": shared_store}))
    with home.context.catalog.read() as connection:
        due = due_fetches(connection, load.started_at, max_attempts=3)["url_id"].tolist()
    start = threading.Barrier(2)

    def one_run(context: object) -> dict[str, int]:
        start.wait()
        return fetch(context, load, due, None)

    try:
        with ThreadPoolExecutor(2) as threads:
            assert list(threads.map(one_run, [home.context, other])) == [{"ok": 4}] * 2
    finally:
        other.catalog.close()
    assert len(home.stored_files()) == 1
    assert len(rows_of(home, select(images.c.image_id))) == 1
    assert rows_of(home, select(fetches.c.attempts))["attempts"].tolist() == [1] * 4
    assert sighted(home)["listing_id"].tolist() == ["a", "b"]
