"""Tables as real people export them are loaded with the options that the documentation names; nothing is downloaded."""

from __future__ import annotations

import argparse
import csv
import gzip
import re
import shlex
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from flows.cli.arguments import normalised
from models.serving.load_tables import Tables, load_tables
from tests.journeys.conftest import Home, opened_home

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "tables.md"
ROWS = 500
RUN_ROWS = 120
NOW = datetime(2026, 6, 1, tzinfo=UTC)
BOSTON, WASHINGTON = "airbnb_boston.csv.gz", "airbnb_washington_dc.csv.gz"
CARS = "ebay_kleinanzeigen_autos_latin1.csv"


def documented(table: str) -> argparse.Namespace:
    """The options of the command that the documentation gives for a table."""
    shell = re.findall(r"```sh\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), flags=re.DOTALL)
    command = next(words for block in shell if table in (words := shlex.split(block.replace("\\\n", " "))))
    parser = argparse.ArgumentParser()
    parser.add_argument("listings")
    parser.add_argument("--sellers")
    parser.add_argument("--timezone")
    parser.add_argument("--encoding")
    parser.add_argument("--map", action="append", dest="mapping")
    return parser.parse_args(normalised(command[2:]))


def load_as_documented(home: Home, table: Path, *, like: str) -> dict[str, int]:
    options = documented(like)
    tables = Tables(
        listings=str(table),
        sellers=str(table) if options.sellers else None,
        mapping=tuple(options.mapping),
        encoding=options.encoding,
        timezone=options.timezone,
    )
    return load_tables(home.context, tables, NOW)[1]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with opened_home(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def real(shared: Path) -> Path:
    return shared / "real"


def first_rows(table: Path, folder: Path) -> Path:
    with gzip.open(table, "rt", encoding="utf-8", newline="") as whole:
        rows = list(islice(csv.reader(whole), ROWS + 1))
    sample = folder / table.name
    with gzip.open(sample, "wt", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return sample


def test_airbnb_listings_of_two_cities_load_as_documented(real: Path, home: Home, tmp_path: Path) -> None:
    for city in (BOSTON, WASHINGTON):
        counts = load_as_documented(home, first_rows(real / city, tmp_path), like=BOSTON)
        assert (counts["listings_read"], counts["listings_new"], counts["rejected"]) == (ROWS, ROWS, 0)
    listings = home.table("listings")
    assert len(listings) == 2 * ROWS
    assert listings["image_urls"].str.startswith('["https://').mean() > 0.99
    assert listings["title"].notna().all()
    assert (listings["price"] > 0).mean() > 0.5
    sellers = pd.DataFrame(home.knowledge()["sellers"])
    assert sellers[0].nunique() == listings["seller_id"].nunique()


def test_used_cars_in_latin_1_load_as_documented(real: Path, home: Home, tmp_path: Path) -> None:
    sample = tmp_path / CARS
    with (real / CARS).open("rb") as whole:
        sample.write_bytes(b"".join(islice(whole, ROWS + 1)))
    written = pd.read_csv(sample, encoding="latin-1", dtype="str")
    counts = load_as_documented(home, sample, like=CARS)
    assert (counts["listings_read"], counts["rejected"]) == (ROWS, 0)
    assert counts["listings_new"] == len(written.drop_duplicates())
    listings = home.table("listings")
    assert set(listings["title"]) == set(written["name"])
    prices = written["price"].str.replace("[$,]", "", regex=True).astype(float)
    assert sorted(listings["price"]) == sorted(prices[~written.duplicated()])
    assert load_as_documented(home, sample, like=CARS)["listings_new"] == 0


def test_without_the_documented_encoding_loading_stops_before_anything_is_written(real: Path, home: Home) -> None:
    from data.errors import SeenbeforeError

    options = documented(CARS)
    tables = Tables(listings=str(real / CARS), mapping=tuple(options.mapping), timezone=options.timezone)
    before = home.knowledge()
    with pytest.raises(SeenbeforeError, match="encoding"):
        load_tables(home.context, tables, NOW)
    assert home.knowledge() == before


def test_clothes_run_twice_do_nothing_the_second_time(
    real: Path, home: Home, tmp_path: Path, prefect_server: None
) -> None:
    from flows.run import run

    sample = tmp_path / "clothing_listings.csv"
    pd.read_csv(real / "clothing_listings.csv", dtype="str").head(RUN_ROWS).to_csv(sample, index=False)
    tables = {"sellers": str(real / "clothing_sellers.csv"), "images_root": str(real.parent / "photos")}
    first = run(str(sample), home=str(home.path), **tables)
    assert (first["listings_new"], first["hashed"], first["scored"]) == (RUN_ROWS, RUN_ROWS, RUN_ROWS)
    known, files = home.knowledge(), home.stored_files()
    again = run(str(sample), home=str(home.path), **tables)
    assert (again["listings_read"], again["listings_new"], again["sellers_new"], again["scored"]) == (RUN_ROWS, 0, 0, 0)
    assert not any(n for name, n in again.items() if name.startswith(("pictures_", "hashed", "matches")))
    assert (home.knowledge(), home.stored_files()) == (known, files)
