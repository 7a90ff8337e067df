"""Photos posted more than once: one group a photo, whoever posted it and in whichever bytes."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import UTC, datetime

import imagehash
import pandas as pd
import pytest
from PIL import Image, ImageOps

from data.catalog.market.matches import deny_pairs
from models.serving.pictures import search_pictures
from models.serving.pictures.search_pictures import DUPLICATE_COLUMNS
from tests.flows.filled import as_file, ask, fill_and_compare, json_rows, photo, posted, smaller

CONTRACT = ("photo", "image_id", "listing_id", "seller_id", "image_url", "observed_at")
ALONE, SHARED, TWICE = (photo(number) for number in range(3))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORIGINAL = as_file(SHARED, quality=92)
COPY = as_file(smaller(SHARED), quality=60)
OWN = as_file(TWICE)
MANY = 300


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A photo that three sellers show in two files, one that its owner posts twice, and one that stands alone."""
    home = tmp_path_factory.mktemp("home")
    fill_and_compare(
        home,
        posted("thief's", "thief", 40, COPY),
        posted("victim's", "victim", 5, ORIGINAL),
        posted("other's", "other", 60, as_file(ALONE), ORIGINAL),
        posted("own 1", "ann", 1, OWN),
        posted("own 2", "ann", 2, OWN),
    )
    return home


def test_copies_and_identical_files_are_one_photo_and_the_most_shared_comes_first(home, capsys):
    assert ask(home, "duplicates", "--json") == 0
    rows = json_rows(capsys.readouterr().out)
    assert [(row["photo"], row["listing_id"], row["edit"], row["sellers"], row["listings"]) for row in rows] == [
        (1, "victim's", "none", 3, 3),
        (1, "thief's", "resized", 3, 3),
        (1, "other's", "none", 3, 3),
        (2, "own 1", "none", 1, 2),
        (2, "own 2", "none", 1, 2),
    ]
    assert [row["image_url"] for row in rows[:3]] == [
        "https://p.example/victim's/0.jpg",
        "https://p.example/thief's/0.jpg",
        "https://p.example/other's/1.jpg",
    ]
    assert tuple(rows[0]) == DUPLICATE_COLUMNS
    assert tuple(rows[0])[: len(CONTRACT)] == CONTRACT


def test_distances_compare_with_the_earliest_posting(home, capsys):
    ask(home, "duplicates", "--json")
    rows = {row["listing_id"]: row for row in json_rows(capsys.readouterr().out)}
    pictures = [Image.open(io.BytesIO(file)) for file in (ORIGINAL, COPY)]
    for kind, of in (("ahash", imagehash.average_hash), ("phash", imagehash.phash), ("colorhash", imagehash.colorhash)):
        assert rows["thief's"][f"distance_{kind}"] == of(pictures[0]) - of(pictures[1])
        assert rows["other's"][f"distance_{kind}"] == 0
    assert rows["victim's"]["same_photo"] == 1.0
    assert 0.9 < rows["thief's"]["same_photo"] <= 1.0
    assert [rows[who]["found_by"] for who in ("victim's", "thief's", "other's")] == ["bytes", "points", "bytes"]
    assert [rows[who]["matched_points"] > 20 for who in ("victim's", "thief's", "other's")] == [False, True, False]


def left_half(image):
    return image.crop((0, 0, image.width * 5 // 8, image.height))


def right_half(image):
    return ImageOps.mirror(image.crop((image.width * 3 // 8, 0, image.width, image.height)))


@pytest.fixture
def chain(tmp_path):
    """Two parts of a photo that have little in common, and the whole, which is later than both."""
    files = [as_file(part) for part in (left_half(SHARED), right_half(SHARED), SHARED)]
    return fill_and_compare(tmp_path, *(posted(f"l{n}", f"s{n}", n, file) for n, file in enumerate(files))), files


def test_a_chain_of_copies_is_one_photo_and_all_are_compared_with_the_earliest(chain, capsys):
    context, _ = chain
    assert ask(context.settings.home, "duplicates", "--json") == 0
    rows = json_rows(capsys.readouterr().out)
    assert [(row["photo"], row["listing_id"]) for row in rows] == [(1, "l0"), (1, "l1"), (1, "l2")]
    assert rows[0]["edit"] == "none"
    assert "crop" in rows[2]["edit"]
    assert rows[2]["same_photo"] > 0.9


def test_what_is_known_to_be_two_photos_is_parted_even_within_a_chain(chain, capsys):
    context, files = chain
    names = [hashlib.sha256(file).hexdigest() for file in files]

    def photos():
        assert ask(context.settings.home, "duplicates", "--json") == 0
        shown = capsys.readouterr().out
        return {row["listing_id"]: row["photo"] for row in json_rows(shown)}

    def deny(one, other):
        pair = {"image_id": [names[one]], "other_image_id": [names[other]], "known_at": [pd.Timestamp(NOW)]}
        with context.catalog.write() as connection:
            deny_pairs(connection, pd.DataFrame(pair))

    assert photos() == {"l0": 1, "l1": 1, "l2": 1}
    deny(1, 0)
    parted = photos()
    assert parted in ({"l0": 1, "l2": 1}, {"l1": 1, "l2": 1})
    deny(0, 2)
    assert photos() == {"l1": 1, "l2": 1}
    deny(2, 1)
    assert photos() == {}


def test_of_a_photo_in_many_listings_each_two_pictures_are_compared_once(tmp_path, monkeypatch):
    files = [ORIGINAL, COPY]
    context = fill_and_compare(tmp_path, *(posted(f"l{n}", f"s{n}", n, files[n % 2]) for n in range(40)))
    registered = []
    register = search_pictures.register
    monkeypatch.setattr(
        search_pictures, "register", lambda pairs, *rest: registered.append(len(pairs.query)) or register(pairs, *rest)
    )
    rows = search_pictures.find_duplicates(context, datetime.now(UTC)).rows
    assert len(rows) == 40
    assert registered == [0]
    assert len(search_pictures.find_duplicates(context, datetime.now(UTC), kind="phash", within=4).rows) == 40
    assert sum(registered) <= 1


def test_people_get_the_first_postings_and_the_sums(home, capsys):
    assert ask(home, "duplicates") == 0
    shown = capsys.readouterr().out
    assert re.search(r"1\W+victim's\W+victim\W+2026-01-06", shown)
    sums = dict(re.findall(r"^ +(photos|photos of several sellers|listings|sellers) +(\d+)$", shown, re.MULTILINE))
    assert sums == {"photos": "2", "photos of several sellers": "1", "listings": "5", "sellers": "4"}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_holds_every_posting(home, tmp_path, suffix):
    out = tmp_path / f"duplicates.{suffix}"
    assert ask(home, "duplicates", "--out", out) == 0
    found = {"csv": pd.read_csv, "parquet": pd.read_parquet}[suffix](out)
    assert tuple(found.columns) == DUPLICATE_COLUMNS
    assert found["image_id"].tolist()[:2] == [hashlib.sha256(file).hexdigest() for file in (ORIGINAL, COPY)]
    assert len(found) == 5


def test_the_sheet_shows_each_file_of_a_photo_once_with_its_postings(home, tmp_path):
    out = tmp_path / "duplicates.html"
    assert ask(home, "duplicates", "--out", out) == 0
    page = out.read_text()
    assert page.count("data:image/jpeg;base64,") == 3
    assert "Photo 1 in 3 listings of 3 sellers" in page
    assert "2 photos in 5 listings of 4 sellers, 1 of them under more than one seller." in page
    assert page.index("2026-01-06 in victim&#39;s of victim") < page.index("2026-03-02 in other&#39;s of other")


def test_by_one_kind_equal_hashes_make_a_group_within_bits_if_wanted(home, capsys):
    ask(home, "duplicates", "--kind", "phash", "--within", 4, "--json")
    rows = json_rows(capsys.readouterr().out)
    assert {row["listing_id"] for row in rows if row["photo"] == 1} == {"victim's", "thief's", "other's"}


def test_within_needs_a_kind(home, capsys):
    assert ask(home, "duplicates", "--within", 4) == 2
    assert "--kind" in capsys.readouterr().err


def test_photos_posted_once_make_a_sentence(tmp_path, capsys):
    fill_and_compare(tmp_path, posted("a", "ann", 1, as_file(ALONE)), posted("b", "bob", 2, as_file(TWICE)))
    assert ask(tmp_path, "duplicates") == 0
    assert "None of the 2 known pictures shows a photo that was posted more than once." in capsys.readouterr().out


def test_an_empty_catalog_says_what_to_run(tmp_path, capsys):
    assert ask(tmp_path, "duplicates") == 0
    assert "seenbefore ingest" in capsys.readouterr().out


def test_a_placeholder_of_hundreds_of_listings_is_printed_in_part_and_written_whole(tmp_path, capsys):
    home, out, sheet = tmp_path / "home", tmp_path / "all.csv", tmp_path / "all.html"
    fill_and_compare(home, *(posted(f"l{number}", f"s{number % 100}", number, OWN) for number in range(MANY)))
    assert ask(home, "duplicates", "--out", out) == 0
    shown = capsys.readouterr().out
    assert len(re.findall(r"\bl\d+\b", shown)) < 10
    assert f"Shown are some of {MANY} postings; --out FILE.csv writes them all." in shown
    assert len(pd.read_csv(out)) == MANY
    assert ask(home, "duplicates", "--out", sheet) == 0
    assert f"and {MANY - 6} more listings" in sheet.read_text()
    assert sheet.stat().st_size < 100_000


def test_of_a_photo_the_first_posting_of_each_seller_is_printed_before_any_second_one(tmp_path, capsys):
    own = [posted(f"own {number}", "ann", number, OWN) for number in range(6)]
    fill_and_compare(tmp_path, *own, posted("copied", "thief", 50, OWN))
    assert ask(tmp_path, "duplicates") == 0
    shown = re.findall(r"own \d|copied", capsys.readouterr().out)
    assert shown == ["own 0", "own 1", "own 2", "copied"]
