"""The one import for notebooks: a home that is filled, searched, asked for tables and scored with, from Python."""

from __future__ import annotations

import csv

import imagehash
import pytest
import seenbefore
from PIL import Image

from data.errors import BusyError, SourceError
from flows.runtime.lock import hold
from tests.flows.filled import as_file, photo, smaller

COLUMNS = ("listing_id", "seller_id", "created_at", "observed_at", "image_urls")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table of three listings and their pictures; the thief's is a smaller copy of Anna's."""
    folder = tmp_path_factory.mktemp("market")
    files = {"a.jpg": photo(1), "b.jpg": photo(2), "stolen.jpg": smaller(photo(1))}
    for name, image in files.items():
        (folder / name).write_bytes(as_file(image))
    with (folder / "listings.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for day, (listing, seller, name) in enumerate((("a", "anna", "a.jpg"), ("b", "ben", "b.jpg")), start=1):
            writer.writerow((listing, seller, f"2026-03-0{day}T00:00Z", f"2026-03-0{day}T00:00Z", name))
        writer.writerow(("t", "thief", "2026-03-09T00:00Z", "2026-03-09T00:00Z", "stolen.jpg"))
    return folder


@pytest.fixture(scope="module")
def home(folder):
    opened = seenbefore.open(folder / "home")
    counts = opened.ingest(folder / "listings.csv", images_root=folder)
    assert counts["listings_new"] == 3
    assert counts["hashed"] == 3
    return opened


def test_the_tables_are_frames(home):
    assert set(home.listings()["listing_id"]) == {"a", "b", "t"}
    matches = home.matches()
    assert matches[["listing_id", "other_listing_id"]].values.tolist() == [["t", "a"]]
    assert len(home.images()) == 3
    assert home.scores().empty
    assert home.features().empty
    assert home.rejects().empty
    assert home.verdicts().empty
    assert home.models().empty
    assert list(home.labels().columns) == ["listing_id", "seller_id", "label", "known_at", "source"]


@pytest.mark.parametrize("as_image", [False, True], ids=["a file", "an opened image"])
def test_a_search_names_who_showed_a_picture_first(home, folder, as_image):
    file = folder / "a.jpg"
    hits = home.search(Image.open(file) if as_image else file)
    assert hits["listing_id"].iloc[0] == "a"
    assert set(hits["seller_id"]) <= {"anna", "thief"}
    assert hits.attrs["unread"] == {}


def test_what_cannot_be_read_is_named_beside_the_hits(home, folder, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    hits = home.search([folder / "b.jpg", broken])
    assert list(hits.attrs["unread"]) == [str(broken)]
    with pytest.raises(SourceError, match="broken"):
        home.search(broken)


def test_a_listing_is_scored_and_nothing_of_it_is_kept(home, folder):
    listing = {"listing_id": "new", "seller_id": "eve", "created_at": "2026-03-20T00:00:00Z", "title": "Jacket"}
    scored = home.score_listing(listing, pictures=[folder / "a.jpg"])
    assert 0 < scored.score["score"] < 1
    assert scored.score["first_seller_id"] == "anna"
    assert "anna" in set(scored.evidence["other_seller_id"])
    assert len(home.listings()) == 3


def test_duplicates_are_the_postings_of_one_photo(home):
    assert sorted(home.duplicates()["listing_id"]) == ["a", "t"]


def test_who_writes_waits_for_nobody_and_says_who_is_there(home, folder, tmp_path):
    elsewhere = seenbefore.open(tmp_path / "home")

    def busy(what):
        raise BusyError("home", f"somebody, not {what}")

    held = type(elsewhere)(elsewhere.context, elsewhere.clock, busy)
    with pytest.raises(BusyError, match="somebody, not ingest in a notebook"):
        held.ingest(folder / "listings.csv", images_root=folder)
    with hold(tmp_path / "home", "a run of the same process"):
        assert elsewhere.ingest(folder / "listings.csv", images_root=folder)["listings_new"] == 3


def test_hashes_are_those_of_imagehash(folder):
    found = seenbefore.fingerprint(folder / "a.jpg")
    with Image.open(folder / "a.jpg") as image:
        assert found.phash == int(str(imagehash.phash(image)), 16)
        assert seenbefore.fingerprint(image) == found


def test_a_file_without_a_picture_is_named(tmp_path):
    (tmp_path / "text.jpg").write_text("words")
    with pytest.raises(SourceError, match=r"text\.jpg"):
        seenbefore.fingerprint(tmp_path / "text.jpg")
    with pytest.raises(SourceError, match=r"none\.jpg"):
        seenbefore.fingerprint(tmp_path / "none.jpg")
