"""Tables as files: every format gives back what went in, whole or not at all, and safe to open."""

from __future__ import annotations

import csv
import gzip
import io
import json
import stat
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from data.durable import write_text
from data.errors import ExportError, WriteError
from data.tables.table_files import FORMULA, write_table

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = [a + b for a in (".csv", ".jsonl", ".ndjson", ".parquet") for b in ("", ".gz", ".zst")]


@pytest.fixture
def frame() -> pd.DataFrame:
    times = pd.to_datetime(["2026-01-01T00:00:00Z", "2026-03-29T01:02:03.000004Z", None], format="ISO8601")
    return pd.DataFrame(
        {
            "listing_id": pd.Series(['a,"b"', "schön\n你好", None], dtype="str"),
            "as_of": pd.Series(times).dt.as_unit("us"),
            "score": [0.1 + 0.2, -1.5, np.nan],
            "distance_phash": pd.array([-4, None, 0], dtype="Int64"),
            "images": [3, 0, 2**62],
        }
    )


def read(path: Path) -> pd.DataFrame:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    elif path.suffix == ".zst":
        content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
    if ".csv" in path.suffixes:
        return pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=[""], lineterminator="\n")
    if ".parquet" in path.suffixes:
        return pd.read_parquet(io.BytesIO(content))
    return pd.DataFrame([json.loads(line) for line in content.splitlines()])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_back_what_went_in_batch_by_batch(frame, tmp_path, suffix):
    path = tmp_path / "deep" / f"scores{suffix}"
    assert write_table((frame.iloc[[row]] for row in range(3)), path) == 3
    found = read(path)
    assert list(found.columns) == list(frame.columns)
    assert found["listing_id"].tolist()[:2] == frame["listing_id"].tolist()[:2]
    assert found["score"].tolist()[:2] == frame["score"].tolist()[:2]
    assert found["images"].tolist() == frame["images"].tolist()
    assert found["distance_phash"].tolist()[::2] == [-4, 0]
    assert found.isna().to_numpy().tolist() == frame.isna().to_numpy().tolist()
    pd.testing.assert_series_equal(pd.to_datetime(found["as_of"], format="ISO8601").dt.as_unit("us"), frame["as_of"])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_table_keeps_its_columns_where_the_format_has_any(frame, tmp_path, suffix):
    path = tmp_path / f"scores{suffix}"
    assert write_table([frame.iloc[:0]], path) == 0
    if "json" not in suffix and "nd" not in suffix:
        assert list(read(path).columns) == list(frame.columns)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_rows_give_the_same_bytes(frame, tmp_path, suffix):
    paths = [tmp_path / f"{name}{suffix}" for name in ("one", "other")]
    for path in paths:
        write_table([frame], path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_times_are_written_in_utc_as_people_read_them(frame, tmp_path):
    local = frame.assign(as_of=frame["as_of"].dt.tz_convert("Asia/Tokyo"))
    write_table([local], tmp_path / "scores.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [row["as_of"] for row in rows] == ["2026-01-01T00:00:00Z", "2026-03-29T01:02:03.000004Z", None]
    assert rows[2] == {"listing_id": None, "as_of": None, "score": None, "distance_phash": 0, "images": 2**62}


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\n=1", " =1", "\u200b\ufeff =1", "＝1", "＋1", "－1", " ＠x"],
)  # fmt: skip
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe_in_csv_only(tmp_path, text):
    frame = pd.DataFrame({"title": [text, "harmless - really = fine", "'"], "price": [-1.0, -2.0, 3.0]})
    write_table([frame], tmp_path / "listings.csv")
    write_table([frame], tmp_path / "listings.parquet")
    with (tmp_path / "listings.csv").open(newline="") as lines:
        found = list(csv.reader(lines, strict=True))
    titles = ["'" + text, "harmless - really = fine", "'"]
    assert found == [
        ["title", "price"],
        *([title, price] for title, price in zip(titles, ["-1.0", "-2.0", "3.0"], strict=True)),
    ]
    assert read(tmp_path / "listings.parquet")["title"][0] == text


@settings(deadline=None)
@given(st.text(max_size=8))
def test_what_is_left_alone_shows_no_formula_sign_first(text):
    shown = text.lstrip("".join(map(chr, [*range(0x200B, 0x2010), 0xFEFF, 0xAD, 0x2060, 0x20, 0x3000, 0xA0])))
    if not FORMULA.match(text):
        assert not shown.startswith(tuple("=+-@＝＋－＠"))


@pytest.mark.parametrize("name", ["scores", "scores.xlsx", "scores.gz", "scores.parquet.bz2", ".csv"])
def test_a_name_without_a_format_is_refused_before_anything_is_written(frame, tmp_path, name):
    with pytest.raises(ExportError, match=r"Name a file ending in \.csv"):
        write_table([frame], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(frame, tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("old")

    def broken():
        yield frame
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_table(broken(), path)
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("scores.csv", "old")]


def test_a_folder_in_the_way_is_a_write_error(frame, tmp_path):
    (tmp_path / "scores.csv").mkdir()
    with pytest.raises(WriteError, match=r"Cannot write .*scores\.csv"):
        write_table([frame], tmp_path / "scores.csv")
    assert [found.name for found in tmp_path.iterdir()] == ["scores.csv"]


def test_a_page_is_written_as_it_is_and_an_obstacle_is_a_write_error(tmp_path):
    write_text(tmp_path / "deep" / "page.html", "Größe ✓\n")
    assert (tmp_path / "deep" / "page.html").read_bytes() == "Größe ✓\n".encode()
    with pytest.raises(WriteError, match=r"Cannot write .*deep"):
        write_text(tmp_path / "deep", "")


def test_the_file_is_as_readable_as_any_other(frame, tmp_path):
    write_table([frame], tmp_path / "scores.csv.gz")
    (tmp_path / "other").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("scores.csv.gz", "other")]
    assert modes[0] == modes[1]
    assert gzip.decompress((tmp_path / "scores.csv.gz").read_bytes()).startswith(b'"listing_id","as_of","score"')
