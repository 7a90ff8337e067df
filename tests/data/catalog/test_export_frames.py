"""The output tables: exactly the columns others rely on, ids instead of keys, hashes as ImageHash prints them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import imagehash
import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from data.catalog.cases.cases import save_cases
from data.catalog.database.frames import insert, joined_keys
from data.catalog.database.schema import image_links, verdicts
from data.catalog.export import EXPORTED, export_batches, export_frame
from data.catalog.market.listings import save_listings
from data.catalog.market.loads import Load, save_rejects
from data.catalog.market.matches import save_alike
from data.catalog.market.pictures import save_fingerprints
from data.catalog.scores.scores import save_features, save_scores
from data.errors import ExportError
from data.images.fetch_outcome import Reason
from data.tables.table_files import write_table
from features.point_in_time.ring_features import TIE_LIMITS
from tests.data.catalog.desk_rows import scored_cases
from tests.data.catalog.market.test_matches import match_all
from tests.data.catalog.rows import RECIPE, TEXT, TIME, alike_pairs, day, fetch_all, hashed, listings, moment

FIRST = Load("first", moment(100), first_bulk=True)
TABLES_PAGE = Path(__file__).resolve().parents[3] / "docs" / "tables.md"

# As the public contract lists them; further columns may only come behind.
CONTRACT = {
    "scores": "listing_id seller_id observed_at as_of score rank band model_id reasons first_seller_id "
    "first_listing_id matched_images images",
    "matches": "listing_id image_id seller_id observed_at other_listing_id other_image_id other_seller_id "
    "other_observed_at distance_ahash distance_phash distance_dhash distance_whash distance_colorhash edit same_photo "
    "sellers_sharing sightings",
    "images": "image_id image_url listing_id status reason width height format ahash phash dhash whash colorhash "
    "recipe",
    "listings": "listing_id seller_id created_at image_urls observed_at marketplace title description category "
    "location url price currency",
    "rejects": "file line column reason",
    "features": "listing_id seller_id as_of one two",
    "verdicts": "verdict_id listing_id seller_id",
    "cases": "listing_id seller_id state as_of score band",
}
NAMES = ["one", "two"]


def key(listing_id: str) -> int:
    return int(joined_keys(["default"], [listing_id])[0])


@pytest.fixture
def market(catalog):
    """Eve shows ann's picture ten days later, one of her pictures is no picture, and one was refused."""
    eve = {"listing_id": "e", "seller_id": "eve", "created_at": day(10), "image_urls": ["u2", "u3", "u4", "u5"]}
    with catalog.write() as connection:
        save_listings(connection, FIRST, listings({"listing_id": "a", "image_urls": ["u1"], "price": 5.0}, eve))
        fetch_all(connection, FIRST, {"u1": "p1", "u2": "p2", "u3": "p3"})
        save_fingerprints(connection, hashed("p1", "p2"), TIE_LIMITS)
        broken = {"image_id": ["p3"], "status": "unreadable", "reason": "truncated", "recipe": RECIPE}
        save_fingerprints(connection, pd.DataFrame(broken), TIE_LIMITS)
        save_alike(connection, ["p1", "p2"], alike_pairs(("p1", "p2")))
        match_all(connection)
        _score(connection)
        verdict = {"verdict_id": ["v"], "listing_key": [key("e")], "verdict": "fraud", "actor": "kim"}
        insert(connection, verdicts, pd.DataFrame(verdict).assign(decided_at=day(11), kind="verdict"))
        save_cases(connection, scored_cases(key("e")))
        fault = {
            "source": "a.csv",
            "table_name": "listings",
            "line": [3],
            "column_name": "price",
            "reason": "no number",
        }
        save_rejects(connection, FIRST, pd.DataFrame(fault).assign(value="=cheap"))
    return catalog


def _score(connection) -> None:
    of = pd.DataFrame({"listing_key": [key("a"), key("e")], "as_of": pd.Series([day(0), day(10)], dtype=TIME)})
    own = pd.Series([key("a"), key("a")], dtype="Int64")
    seller = pd.Series(joined_keys(["default"] * 2, ["ann"] * 2), dtype="Int64")
    scored = of.assign(
        model_id="m", observed_at=of["as_of"], score=[0.1, 0.9], rank=[2, 1], band=["low", "high"], reasons="[]",
        spec="s", first_seller_key=seller, first_listing_key=own, matched_images=[0, 1], images=[1, 4], run_id="r",
    )  # fmt: skip
    save_scores(connection, scored)
    save_features(connection, of, pd.DataFrame({"one": [1.0, np.nan], "two": [0.1, 2.0]}), "s")


def exported(catalog, what: str) -> pd.DataFrame:
    with catalog.read() as connection:
        return export_frame(connection, what, feature_names=NAMES, spec="s")


def test_every_table_has_the_columns_of_the_contract_in_its_order_also_when_it_is_empty(market, tmp_path):
    assert set(EXPORTED) == set(CONTRACT)
    for what, columns in CONTRACT.items():
        found = exported(market, what)
        assert list(found.columns)[: len(columns.split())] == columns.split()
        assert not [name for name in found.columns if name.endswith("_key")]
        assert len(found) > 0
        assert write_table([found], tmp_path / f"{what}.csv") == len(found)
        assert write_table([found], tmp_path / f"{what}.parquet") == len(found)


def test_an_empty_catalog_exports_the_same_columns_without_rows(catalog):
    for what, columns in CONTRACT.items():
        found = exported(catalog, what)
        assert found.empty
        assert list(found.columns)[: len(columns.split())] == columns.split()


def test_each_address_of_a_listing_has_its_row_with_what_became_of_it(market):
    with market.write() as connection:
        save_listings(connection, FIRST, listings({"listing_id": "new", "image_urls": ["u9"]}))
    found = exported(market, "images").set_index("image_url").sort_index()
    assert found["status"].to_dict() == {
        "u1": "hashed", "u2": "hashed", "u3": "unreadable", "u4": "failed", "u5": "failed", "u9": "pending",
    }  # fmt: skip
    assert found["image_id"].dropna().to_dict() == {"u1": "p1", "u2": "p2", "u3": "p3"}
    assert found["reason"].dropna().to_dict() == {
        "u3": "truncated",
        "u4": Reason.TIMEOUT.value,
        "u5": Reason.TIMEOUT.value,
    }
    assert found["listing_id"].to_dict() == dict(zip(found.index, ["a", "e", "e", "e", "e", "new"], strict=True))
    assert found["recipe"].dropna().index.tolist() == ["u1", "u2", "u3"]
    assert found["phash"].notna().tolist() == [True, True, False, False, False, False]


@pytest.mark.parametrize("bits", [0, 1, 2**63, 2**64 - 1, 0x0123456789ABCDEF])
def test_hashes_are_printed_as_imagehash_prints_them(catalog, bits):
    color = bits % 2**42
    hashes = dict.fromkeys(["ahash", "phash", "dhash", "whash"], np.uint64(bits)) | {"colorhash": np.uint64(color)}
    with catalog.write() as connection:
        save_listings(connection, FIRST, listings({"listing_id": "a", "image_urls": ["u1"]}))
        fetch_all(connection, FIRST, {"u1": "p1"})
        save_fingerprints(connection, hashed("p1").assign(**hashes), TIE_LIMITS)
    row = exported(catalog, "images").iloc[0]
    square = np.array([bits >> place & 1 for place in range(63, -1, -1)], dtype=bool).reshape(8, 8)
    classes = np.array([color >> place & 1 for place in range(41, -1, -1)], dtype=bool).reshape(14, 3)
    assert [row[kind] for kind in hashes] == [str(imagehash.ImageHash(square))] * 4 + [
        str(imagehash.ImageHash(classes))
    ]


def test_the_hash_before_a_picture_was_turned_is_printed_where_there_is_one(market):
    with market.write() as connection:
        save_fingerprints(connection, hashed("p2").assign(untransposed_phash=np.uint64(2**63 + 10)), TIE_LIMITS)
    found = exported(market, "images").set_index("image_url")["untransposed_phash"]
    assert found.dropna().to_dict() == {"u2": "800000000000000a"}


def test_the_documentation_describes_every_column_of_the_pictures_in_order(market):
    section = TABLES_PAGE.read_text().partition("## Exported pictures\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert re.findall("`([a-z_]+)`", " ".join(rows)) == list(exported(market, "images").columns)


def test_a_match_names_both_listings_and_both_sellers(market):
    row = exported(market, "matches").iloc[0]
    ours = ["listing_id", "seller_id", "image_id", "observed_at"]
    assert row[ours].tolist() == ["e", "eve", "p2", day(10)]
    assert row[[f"other_{name}" for name in ours]].tolist() == ["a", "ann", "p1", day(0)]
    assert (row["distance_phash"], row["same_photo"], row["sellers_sharing"]) == (4, 0.9, 1)


def test_the_first_poster_of_ones_own_photos_is_nobody(market):
    found = exported(market, "scores").set_index("listing_id")
    assert found.loc["e", ["seller_id", "first_seller_id", "first_listing_id", "rank"]].tolist() == [
        "eve",
        "ann",
        "a",
        1,
    ]
    assert found.loc["a", ["first_seller_id", "first_listing_id"]].isna().all()


def test_the_scores_of_one_run_come_in_the_order_of_their_rank(market):
    with market.read() as connection:
        ours = pd.concat(list(export_batches(connection, "scores", run_id="r", rows=1)))
        others = pd.concat(list(export_batches(connection, "scores", run_id="another")))
    assert ours["listing_id"].tolist() == ["e", "a"]
    assert others.empty


def test_each_version_of_a_listing_has_the_addresses_known_by_then(market):
    with market.write() as connection:
        newer = {"listing_id": "a", "observed_at": day(20), "price": 4.0, "image_urls": ["u6", "u1"]}
        save_listings(connection, FIRST, listings(newer, {"listing_id": "bare", "observed_at": day(30)}))
    found = exported(market, "listings")
    assert found["listing_id"].tolist() == ["a", "e", "a", "bare"]
    assert [json.loads(urls) for urls in found["image_urls"]] == [["u1"], ["u2", "u3", "u4", "u5"], ["u1", "u6"], []]


def test_features_carry_the_names_they_are_given(market):
    found = exported(market, "features").set_index("listing_id")
    assert found["two"].to_dict() == {"a": 0.1, "e": 2.0}
    assert found["one"].isna().to_dict() == {"a": False, "e": True}
    with (
        market.read() as connection,
        pytest.raises(ExportError, match=r"3 names were given for vectors of \[2\] features"),
    ):
        export_frame(connection, "features", feature_names=["one", "two", "three"])


def test_a_reject_says_where_and_why(market):
    row = exported(market, "rejects").iloc[0]
    assert row.to_dict() == {
        "file": "a.csv", "line": 3, "column": "price", "reason": "no number", "value": "=cheap", "table": "listings",
    }  # fmt: skip


def test_batches_hold_what_the_whole_holds_in_the_same_order(market):
    for what in EXPORTED:
        with market.read() as connection:
            batches = list(export_batches(connection, what, feature_names=NAMES, rows=1))
        whole = exported(market, what)
        assert [len(batch) for batch in batches] == [1] * len(whole)
        pd.testing.assert_frame_equal(pd.concat(batches, ignore_index=True), whole, check_dtype=False)


def test_the_links_of_the_market_are_all_exported(market):
    with market.read() as connection:
        n_links = len(connection.execute(select(image_links.c.url_id)).all())
    assert len(exported(market, "images")) == n_links == 5
    assert pd.api.types.is_string_dtype(exported(market, "images")["ahash"].astype(TEXT))
