"""The reverse image search: what is known of a picture, from a file, a folder or an address to rows and a sheet."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from data.catalog.market.matches import deny_pairs
from data.synthetic.picture_server import serve_pictures
from features.facts import HASH_KINDS
from features.registration.edits import Edit
from models.serving.pictures.search_pictures import DUPLICATE_COLUMNS, SIMILAR_COLUMNS
from tests.flows.filled import as_file, ask, fill_and_compare, json_rows, photo, posted, smaller

CONTRACT = (
    "query", "rank", "listing_id", "seller_id", "image_id", "image_url", "observed_at", "distance_ahash",
    "distance_phash", "distance_dhash", "distance_whash", "distance_colorhash", "edit", "same_photo",
)  # fmt: skip
TABLES_PAGE = Path(__file__).resolve().parents[4] / "docs" / "tables.md"
KNOWN = 6
PHOTOS = [photo(number) for number in range(KNOWN)]
FILES = [as_file(image, quality=90) for image in PHOTOS]
ORACLES = dict(
    zip(
        HASH_KINDS,
        (imagehash.average_hash, imagehash.phash, imagehash.dhash, imagehash.whash, imagehash.colorhash),
        strict=True,
    )
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Six photos of six sellers; the first was shown by two sellers, and the later one was loaded first."""
    home = tmp_path_factory.mktemp("home")
    rows = [posted(f"l{number}", f"seller-{number}", 10 + number, file) for number, file in enumerate(FILES)]
    fill_and_compare(home, posted("copycat", "thief", 90, FILES[0]), *rows)
    return home


@pytest.fixture
def asked(tmp_path):
    """A file to ask about: a small, recompressed copy of the first photo."""
    file = tmp_path / "asked.jpg"
    file.write_bytes(as_file(smaller(PHOTOS[0]), quality=60))
    return file


def test_an_edited_copy_finds_the_listing_that_showed_the_photo_first(home, asked, capsys):
    assert ask(home, "similar", asked, "--json") == 0
    [row] = json_rows(capsys.readouterr().out)
    assert (
        row
        | {
            "query": str(asked),
            "rank": 1,
            "listing_id": "l0",
            "seller_id": "seller-0",
            "image_id": hashlib.sha256(FILES[0]).hexdigest(),
            "image_url": "https://p.example/l0/0.jpg",
            "observed_at": "2026-01-11T00:00:00+00:00",
            "edit": "resized",
            "sightings": 2,
            "sellers": 2,
        }
        == row
    )
    assert row["same_photo"] > 0.9
    assert row["found_by"] == "points"
    assert row["matched_points"] > 20


def test_a_mirrored_part_is_found_and_named_so(home, tmp_path, capsys):
    width, height = PHOTOS[3].size
    part = tmp_path / "part.jpg"
    part.write_bytes(as_file(ImageOps.mirror(PHOTOS[3].crop((width // 6, height // 6, width, height))), quality=70))
    assert ask(home, "similar", part, "--json") == 0
    [row] = json_rows(capsys.readouterr().out)
    assert row["listing_id"] == "l3"
    assert {"mirror", "crop"} <= set(row["edit"].split("+"))


def test_the_same_file_comes_first_without_an_edit(home, tmp_path, capsys):
    same = tmp_path / "same.jpg"
    same.write_bytes(FILES[4])
    for how in ((), ("--kind", "ahash", "--within", 64)):
        assert ask(home, "similar", same, "--json", *how) == 0
        row = json_rows(capsys.readouterr().out)[0]
        assert (row["rank"], row["listing_id"], row["edit"], row["same_photo"]) == (1, "l4", "none", 1.0)
        assert row["found_by"] == "bytes"


def test_what_is_known_to_be_another_photo_is_no_hit_but_by_a_plain_hash(tmp_path, capsys):
    files = [FILES[0], as_file(smaller(PHOTOS[0])), as_file(PHOTOS[0], quality=50)]
    home, asked = tmp_path / "home", tmp_path / "asked.jpg"
    context = fill_and_compare(home, *(posted(f"l{n}", f"s{n}", n, file) for n, file in enumerate(files)))
    asked.write_bytes(files[0])
    names = [hashlib.sha256(file).hexdigest() for file in files]
    known_at = pd.Timestamp("2026-03-01", tz="UTC")
    with context.catalog.write() as connection:
        pair = {"image_id": [names[1]], "other_image_id": [names[0]], "known_at": [known_at]}
        deny_pairs(connection, pd.DataFrame(pair))
    ask(home, "similar", asked, "--json")
    found = [(row["rank"], row["listing_id"]) for row in json_rows(capsys.readouterr().out)]
    assert found == [(1, "l0"), (2, "l2")]
    ask(home, "similar", asked, "--kind", "phash", "--within", 8, "--json")
    assert {row["listing_id"] for row in json_rows(capsys.readouterr().out)} == {"l0", "l1", "l2"}


def test_columns_are_those_of_the_contract_with_more_only_at_the_end(home, asked, capsys):
    ask(home, "similar", asked, "--json")
    [row] = json_rows(capsys.readouterr().out)
    assert tuple(row) == SIMILAR_COLUMNS
    assert tuple(row)[: len(CONTRACT)] == CONTRACT


def test_people_get_a_table_and_the_meaning_of_its_bits(home, asked, capsys):
    assert ask(home, "similar", asked) == 0
    shown = capsys.readouterr().out
    assert "Known pictures like this one, of 6" in shown
    assert re.search(r"l0\W+seller-0\W+2026-01-11", shown)
    assert "ahash, phash, dhash, whash, colorhash" in shown


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_file_holds_the_rows_that_json_shows(home, asked, tmp_path, capsys, suffix):
    out = tmp_path / f"hits.{suffix}"
    assert ask(home, "similar", asked, "--min-probability", 0, "--json", "--out", out) == 0
    shown = json_rows(capsys.readouterr().out)
    read = {"csv": pd.read_csv, "jsonl": lambda path: pd.read_json(path, lines=True), "parquet": pd.read_parquet}
    found = read[suffix](out)
    assert tuple(found.columns) == SIMILAR_COLUMNS
    for name in ("rank", "listing_id", "seller_id", "image_id", "distance_phash", "edit"):
        assert found[name].tolist() == [row[name] for row in shown]


@pytest.mark.parametrize("kind", HASH_KINDS)
def test_by_one_kind_all_pictures_are_ranked_as_imagehash_ranks_them(home, asked, capsys, kind):
    assert ask(home, "similar", asked, "--kind", kind, "--within", 64, "--json") == 0
    rows = json_rows(capsys.readouterr().out)
    of = ORACLES[kind]
    query = of(Image.open(asked))
    expected = {f"l{number}": query - of(Image.open(io.BytesIO(file))) for number, file in enumerate(FILES)}
    assert {row["listing_id"]: row[f"distance_{kind}"] for row in rows} == expected
    assert [row[f"distance_{kind}"] for row in rows] == sorted(expected.values())
    assert [row["rank"] for row in rows] == list(range(1, KNOWN + 1))


def test_limit_and_within_leave_the_best(home, asked, capsys):
    ask(home, "similar", asked, "--kind", "phash", "--within", 64, "--limit", 2, "--json")
    assert [row["rank"] for row in json_rows(capsys.readouterr().out)] == [1, 2]
    ask(home, "similar", asked, "--kind", "phash", "--within", 4, "--json")
    assert [row["listing_id"] for row in json_rows(capsys.readouterr().out)] == ["l0"]


def test_all_files_of_a_folder_are_asked_about_and_what_is_no_picture_is_named(home, asked, capsys):
    folder = asked.parent
    (folder / "b.png").write_bytes(as_file(PHOTOS[3], "PNG"))
    (folder / "c.txt").write_text("no picture")
    (folder / "d.jpg").write_bytes(FILES[1][:2000])
    (folder / "deeper").mkdir()
    assert ask(home, "similar", folder, asked, "--json") == 0
    shown = capsys.readouterr()
    rows = json_rows(shown.out)
    assert [(row["query"], row["listing_id"]) for row in rows] == [(str(asked), "l0"), (str(folder / "b.png"), "l3")]
    assert "c.txt: The file does not begin like a picture." in shown.err
    assert "d.jpg: " in shown.err


def test_nothing_found_is_a_sentence_and_an_empty_file(home, tmp_path, capsys):
    stranger, out = tmp_path / "new.png", tmp_path / "hits.csv"
    stranger.write_bytes(as_file(photo(77), "PNG"))
    assert ask(home, "similar", stranger, "--out", out) == 0
    assert "None of the 6 known pictures is like this one." in capsys.readouterr().out
    assert out.read_text().strip() == ",".join(f'"{name}"' for name in SIMILAR_COLUMNS)


def test_nothing_found_leaves_standard_output_to_programs(home, tmp_path, capsys):
    stranger = tmp_path / "new.png"
    stranger.write_bytes(as_file(photo(77), "PNG"))
    assert ask(home, "similar", stranger, "--json") == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "None of the 6 known pictures" in shown.err


@pytest.mark.parametrize("make_folder", [True, False])
def test_when_no_query_can_be_read_each_is_named_with_its_reason(home, tmp_path, capsys, make_folder):
    empty = tmp_path / "empty"
    empty.mkdir()
    text = tmp_path / "page.jpg"
    text.write_text("<html>")
    assert ask(home, "similar", text, empty if make_folder else tmp_path / "nowhere.jpg") == 2
    error = " ".join(capsys.readouterr().err.split())
    assert f"{text}: The file does not begin like a picture; " in error
    assert ("The folder holds no files. Give" if make_folder else "There is no such file or folder. Give") in error


def test_an_empty_catalog_says_what_to_run(asked, tmp_path, capsys):
    assert ask(tmp_path / "empty home", "similar", asked) == 0
    assert "seenbefore ingest" in capsys.readouterr().out


def test_a_picture_is_asked_about_by_its_address_and_not_kept(home, asked, monkeypatch, capsys):
    kept = sorted(path.name for path in home.rglob("*") if path.is_file())
    with serve_pictures(asked.parent) as base:
        monkeypatch.setenv("SEENBEFORE_FETCH__ALLOW_HOSTS", json.dumps([base.removeprefix("http://")]))
        assert ask(home, "similar", f"{base}/asked.jpg", f"{base}/missing.jpg", "--json") == 0
    shown = capsys.readouterr()
    assert [(row["query"], row["listing_id"]) for row in json_rows(shown.out)] == [(f"{base}/asked.jpg", "l0")]
    assert f"{base}/missing.jpg: " in shown.err
    assert sorted(path.name for path in home.rglob("*") if path.is_file()) == kept


@pytest.mark.parametrize("url", ["http://127.0.0.1/a.jpg", "http://169.254.169.254/a.jpg", "ftp://p.example/a.jpg"])
def test_an_address_that_must_not_be_asked_is_refused_with_a_reason(home, capsys, url):
    assert ask(home, "similar", url) == 2
    assert f"{url}: " in capsys.readouterr().err


def test_a_file_name_without_a_format_is_refused_before_anything_is_read(home, tmp_path, capsys):
    assert ask(home, "similar", tmp_path / "nowhere.jpg", "--out", tmp_path / "hits.xlsx") == 2
    assert "its name says no format" in capsys.readouterr().err


def pictures_in(page: str) -> list[Image.Image]:
    encoded = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in encoded]


def test_the_sheet_shows_the_query_beside_its_hits(home, asked, tmp_path, capsys):
    out = tmp_path / "hits.html"
    assert ask(home, "similar", asked, "--out", out) == 0
    page = out.read_text()
    query, hit = pictures_in(page)
    assert {image.format for image in (query, hit)} == {"JPEG"}
    assert np.abs(np.asarray(hit.resize(query.size), np.int16) - np.asarray(query, np.int16)).mean() < 12
    for text in ("asked.jpg", "2026-01-11 in l0 of seller-0", "resized", "in 2 listings of 2 sellers"):
        assert text in page


def test_the_sheet_reaches_nothing_outside_and_runs_nothing(home, asked, tmp_path):
    out = tmp_path / "hits.html"
    ask(home, "similar", asked, "--out", out)
    page = out.read_text()
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    style_hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert policy.split("; ")[:3] == ["default-src 'none'", "img-src data:", f"style-src 'sha256-{style_hash}'"]
    assert not re.search(r"<(script|link|iframe|a|form|object)\b|\s(href|on\w+|style)=|url\(", page, re.IGNORECASE)
    assert all(source.startswith("data:image/jpeg;base64,") for source in re.findall(r'src="([^"]*)', page))


def test_what_strangers_wrote_is_shown_as_text(tmp_path):
    home, asked, out = tmp_path / "home", tmp_path / "<b>&.jpg", tmp_path / "hits.html"
    fill_and_compare(home, posted("<script>alert(1)</script>", "\u202e'\"><img src=x>", 1, FILES[2]))
    asked.write_bytes(FILES[2])
    assert ask(home, "similar", asked, "--out", out) == 0
    page = out.read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;&amp;.jpg" in page
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "\u202e" not in page


def test_a_picture_that_the_store_lost_leaves_a_gap_on_the_sheet(tmp_path):
    home, asked, out = tmp_path / "home", tmp_path / "asked.jpg", tmp_path / "hits.html"
    context = fill_and_compare(home, posted("l2", "ann", 1, FILES[2]))
    asked.write_bytes(FILES[2])
    (stored,) = (home / "images").rglob(next(context.store.ids()))
    stored.unlink()
    assert ask(home, "similar", asked, "--out", out) == 0
    assert "cannot be shown" in out.read_text()
    assert len(pictures_in(out.read_text())) == 1


@pytest.mark.parametrize(
    "options",
    [(), ("a.jpg", "--kind", "md5"), ("a.jpg", "--within", 65), ("a.jpg", "--limit", 0), ("a.jpg", "--within", 4)],
)
def test_what_cannot_be_meant_is_the_callers_mistake(home, options):
    assert ask(home, "similar", *options) == 2


def test_every_column_of_what_is_found_is_documented():
    described = TABLES_PAGE.read_text(encoding="utf-8").split("## Found pictures")[1]
    distances = [f"distance_{kind}" for kind in HASH_KINDS[1:-1]]
    assert [
        name for name in {*SIMILAR_COLUMNS, *DUPLICATE_COLUMNS} - {*distances} if f"`{name}`" not in described
    ] == []
    assert [word for word in Edit if f"`{word}`" not in described] == []
