"""Every row of a batch is either typed or rejected with its line and reason."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from data.errors import TableError
from data.sources import Batch, Broken, open_source
from data.tables.validation import LABELS, LISTINGS, SELLERS, Mapping, Table, Valid, check_columns, validate
from data.visible_text import visible

LISTING = {"listing_id": "a", "seller_id": "s", "created_at": "2026-01-01T00:00Z", "image_urls": ""}


def batch(*rows: dict[str, str], number: int = 1, broken: tuple[Broken, ...] = ()) -> Batch:
    frame = pd.DataFrame([{name: value or None for name, value in row.items()} for row in rows], dtype="str")
    lines = np.arange(2, 2 + len(rows), dtype=np.int64)
    return Batch(source="t.csv", number=number, frame=frame, lines=lines, broken=broken)


def checked(*rows: dict[str, str], table: Table = LISTINGS) -> Valid:
    return validate(batch(*rows), table, mapping=Mapping(), timezone=None)


def reasons(valid: Valid) -> dict[tuple[int, str], str]:
    rejects = valid.rejects
    return dict(zip(zip(rejects["line"], rejects["column_name"], strict=True), rejects["reason"], strict=True))


def test_a_listing_is_typed_and_what_it_lacks_is_missing() -> None:
    extra = {"price": "$5,000", "image_urls": "a.jpg|b.jpg", "colour": "red", "size": ""}

    rows = checked(LISTING | extra).rows

    assert rows.dtypes.astype(str).to_dict() == {
        **{column.name: "str" for column in LISTINGS.columns},
        "created_at": "datetime64[us, UTC]",
        "observed_at": "datetime64[us, UTC]",
        "image_urls": "object",
        "price": "float64",
        "attributes": "str",
        "_line": "int64",
    }
    row = rows.loc[0]
    assert (row["price"], row["currency"], row["marketplace"]) == (5000.0, "USD", "default")
    assert (row["image_urls"], row["attributes"], row["_line"]) == (["a.jpg", "b.jpg"], '{"colour": "red"}', 2)
    assert row[["observed_at", "title", "description", "category", "location", "url"]].isna().all()


def test_the_currency_column_speaks_before_the_price() -> None:
    rows = checked(*(LISTING | {"price": "$5", "currency": currency} for currency in ("eur", "", "€"))).rows

    assert rows["currency"].tolist() == ["EUR", "USD", "EUR"]


def test_every_fault_of_a_row_is_told_and_the_row_counts_once() -> None:
    valid = checked(
        {"listing_id": " ", "seller_id": "", "created_at": "soon", "image_urls": "[", "price": "-1"}, LISTING
    )

    assert list(reasons(valid)) == [
        (2, "listing_id"), (2, "seller_id"), (2, "created_at"), (2, "image_urls"), (2, "price"),
    ]  # fmt: skip
    assert valid.rejected_rows == 1
    assert valid.rows["_line"].tolist() == [3]
    assert set(valid.rejects["source"]) == {"t.csv"}
    assert set(valid.rejects["table_name"]) == {"listings"}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("listing_id", "x" * 513), ("seller_id", "a\0b"), ("title", "x" * 2_001), ("description", "x" * 100_001),
        ("title", "\0"), ("marketplace", "x" * 129), ("image_urls", "x" * 2_049), ("other", "x" * 200_001),
    ],
)  # fmt: skip
def test_nothing_is_cut_and_nothing_unstorable_is_kept(column: str, value: str) -> None:
    valid = checked(LISTING | {column: value})

    assert valid.rows.empty
    assert [name for _, name in reasons(valid)] == ["attributes" if column == "other" else column]
    assert valid.rejects["value"].str.len().max() <= 200
    assert valid.rejects["value"].map(lambda value: value == visible(value)).all()


def test_ids_lose_the_blanks_around_them_and_titles_keep_theirs() -> None:
    row = checked(LISTING | {"listing_id": " 7\t", "title": "  x "}).rows.loc[0]

    assert (row["listing_id"], row["title"]) == ("7", "  x ")


def test_rows_that_could_not_be_read_are_rejects_too_in_the_order_of_lines() -> None:
    given = batch(LISTING, LISTING | {"price": "5k"}, broken=(Broken(1, "", "torn", "x"), Broken(9, "id", "torn", "y")))

    valid = validate(given, LISTINGS, mapping=Mapping(), timezone=None)

    assert list(reasons(valid)) == [(1, ""), (3, "price"), (9, "id")]
    assert valid.rejected_rows == 3


def test_labels_are_known_words_in_any_case() -> None:
    label = {"listing_id": "a", "labelled_at": "2026-01-01T00:00Z"}

    valid = checked(*(label | {"label": word} for word in ("Fraud", " legit ", "scam", "")), table=LABELS)

    assert valid.rows["label"].tolist() == ["fraud", "legit"]
    assert reasons(valid) == {(4, "label"): "neither fraud nor legit", (5, "label"): "is empty"}


def test_sellers_may_have_a_negative_count_and_no_joining_date() -> None:
    valid = checked({"seller_id": "s", "feedback_count": "-3", "rating": "4,5"}, table=SELLERS)

    assert valid.rows.loc[0, ["feedback_count", "rating"]].tolist() == [-3.0, 4.5]
    assert valid.rows["joined_at"].isna().all()


def test_an_empty_batch_gives_typed_columns_without_rows() -> None:
    empty = batch(LISTING | {"listing_id": ""})

    assert validate(empty, LISTINGS, mapping=Mapping(), timezone=None).rows.dtypes["created_at"].kind == "M"


def test_a_first_batch_without_any_zone_stops_the_load_and_a_later_one_does_not() -> None:
    wall = LISTING | {"created_at": "2026-01-01 00:00"}

    with pytest.raises(TableError, match="--timezone"):
        validate(batch(wall, wall, number=0), LISTINGS, mapping=Mapping(), timezone=None)
    assert validate(batch(wall, LISTING, number=0), LISTINGS, mapping=Mapping(), timezone=None).rejected_rows == 1
    assert validate(batch(wall, number=1), LISTINGS, mapping=Mapping(), timezone=None).rejected_rows == 1
    assert len(validate(batch(wall, number=0), LISTINGS, mapping=Mapping(), timezone=ZoneInfo("UTC")).rows) == 1


def test_a_first_batch_of_nothing_but_paths_needs_their_folder(tmp_path: Path) -> None:
    path = LISTING | {"image_urls": "photos/a.jpg"}
    url = LISTING | {"image_urls": "https://img.example/a.jpg"}

    with pytest.raises(TableError, match="--images-root"):
        validate(batch(path, number=0), LISTINGS, mapping=Mapping(), timezone=None)
    assert len(validate(batch(path, url, number=0), LISTINGS, mapping=Mapping(), timezone=None).rows) == 2
    rooted = validate(batch(path, number=0), LISTINGS, mapping=Mapping(), timezone=None, images_root=tmp_path)
    assert len(rooted.rows) == 1


def test_naughty_strings_survive_as_ids_and_titles_or_are_rejected_with_a_reason(shared: Path) -> None:
    naughty = [text for text in json.loads((shared / "hostile/strings/blns.json").read_text()) if text]
    rows = [LISTING | {"listing_id": text, "title": text, "price": text, "created_at": text} for text in naughty]
    ids = [LISTING | {"listing_id": text, "title": text} for text in naughty]

    hopeless, valid = checked(*rows), checked(*ids)

    assert hopeless.rows.empty
    assert hopeless.rejects["value"].map(lambda value: value == visible(value)).all()
    kept = dict(zip(valid.rows["_line"], zip(valid.rows["listing_id"], valid.rows["title"], strict=True), strict=True))
    rejected = reasons(valid)
    for line, text in enumerate(naughty, start=2):
        if line in kept:
            assert kept[line] == (text.strip(), text)
        else:
            assert rejected[line, "listing_id"] == "is empty"
            assert not text.strip()


AIRBNB = [
    "id=listing_id", "host_id=seller_id", "last_scraped=created_at", "picture_url=image_urls", "host_since=joined_at",
    "name=title", "neighbourhood_cleansed=location", "property_type=category",
]  # fmt: skip
USED_CARS = [
    "@row_digest=listing_id", "postalCode=seller_id", "dateCreated=created_at", "dateCrawled=observed_at",
    "@empty=image_urls", "name=title", "brand=category",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "table", "mapping", "zone", "encoding", "kept"),
    [
        ("clothing_listings.csv", LISTINGS, [], None, "utf-8-sig", 913),
        ("clothing_sellers.csv", SELLERS, [], None, "utf-8-sig", 104),
        ("airbnb_boston.csv.gz", LISTINGS, AIRBNB, "UTC", "utf-8-sig", 3_349),
        ("airbnb_boston.csv.gz", SELLERS, AIRBNB, "UTC", "utf-8-sig", 3_349),
        ("airbnb_washington_dc.csv.gz", LISTINGS, AIRBNB, "UTC", "utf-8-sig", 6_257),
        ("ebay_kleinanzeigen_autos_latin1.csv", LISTINGS, USED_CARS, "Europe/Berlin", "latin-1", 18_705),
    ],
)
def test_real_tables_load_after_the_documented_mapping(
    shared: Path, name: str, table: Table, mapping: list[str], zone: str | None, encoding: str, kept: int
) -> None:
    source = open_source(str(shared / "real" / name), encoding=encoding)
    theirs = Mapping.parse(mapping)
    check_columns(source.columns(), table, mapping=theirs, source=source.name)

    valid = [
        validate(part, table, mapping=theirs, timezone=ZoneInfo(zone) if zone else None, images_root=shared)
        for part in source.batches(5_000)
    ]

    assert sum(len(part.rows) for part in valid) == kept
    assert sum(part.rejected_rows for part in valid) == 0


def test_the_prices_of_real_used_cars_are_dollars_from_nothing_to_eleven_million(shared: Path) -> None:
    source = open_source(str(shared / "real/ebay_kleinanzeigen_autos_latin1.csv"), encoding="latin-1")
    mapping = Mapping.parse([*USED_CARS, "odometer=description"])
    berlin = ZoneInfo("Europe/Berlin")

    rows = pd.concat(validate(part, LISTINGS, mapping=mapping, timezone=berlin).rows for part in source.batches(5_000))

    assert (rows["price"].min(), rows["price"].max()) == (0.0, 11_111_111.0)
    assert rows["price"].notna().all()
    assert set(rows["currency"]) == {"USD"}
    assert rows.iloc[0][["price", "description"]].tolist() == [5000.0, "150,000km"]
