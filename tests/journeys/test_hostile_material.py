"""Files, addresses and texts that were made to do harm go through the whole job; nothing escapes, and all is said."""

from __future__ import annotations

import csv
import json
import os
import socket
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from data.catalog.market.pictures import due_fetches
from data.images.decode import PictureFormat
from data.settings import load_settings
from models.serving.context import open_context
from models.serving.export_tables import write_export
from models.serving.load_tables import Tables, load_tables
from models.serving.pictures.fetch_pictures import fetch
from tests.features.hashing.imagehash_oracle import FUNCTIONS, printed_hashes
from tests.journeys.conftest import Home, opened_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ALL_PHOTOS = bool(os.environ.get("SEENBEFORE_ALL_PHOTOS"))
OPENED = [str(kind) for kind in PictureFormat if kind is not PictureFormat.AVIF]
METADATA_SERVICE = "169.254.169.254"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_listings(path: Path, images: list[str], **columns: list[str]) -> Path:
    """Write a table with one listing for each image."""
    rows = [
        {"listing_id": f"l{n}", "seller_id": f"s{n}", "created_at": "2026-05-01T00:00:00Z", "image_urls": [image]}
        | {name: values[n] for name, values in columns.items()}
        for n, image in enumerate(images)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def files_below(root: Path, *folders: str) -> list[str]:
    found = [file for folder in folders for file in sorted((root / folder).rglob("*")) if file.is_file()]
    return [file.relative_to(root).as_posix() for file in found]


def run_over(root: Path, paths: list[str], home: Path) -> pd.DataFrame:
    """Run the whole job over files and return the exported images, by their paths."""
    from flows.run import run

    table = as_listings(home.with_name("listings.jsonl"), paths)
    with opened_home(home) as opened:
        summary = run(str(table), images_root=str(root), home=str(home))
        assert summary["scored"] == len(paths)
        images = opened.table("images")
    counts = images.groupby(["status", images["reason"].astype("str").fillna("-")]).size()
    print(f"\n{len(images)} files: " + ", ".join(f"{' '.join(key)} {n}" for key, n in counts.items()))
    return images.set_index("image_url")


def displayed(file: Path) -> Image.Image:
    """Open a picture as a person sees it: upright, on white, 8 bits a channel; by Pillow's own means."""
    with Image.open(file, formats=OPENED) as image:
        image.load()
        if image.mode == "I;16":
            return Image.fromarray(np.rint(np.asarray(image) / 65535 * 255).astype(np.uint8))
        try:
            upright = ImageOps.exif_transpose(image)
        except Exception:  # noqa: BLE001  a broken tag is no tag
            upright = image.copy()
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        white = Image.new("RGB", upright.size, "white")
        white.paste(upright, mask=upright.getchannel("A"))
        return white
    return upright if upright.mode in ("RGB", "L") else upright.convert("L" if upright.mode == "1" else "RGB")


def expected_hashes(file: Path) -> dict[str, str] | None:
    """What ImageHash prints for a file, ``None`` if Pillow cannot read it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = displayed(file)
        except Exception:  # noqa: BLE001  Pillow raises nearly everything on broken files
            return None
        return printed_hashes(image)


def mismatches(images: pd.DataFrame, root: Path) -> dict[str, Any]:
    """Return files that we hash unlike ImageHash, or that only one of us can read."""
    found = {path: row if status == "hashed" else None for path, row, status in _rows(images)}
    differing = {path: (hashes, expected_hashes(root / path)) for path, hashes in found.items()}
    return {path: pair for path, pair in differing.items() if pair[0] != pair[1]}


def _rows(images: pd.DataFrame) -> Iterator[tuple[str, dict[str, str], str]]:
    hashes = images[list(FUNCTIONS)].to_dict("index")
    return zip(images.index, hashes.values(), images["status"], strict=True)


@pytest.fixture(scope="module")
def hostile(shared: Path, prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Path]:
    paths = files_below(shared, "hostile", "pairs")
    return run_over(shared, paths, tmp_path_factory.mktemp("hostile") / "home"), shared


def test_every_hostile_file_ends_with_a_status_and_a_reason(hostile: tuple[pd.DataFrame, Path]) -> None:
    images, root = hostile
    assert sorted(images.index) == sorted(files_below(root, "hostile", "pairs"))
    assert set(images["status"]) == {"hashed", "unreadable", "refused"}
    assert images.loc[images["status"] != "hashed", "reason"].notna().all()
    hashed = images[images["status"] == "hashed"]
    assert hashed[["width", "height", "format", "recipe", *FUNCTIONS]].notna().all(axis=None)


def test_every_hostile_file_that_is_a_picture_hashes_as_imagehash_does(hostile: tuple[pd.DataFrame, Path]) -> None:
    assert mismatches(*hostile) == {}


@pytest.mark.slow
@pytest.mark.skipif(not ALL_PHOTOS, reason="set SEENBEFORE_ALL_PHOTOS=1 to take all photographs through the job")
def test_all_photographs_hash_as_imagehash_does(shared: Path, prefect_server: None, tmp_path: Path) -> None:
    root = shared / "photos"
    paths = [path for path in files_below(root, ".") if not path.endswith(".csv")]
    images = run_over(root, paths, tmp_path / "home")
    assert set(images["status"]) == {"hashed"}
    assert mismatches(images, root) == {}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Where somebody tried to connect to, while every name leads to a cloud's metadata service."""
    connected: list[object] = []

    def resolve(host: str, port: int, *_args: object, **_options: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (METADATA_SERVICE, int(port or 0)))]

    def connect(_socket: socket.socket, address: object) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    return connected


def naughty_addresses(shared: Path) -> list[str]:
    files = [shared / "hostile" / "strings" / name for name in ("ssrf_urls.txt", "ssrf_cloud_metadata.txt")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return list(dict.fromkeys(line for line in lines if "://" in line and not line.startswith("#")))


def test_addresses_that_lead_inside_are_refused_and_nobody_is_asked(
    shared: Path, tmp_path: Path, asked: list[object]
) -> None:
    urls = naughty_addresses(shared)
    table = as_listings(tmp_path / "listings.jsonl", urls)
    with opened_home(tmp_path / "home") as home:
        load, counts = load_tables(home.context, Tables(listings=str(table)), NOW)
        with home.context.catalog.read() as connection:
            due = due_fetches(connection, NOW, max_attempts=3)["url_id"].tolist()
        fetch(home.context, load, due, None)
        images = home.table("images")
    assert counts["listings_new"] == len(urls) > 80
    assert asked == []
    assert set(images["status"]) == {"refused"}
    assert sorted(images["image_url"]) == sorted(url.strip() for url in urls)


@pytest.fixture
def naughty(shared: Path, tmp_path: Path, catalog_url: str) -> Iterator[tuple[Home, list[str]]]:
    """A home into which listings were loaded whose ids, sellers and titles are naughty strings."""
    strings = json.loads((shared / "hostile" / "strings" / "blns.json").read_text(encoding="utf-8"))
    table = as_listings(
        tmp_path / "listings.jsonl", ["a.jpg"] * len(strings), listing_id=strings, seller_id=strings, title=strings
    )
    with opened_home(tmp_path / "home", SEENBEFORE_CATALOG_URL=catalog_url) as home:
        tables = Tables(listings=str(table), images_root=str(tmp_path))
        counts = load_tables(home.context, tables, NOW)[1]
        assert counts["listings_read"] == len(strings)
        yield home, strings


def test_naughty_strings_are_kept_as_they_are_or_rejected_with_a_reason(naughty: tuple[Home, list[str]]) -> None:
    home, strings = naughty
    listings, rejects = home.table("listings"), home.table("rejects")
    assert len(listings) > 480
    lines = set(range(1, len(strings) + 1))
    kept = {number for number, text in enumerate(strings, start=1) if text in set(listings["title"])}
    assert kept | set(rejects["line"]) == lines
    assert rejects["reason"].ne("").all()


def test_naughty_strings_do_no_harm_in_a_spreadsheet(naughty: tuple[Home, list[str]], tmp_path: Path) -> None:
    home, _ = naughty
    context = open_context(load_settings(home.path))
    for what in ("listings", "rejects"):
        out = tmp_path / f"{what}.csv"
        rows = write_export(context, what, out)
        with out.open(encoding="utf-8", newline="") as file:
            header, *written = csv.reader(file)
        assert len(written) == rows == len(home.table(what))
        assert {len(row) for row in written} == {len(header)}
        assert not [cell for row in written for cell in row if cell.startswith(FORMULA_STARTS)]
    titles = home.table("listings")["title"]
    back = pd.read_csv(tmp_path / "listings.csv", dtype="str", keep_default_na=False)["title"]
    assert back.str.removeprefix("'").tolist() == titles.str.removeprefix("'").tolist()
