"""A table says the same in whatever format it comes."""

import csv
import gzip
import json
import sqlite3
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from sqlalchemy import URL

from data.errors import ExitCode, SourceError, UnreachableError
from data.sources import open_source

ROWS = [
    {"listing_id": "a1", "title": "Sofa, grün", "price": "19.5", "note": ""},
    {"listing_id": "a2", "title": 'two\nlines, "quoted"', "price": "5", "note": "x"},
    {"listing_id": "a3", "title": "日本 😀", "price": "", "note": " blanks "},
]
EXPECTED = pd.DataFrame([{name: value or None for name, value in row.items()} for row in ROWS], dtype="str")


def delimited(path: Path, delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(ROWS[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)


def json_lines(path: Path) -> None:
    rows = [{**row, "price": float(row["price"]) if row["price"] else None} for row in ROWS]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def parquet(path: Path) -> None:
    frame = pd.DataFrame(ROWS)
    frame["price"] = pd.to_numeric(frame["price"])
    frame.to_parquet(path)


def sqlite(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("create table listings (listing_id text, title text, price real, note text)")
        rows = [(*list(row.values())[:2], float(row["price"]) if row["price"] else None, row["note"]) for row in ROWS]
        connection.executemany("insert into listings values (?, ?, ?, ?)", rows)
    connection.close()


def write(folder: Path, kind: str) -> str:
    path = folder / f"listings.{kind}"
    writers = {
        "csv": delimited,
        "tsv": lambda path: delimited(path, "\t"),
        "semicolons.csv": lambda path: delimited(path, ";"),
        "jsonl": json_lines,
        "ndjson": json_lines,
        "parquet": parquet,
        "sqlite": sqlite,
    }
    writers[kind](path)
    return f"sqlite:///{path}#listings" if kind == "sqlite" else str(path)


def read(address: str, rows: int = 100) -> pd.DataFrame:
    return pd.concat([batch.frame for batch in open_source(address).batches(rows)], ignore_index=True)


KINDS = ["csv", "tsv", "semicolons.csv", "jsonl", "ndjson", "parquet", "sqlite"]


@pytest.mark.parametrize("rows", [1, 2, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_rows_in_batches_of_any_size(tmp_path: Path, kind: str, rows: int) -> None:
    address = write(tmp_path, kind)

    pd.testing.assert_frame_equal(read(address, rows), EXPECTED)
    assert open_source(address).columns() == list(EXPECTED.columns)


@pytest.mark.parametrize("pack", [(".gz", gzip.compress), (".zst", zstandard.compress)], ids=["gz", "zst"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_compressed_files_say_what_they_say_unpacked(tmp_path: Path, kind: str, pack: tuple) -> None:
    suffix, compress = pack
    plain = Path(write(tmp_path, kind))
    packed = Path(f"{plain}{suffix}")
    packed.write_bytes(compress(plain.read_bytes()))

    pd.testing.assert_frame_equal(read(str(packed)), EXPECTED)


@pytest.mark.parametrize("pack", [(".gz", gzip.compress), (".zst", zstandard.compress)], ids=["gz", "zst"])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_cut_compressed_file_is_an_error_and_never_a_shorter_table(
    tmp_path: Path, kind: str, pack: tuple, keep: float
) -> None:
    suffix, compress = pack
    plain = Path(write(tmp_path, kind))
    whole = compress(plain.read_bytes())
    packed = Path(f"{plain}{suffix}")
    packed.write_bytes(whole[: int(len(whole) * keep)])

    with pytest.raises(SourceError, match=packed.name):
        read(str(packed))


def test_a_folder_is_read_in_the_order_of_names_with_numbered_batches(tmp_path: Path) -> None:
    (tmp_path / "2.jsonl").write_text('{"title": "c", "id": 3}\n')
    (tmp_path / "1.csv").write_text("id,title\n1,a\n2,b\n")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "_SUCCESS").write_text("")

    batches = list(open_source(str(tmp_path)).batches(1))

    assert pd.concat([batch.frame for batch in batches])["id"].tolist() == ["1", "2", "3"]
    assert [batch.number for batch in batches] == [0, 1, 2]
    assert [batch.source for batch in batches] == [f"{tmp_path.name}/1.csv"] * 2 + [f"{tmp_path.name}/2.jsonl"]
    assert [int(line) for batch in batches for line in batch.lines] == [2, 3, 1]


def test_a_folder_of_differing_files_names_the_columns_that_differ(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id,title\n1,a\n")
    (tmp_path / "2.csv").write_text("id,titel\n1,a\n")

    with pytest.raises(SourceError, match="titel, title"):
        open_source(str(tmp_path)).columns()


@pytest.mark.parametrize("name", ["listings.json", "listings.xlsx", "listings", "listings.gz"])
def test_a_name_that_says_nothing_is_answered_with_the_names_that_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")

    with pytest.raises(SourceError, match=r"\.csv, \.tsv, \.jsonl"):
        open_source(str(tmp_path / name))


def test_what_is_not_there_is_named_without_the_folders_above_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        open_source(str(tmp_path / "nowhere.csv"))

    assert "nowhere.csv" in str(error.value)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("content", ["", "\n", "id,id\n1,2\n"])
def test_a_first_row_that_names_no_columns_or_one_twice_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "listings.csv"
    path.write_text(content)

    with pytest.raises(SourceError):
        open_source(str(path)).columns()


def test_a_nameless_column_is_called_after_its_place(tmp_path: Path) -> None:
    path = tmp_path / "listings.csv"
    path.write_text(",id\n0,a\n")

    assert open_source(str(path)).columns() == ["column_1", "id"]


def test_typed_parquet_values_become_unmistakable_text(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    zoned = pd.Timestamp("2026-03-01 12:30", tz="Europe/Berlin")
    table = pa.table(
        {
            "id": pa.array([123456789012.0, None]),
            "half": pa.array([0.1, float("nan")]),
            "at": pa.array([zoned, None]),
            "wall": pa.array([pd.Timestamp("2026-03-01 12:30"), None]),
            "urls": pa.array([["a", "b"], None]),
            "kind": pa.array(["x", ""]).dictionary_encode(),
            "yes": pa.array([True, None]),
            "bytes": pa.array(["grün".encode(), b""]),
            "nothing": pa.nulls(2),
        }
    )
    pq.write_table(table, path)

    frame = read(str(path))

    first = frame.loc[0, ["id", "half", "urls", "kind", "yes", "bytes"]].tolist()
    assert first == ["123456789012", "0.1", '["a", "b"]', "x", "true", "grün"]
    assert pd.Timestamp(frame.loc[0, "at"]) == zoned
    assert pd.Timestamp(frame.loc[0, "wall"]).tzinfo is None
    assert frame.loc[1].isna().all()


def test_a_parquet_text_that_is_no_text_breaks_its_row_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    texts = pa.array([b"fine", b"\xff\xfe", b"fine too"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"id": pa.array(["1", "2", "3"]), "title": texts}), path)

    (batch,) = open_source(str(path)).batches(10)

    assert batch.frame["id"].tolist() == ["1", "3"]
    assert [(row.line, row.column) for row in batch.broken] == [(2, "title")]


def test_json_numbers_keep_their_digits_and_lists_become_json(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": 12345678901234567890, "price": 1.10, "at": [1, {"b": 0.5}], "x": NaN, "ok": false}\n')

    assert read(str(path)).loc[0].dropna().to_dict() == {
        "id": "12345678901234567890",
        "price": "1.10",
        "at": '[1, {"b": 0.5}]',
        "ok": "false",
    }


def test_a_query_is_read_like_a_table(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    sqlite(path)
    select = "select listing_id, ':x' as literal from listings where price > 1 order by listing_id"
    query = f"sqlite:///{path}#{select}"

    source = open_source(query)

    assert read(query)["listing_id"].tolist() == ["a1", "a2"]
    assert source.name == "sqlite:///market.db#query"
    assert len(read(f"sqlite:///{path}#listings")) == 3


@pytest.mark.parametrize(
    "what", ["drop table listings", "delete from listings", "with x as (select 1) delete from listings"]
)
def test_a_database_is_never_written_to(tmp_path: Path, what: str) -> None:
    path = tmp_path / "market.db"
    sqlite(path)

    with pytest.raises(SourceError):
        read(f"sqlite:///{path}#{what}")

    assert len(read(f"sqlite:///{path}#listings")) == 3


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:////nowhere/market.db#listings",
        "sqlite://#",
        "sqlite://",
        "nosuchbase://u:secret@h/d#t",
        "http://h/x.csv#y",
    ],
)
def test_a_wrong_database_address_is_an_error_that_creates_and_reveals_nothing(address: str) -> None:
    with pytest.raises(SourceError) as error:
        open_source(address).columns()

    assert "secret" not in str(error.value)
    assert not Path("/nowhere").exists()


def test_a_database_that_does_not_answer_is_the_outside_world_and_its_password_stays_secret() -> None:
    source = open_source("postgresql+psycopg://reader:secret@127.0.0.1:9/market?connect_timeout=1#listings")

    with pytest.raises(UnreachableError) as error:
        source.columns()

    assert error.value.exit_code == ExitCode.OUTSIDE
    assert "secret" not in str(error.value) + source.name
    assert source.name == "postgresql://127.0.0.1/market#listings"


def test_an_unknown_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    sqlite(path)

    with pytest.raises(SourceError, match="no such table: lists"):
        open_source(f"sqlite:///{path}#lists").columns()


def test_postgresql_is_streamed_typed_and_read_only(postgres_server: URL) -> None:
    url = postgres_server.render_as_string(hide_password=False)
    query = (
        "select 'a' as a, 1.0::float8 as b, 1.50::numeric as c, true as d, '[\"x\"]'::jsonb as e, null as f,"
        " timestamptz '2026-03-01 12:30+01' as g, current_setting('transaction_read_only') as h"
        " from generate_series(1, 5)"
    )

    batches = list(open_source(f"{url}#{query}").batches(2))

    assert [len(batch.frame) for batch in batches] == [2, 2, 1]
    first = batches[0].frame.loc[0]
    assert first[[*"abcdeh"]].tolist() == ["a", "1", "1.50", "true", '["x"]', "on"]
    assert pd.Timestamp(first["g"]) == pd.Timestamp("2026-03-01T11:30Z")
    assert batches[0].frame["f"].isna().all()
    assert "schema_name" in open_source(f"{url}#information_schema.schemata").columns()
    with pytest.raises(SourceError, match="nowhere"):
        open_source(f"{url}#nowhere").columns()
