"""Addresses become stored pictures and hashes, or a reason; nothing is asked twice, and what failed is asked again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from data.catalog.export import export_frame
from data.catalog.market.loads import finish_load
from data.catalog.market.pictures import due_fetches, pending_pictures
from data.settings import load_settings
from data.synthetic.picture_server import serve_pictures
from features.hashing.fingerprint import RECIPE
from models.serving.context import open_context
from models.serving.load_tables import Tables, load_tables
from models.serving.pictures.fetch_pictures import fetch, fingerprint_pictures
from tests.flows.filled import as_file, photo

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ATTEMPTS = 3


class Intake:
    """A catalog and a folder of pictures, taken in as a run does."""

    def __init__(self, folder):
        self.folder = folder
        self.context = open_context(load_settings(folder / "home"))

    def take_in(self, *addresses, root=None, now=NOW):
        """Load one listing for each address, then fetch and fingerprint what is due; return the two steps' counts."""
        rows = [
            {"listing_id": f"l{n}", "seller_id": "s", "created_at": "2026-03-01T00:00:00Z", "image_urls": [address]}
            for n, address in enumerate(addresses)
        ]
        table = self.folder / "listings.jsonl"
        table.write_text("".join(json.dumps(row) + "\n" for row in rows))
        catalog = self.context.catalog
        load, _ = load_tables(self.context, Tables(listings=str(table), images_root=str(self.folder)), now)
        with catalog.read() as connection:
            due = due_fetches(connection, now, ATTEMPTS)["url_id"].tolist()
        fetched = fetch(self.context, load, due, root) if due else {}
        with catalog.read() as connection:
            pending = pending_pictures(connection, RECIPE)
        hashed = fingerprint_pictures(self.context, pending) if pending else {}
        with catalog.write() as connection:
            finish_load(connection, load, now)
        return fetched, hashed

    def images(self):
        with self.context.catalog.read() as connection:
            return export_frame(connection, "images").set_index("image_url")


@pytest.fixture
def intake(tmp_path, monkeypatch):
    with serve_pictures(tmp_path) as base_url:
        monkeypatch.setenv("SEENBEFORE_FETCH__ALLOW_HOSTS", json.dumps([base_url.removeprefix("http://")]))
        made = Intake(tmp_path)
        made.base_url = base_url
        yield made
        made.context.catalog.close()


def test_files_and_addresses_of_one_picture_are_one_picture(intake, tmp_path):
    (tmp_path / "a.jpg").write_bytes(as_file(photo(1)))
    (tmp_path / "b.jpg").write_bytes(as_file(photo(1)))
    assert intake.take_in(f"{intake.base_url}/a.jpg", "b.jpg", root=tmp_path) == ({"ok": 2}, {"hashed": 1})
    images = intake.images()
    assert images["image_id"].nunique() == 1
    assert images["phash"].nunique() == 1


def test_what_is_no_picture_says_why_wherever_it_came_from(intake, tmp_path):
    whole = as_file(photo(1))
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "page.jpg").write_text("<html>")
    (tmp_path / "empty.jpg").touch()
    addresses = ["cut.jpg", "page.jpg", "empty.jpg", "../outside.jpg", "gone.jpg", f"{intake.base_url}/gone.jpg"]
    intake.take_in(*addresses, root=tmp_path)
    images = intake.images()
    assert dict(zip(images.index, images["status"] + " " + images["reason"], strict=True)) == {
        "cut.jpg": "unreadable truncated",
        "page.jpg": "refused not_an_image",
        "empty.jpg": "failed empty_body",
        "../outside.jpg": "refused outside_root",
        "gone.jpg": "failed missing_file",
        f"{intake.base_url}/gone.jpg": "gone not_found",
    }


def test_a_file_path_without_a_root_is_asked_for_the_option(intake):
    intake.take_in("a.jpg", "https://never.invalid/asked.jpg")
    assert intake.images().loc["a.jpg", "reason"] == "missing_file"


def test_what_failed_is_asked_again_later_and_then_found(intake, tmp_path):
    assert intake.take_in("late.jpg", root=tmp_path) == ({"failed": 1}, {})
    (tmp_path / "late.jpg").write_bytes(as_file(photo(1)))
    assert intake.take_in("late.jpg", root=tmp_path, now=NOW + timedelta(minutes=1)) == ({}, {}), "too early"
    assert intake.take_in("late.jpg", root=tmp_path, now=NOW + timedelta(hours=1)) == ({"ok": 1}, {"hashed": 1})


def test_what_fails_time_and_again_is_given_up(intake, tmp_path):
    counts = [intake.take_in("never.jpg", root=tmp_path, now=NOW + timedelta(days=day))[0] for day in range(5)]
    assert counts == [{"failed": 1}] * ATTEMPTS + [{}, {}]


def test_nothing_that_is_there_is_asked_or_hashed_again(intake, tmp_path):
    (tmp_path / "a.jpg").write_bytes(as_file(photo(1)))
    intake.take_in("a.jpg", root=tmp_path)
    (tmp_path / "a.jpg").unlink()
    assert intake.take_in("a.jpg", root=tmp_path, now=NOW + timedelta(days=9)) == ({}, {})
