"""Which column is which: everything that is wrong is said at once, with what might have been meant."""

import re
from pathlib import Path

import pandas as pd
import pytest

from data.errors import TableError
from data.sources import open_source
from data.tables.columns import LABELS, LISTINGS, SELLERS, TABLES, Table
from data.tables.validation import Mapping, check_columns, validate

TABLES_PAGE = Path(__file__).resolve().parents[3] / "docs" / "tables.md"
OURS = ["listing_id", "seller_id", "created_at", "image_urls"]


def described(table: Table) -> list[str]:
    """The lines of the documentation that must stand for a table."""
    return [
        f"| `{column.name}` | "
        + ("required" if column.required else "optional")
        + (", may be empty" if column.required and column.may_be_empty else "")
        + f" | {column.kind} | "
        + column.meaning.replace("|", "\\|")
        + " |"
        for column in table.columns
    ]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_documentation_describes_every_column_in_order(table: Table) -> None:
    section = TABLES_PAGE.read_text().partition(f"## {table.name.capitalize()}\n")[2].partition("\n## ")[0]

    assert [line for line in section.splitlines() if line.startswith("| `")] == described(table)


def test_the_documented_table_gives_the_documented_rejects(tmp_path: Path) -> None:
    page = TABLES_PAGE.read_text()
    (sample,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    (expected,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    (tmp_path / "listings.csv").write_text(sample)
    (batch,) = open_source(str(tmp_path / "listings.csv")).batches(100)

    valid = validate(batch, LISTINGS, mapping=Mapping(), timezone=None)

    shown = "".join(
        f"line {row.line}, {row.column_name or 'row'}: {row.reason}\n    {row.value}".rstrip() + "\n"
        for row in valid.rejects.itertuples()
    )
    assert shown == expected
    assert f"keeps {', '.join(valid.rows['listing_id'])}, and rejects {valid.rejected_rows} rows" in page


def test_all_missing_columns_are_named_at_once_with_what_might_be_meant() -> None:
    with pytest.raises(TableError) as error:
        check_columns(["ListingID", "title", "image_url"], LISTINGS, mapping=Mapping(), source="listings.csv")

    problems = "\n".join(error.value.problems)
    assert len(error.value.problems) == 4
    assert "listing_id is missing (unique within a marketplace); did you mean ListingID?" in problems
    assert "did you mean image_url?" in problems
    assert "column created_at is missing" in problems
    assert "nothing was written" in str(error.value)


def test_a_mapped_column_that_is_not_there_is_named_and_not_named_twice() -> None:
    mapping = Mapping.parse(["lstid=listing_id"])

    with pytest.raises(TableError) as error:
        check_columns(["list_id", *OURS[1:]], LISTINGS, mapping=mapping, source="x")

    assert error.value.problems == ["--map lstid=listing_id: there is no column lstid; did you mean list_id?"]


def test_all_faults_of_a_mapping_are_named_at_once() -> None:
    with pytest.raises(TableError) as error:
        Mapping.parse(["nonsense", "id=listing", "a=title", "b=title", "=price"])

    assert error.value.problems == [
        "--map 'nonsense' is not THEIRS=ours",
        "--map id=listing: none of our tables has a column listing; did you mean listing_id or rating?",
        "--map '=price' is not THEIRS=ours",
        "title is mapped twice",
    ]


def test_one_mapping_serves_all_tables() -> None:
    mapping = Mapping.parse(["id=listing_id", "host=seller_id", "since=joined_at", "photo=image_urls"])

    check_columns(["id", "host", "created_at", "photo"], LISTINGS, mapping=mapping, source="listings")
    check_columns(["host", "since"], SELLERS, mapping=mapping, source="sellers")
    check_columns(["listing_id", "label", "labelled_at"], LABELS, mapping=mapping, source="labels")


def frame(**columns: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype="str")


def test_a_mapped_column_wins_over_one_of_the_same_name_which_is_kept_as_an_attribute() -> None:
    own, others = Mapping.parse(["name=title"]).apply(frame(name=["ours"], title=["theirs"], x=["1"]), LISTINGS)

    assert own["title"].tolist() == ["ours"]
    assert list(others.columns) == ["title", "x"]


def test_one_column_may_serve_twice() -> None:
    own, _ = Mapping.parse(["seen=created_at", "seen=observed_at"]).apply(frame(seen=["2026-01-01"]), LISTINGS)

    assert own.loc[0, ["created_at", "observed_at"]].tolist() == ["2026-01-01"] * 2


def test_fillings_fill_what_a_table_lacks_and_yield_to_what_it_has() -> None:
    mapping = Mapping.parse(["@row_digest=listing_id", "@const:a=b=marketplace", "@empty=image_urls"])

    lacking, _ = mapping.apply(frame(title=["x", "y", "x"]), LISTINGS)
    having, _ = mapping.apply(frame(listing_id=["7"], marketplace=["m"], image_urls=["a.jpg"]), LISTINGS)

    assert lacking["listing_id"].str.fullmatch("[0-9a-f]{32}").all()
    assert lacking["listing_id"].nunique() == 2
    assert lacking["marketplace"].tolist() == ["a=b"] * 3
    assert lacking["image_urls"].isna().all()
    assert having.loc[0, ["listing_id", "marketplace", "image_urls"]].tolist() == ["7", "m", "a.jpg"]


def test_a_row_digest_depends_on_names_and_values_but_not_on_the_order_of_columns() -> None:
    mapping = Mapping.parse(["@row_digest=listing_id"])

    def digest(**columns: list[str | None]) -> str:
        return mapping.apply(frame(**columns), LISTINGS)[0].loc[0, "listing_id"]

    assert digest(a=["1"], b=["2"]) == digest(b=["2"], a=["1"]) == digest(b=["2"], c=[None], a=["1"])
    assert len({digest(a=["1"], b=["2"]), digest(a=["2"], b=["1"]), digest(a=['1", "b": "2'])}) == 3


def test_a_table_of_listings_read_as_sellers_keeps_nothing_of_the_listings() -> None:
    both = frame(**{name: ["2026-01-01"] for name in OURS}, title=["x"], country=["NO"])

    assert Mapping().apply(both, SELLERS)[1].empty
    assert list(Mapping().apply(both.drop(columns="listing_id"), SELLERS)[1].columns)[-1] == "title"
