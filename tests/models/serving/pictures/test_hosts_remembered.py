"""What a run learns of a host in one chunk of addresses, it knows in the next."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime

import pytest
from urllib3.util import connection as sockets

from data.catalog.market.pictures import due_fetches
from data.settings import load_settings
from models.serving.context import open_context
from models.serving.load_tables import Tables, load_tables
from models.serving.pictures.fetch_pictures import fetch

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CHUNK = 20


@pytest.fixture
def dead_host():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def dialled(monkeypatch):
    """The addresses that connections were tried to."""
    tried = []
    dial = sockets.create_connection

    def note(address, *args, **options):
        tried.append(address)
        return dial(address, *args, **options)

    monkeypatch.setattr(sockets, "create_connection", note)
    return tried


def test_the_second_chunk_does_not_wait_for_a_host_that_the_first_found_dead(tmp_path, dead_host, dialled, monkeypatch):
    monkeypatch.setenv("SEENBEFORE_FETCH__ALLOW_HOSTS", json.dumps([dead_host]))
    context = open_context(load_settings(tmp_path / "home"))
    urls = "|".join(f"http://{dead_host}/{number}.jpg" for number in range(2 * CHUNK))
    table = tmp_path / "listings.csv"
    table.write_text(f"listing_id,seller_id,created_at,image_urls\nl,s,2026-03-01T00:00:00Z,{urls}\n")
    load, _ = load_tables(context, Tables(listings=str(table)), NOW)
    with context.catalog.read() as connection:
        due = due_fetches(connection, NOW, 3)["url_id"].tolist()
    assert fetch(context, load, due[:CHUNK], None) == {"failed": CHUNK}
    assert 0 < len(dialled) < CHUNK
    dialled.clear()
    assert fetch(context, load, due[CHUNK:], None) == {"failed": CHUNK}
    assert dialled == []
    context.catalog.close()
