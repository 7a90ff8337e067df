"""Damaged text costs the rows it damages, and every row knows its line."""

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import SourceError
from data.sources import Batch, open_source
from data.sources.text_files import MAX_RECORD_CHARS

unhurried = settings(deadline=None)  # other work on the machine is no fault of the code


def batch_of(path: Path, content: str | bytes, **options: str) -> Batch:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (batch,) = open_source(str(path), **options).batches(1_000)
    return batch


def found(batch: Batch) -> tuple[dict[int, str], list[int]]:
    """Ids by line, and the lines of broken rows."""
    ids = dict(zip(batch.lines.tolist(), batch.frame["id"].tolist(), strict=True))
    return ids, [row.line for row in batch.broken]


values = st.text(st.sampled_from('ab",;|\n\r\t é'), max_size=6)


@unhurried
@given(st.lists(st.tuples(values, values), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_the_line_of_a_row_is_one_more_than_the_line_ends_before_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], line_end: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "title"])
    expected = []
    for number, row in enumerate(rows):
        expected.append((text.getvalue().count("\n") + 1, str(number), row[0] or None))
        writer.writerow([number, row[0]])

    path = tmp_path_factory.getbasetemp() / "lines.csv"
    path.write_bytes(text.getvalue().encode())
    batches = list(open_source(str(path)).batches(3))

    seen = [
        (int(line), identity, title if isinstance(title, str) else None)
        for batch in batches
        for line, identity, title in zip(batch.lines, batch.frame["id"], batch.frame["title"], strict=True)
    ]
    assert seen == expected
    assert not any(batch.broken for batch in batches)


def test_a_row_of_another_length_is_broken_and_its_neighbours_are_not(tmp_path: Path) -> None:
    batch = batch_of(tmp_path / "t.csv", "id,title\n1,a\n2\n3,a,b\n\n4,b\n")

    assert found(batch) == ({2: "1", 6: "4"}, [3, 4])
    assert batch.broken[0].reason == "1 values where the first row names 2 columns"
    assert batch.broken[1].excerpt == "3,a,b"


def test_a_quote_too_many_costs_one_line(tmp_path: Path) -> None:
    batch = batch_of(tmp_path / "t.csv", 'id,title\n1,"never closed\n2,b\n3,"c"\n4,"d" x\n5,e\n')

    assert found(batch) == ({3: "2", 4: "3", 6: "5"}, [2, 5])


def test_a_quote_that_is_never_closed_costs_one_line_even_at_the_end(tmp_path: Path) -> None:
    batch = batch_of(tmp_path / "t.csv", 'id,title\n1,a\n2,"never closed\n3,b\n')

    assert found(batch) == ({2: "1", 4: "3"}, [3])


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_line_that_unpacks_to_gigabytes_is_broken_and_the_next_is_read(tmp_path: Path, suffix: str) -> None:
    bomb = b"x" * (5 * MAX_RECORD_CHARS)
    lines = {"csv": [b"id", b"1", bomb, b"2"], "jsonl": [b'{"id": 1}', bomb, b'{"id": 2}']}[suffix]
    path = tmp_path / f"t.{suffix}.gz"

    batch = batch_of(path, gzip.compress(b"\n".join(lines) + b"\n"))

    assert batch.frame["id"].tolist() == ["1", "2"]
    (broken,) = batch.broken
    assert "longer than" in broken.reason
    assert len(broken.excerpt) == 200


def test_json_that_is_none_is_broken_with_its_reason(tmp_path: Path) -> None:
    lines = ['{"id": 1}', "", "{", "[1]", '"x"', "null", '{"id": "\\ud800"}', "[" * 100_000, '{"id": 2}']

    batch = batch_of(tmp_path / "t.jsonl", "\n".join(lines))

    assert found(batch) == ({1: "1", 9: "2"}, [3, 4, 5, 6, 7, 8])
    assert batch.broken[-2].column == "id"


def test_keys_that_first_come_late_are_columns_of_their_batch(tmp_path: Path) -> None:
    batch = batch_of(tmp_path / "t.jsonl", '{"id": 1}\n{"id": 2, "late": "x"}\n')

    assert batch.frame["late"].fillna("").tolist() == ["", "x"]


def test_a_few_damaged_lines_are_broken_rows(tmp_path: Path) -> None:
    batch = batch_of(tmp_path / "t.csv", b"id,title\n1,gr\xc3\xbcn\n2,gr\xfcn\n3,wei\xc3\x9f\n")

    assert found(batch) == ({2: "1", 4: "3"}, [3])
    assert batch.broken[0].reason == "bytes that are not utf-8-sig"
    assert batch.broken[0].excerpt == "2,gr⟨U+DCFC⟩n"


@pytest.mark.parametrize(
    ("encoding", "proposed"), [("latin-1", "cp1252, or latin-1"), ("cp1252", "cp1252"), ("utf-16", "utf-16")]
)
def test_another_encoding_is_refused_with_the_one_to_try_and_read_with_it(
    tmp_path: Path, encoding: str, proposed: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("id,title\n1,grün\n2,weiß\n".encode(encoding))

    with pytest.raises(SourceError, match=proposed):
        open_source(str(path)).columns()
    (batch,) = open_source(str(path), encoding=encoding).batches(10)
    assert batch.frame["title"].tolist() == ["grün", "weiß"]


def test_an_encoding_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id\n1\n")

    with pytest.raises(SourceError, match="klingon"):
        open_source(str(path), encoding="klingon").columns()


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert batch_of(tmp_path / "t.csv", "\ufeffid,title\n1,a\n").frame.columns.tolist() == ["id", "title"]


def test_every_naughty_string_comes_through_csv_and_json_unchanged(shared: Path, tmp_path: Path) -> None:
    naughty = [text for text in json.loads((shared / "hostile/strings/blns.json").read_text()) if text]
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["id"], *([text] for text in naughty)])
    (tmp_path / "t.jsonl").write_text("".join(json.dumps({"id": text}) + "\n" for text in naughty))

    for name in ("t.csv", "t.jsonl"):
        (batch,) = open_source(str(tmp_path / name)).batches(10_000)
        assert batch.frame["id"].tolist() == naughty
        assert not batch.broken
