"""What was scored high, or drawn at random, becomes a case with all that the queue sorts by."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from data.catalog.cases.case_selection import ANY_PRICE, cases_of_all, cases_of_run, has_cases
from data.catalog.cases.cases import case_of, save_cases
from data.catalog.database.frames import insert, read_frame, whole_table
from data.catalog.database.schema import audits, matches
from data.catalog.database.schema import listings as listing_table
from data.catalog.market.listings import save_listings
from data.catalog.market.loads import begin_load
from data.catalog.scores.scores import save_scores
from tests.data.catalog.rows import day, listings, moment


@pytest.fixture
def scored(catalog):
    """Three listings of one run: scored high, low, and low but drawn; and one of another run."""
    with catalog.write() as connection:
        load = begin_load(connection, "listings.csv", moment(1))
        rows = [
            {"listing_id": "a", "price": 80.0, "currency": "EUR", "category": "bikes", "title": "bike"},
            {"listing_id": "b", "price": 40.0},
            {"listing_id": "c"},
            {"listing_id": "d", "price": 20.0},
        ]
        save_listings(connection, load, listings(*rows))
        known = read_frame(connection, whole_table(listing_table, ("listing_id", "listing_key", "seller_key")))
        keys = known.set_index("listing_id")["listing_key"]
        reasons = json.dumps([{"code": "copied_photos", "text": "", "value": 2, "evidence_ids": []}])
        frame = pd.DataFrame(
            {
                "listing_key": keys[["a", "b", "c", "d"]].to_numpy(),
                "as_of": day(2),
                "observed_at": day(2),
                "model_id": "rule-1",
                "score": [0.9, 0.01, 0.02, 0.8],
                "rank": 1,
                "band": ["high", "low", "low", "high"],
                "reasons": [reasons, "[]", "[]", reasons],
                "spec": "s",
                "first_seller_key": pd.Series(pd.NA, dtype="Int64", index=range(4)),
                "first_listing_key": pd.Series(pd.NA, dtype="Int64", index=range(4)),
                "matched_images": [2, 0, 0, 1],
                "images": 3,
                "run_id": ["r1", "r1", "r1", "r2"],
            }
        )
        save_scores(connection, frame)
        drawn = frame[["listing_key", "as_of", "model_id", "band", "run_id"]].iloc[[2]].assign(propensity=0.1)
        insert(connection, audits, drawn)
        distances = {f"distance_{kind}": 1.0 for kind in ("ahash", "phash", "dhash", "whash", "colorhash")}
        match = {
            "listing_key": keys["a"], "seller_key": 1, "observed_at": day(1), "other_listing_key": 5,
            "other_seller_key": 6, "other_observed_at": day(0), "other_created_at": day(0), "sellers_sharing": 1,
            "sightings": 1, **distances,
        }  # fmt: skip
        both = [{"image_id": "p", "other_image_id": "q", "edit": "crop", "same_photo": 0.7}]
        both += [{"image_id": "p", "other_image_id": "r", "edit": "mirror", "same_photo": 0.9}]
        insert(connection, matches, pd.DataFrame([match | row for row in both]))
    return catalog, keys


def test_high_scores_and_draws_of_the_run_become_cases(scored):
    catalog, keys = scored
    with catalog.read() as connection:
        found = cases_of_run(connection, "r1").set_index("listing_key")
    assert set(found.index) == {keys["a"], keys["c"]}
    high, drawn = found.loc[keys["a"]], found.loc[keys["c"]]
    assert (high["value"], high["priority"]) == (80.0, pytest.approx(72.0))
    assert (high["edit"], high["reason"], high["copied_images"]) == ("mirror", "copied_photos", 2)
    assert (high["audited"], drawn["audited"], drawn["edit"], drawn["reason"]) == (0, 1, "", "")
    # The median of the stated prices 80, 40 and 20 stands for the one that is missing.
    assert drawn["value"] == 40.0


def test_a_catalog_without_cases_is_caught_up_with(scored):
    catalog, keys = scored
    with catalog.write() as connection:
        assert not has_cases(connection)
        save_cases(connection, cases_of_all(connection))
        assert has_cases(connection)
        assert case_of(connection, int(keys["d"]))["score"] == 0.8


def test_a_market_without_prices_still_has_an_order(catalog):
    with catalog.write() as connection:
        load = begin_load(connection, "listings.csv", moment(1))
        save_listings(connection, load, listings({"listing_id": "a"}))
        key = read_frame(connection, whole_table(listing_table, ("listing_key",)))["listing_key"]
        frame = pd.DataFrame(
            {
                "listing_key": key, "as_of": day(2), "observed_at": day(2), "model_id": "rule-1", "score": 0.9,
                "rank": 1, "band": "high", "reasons": "[]", "spec": "s", "matched_images": 0, "images": 0,
                "run_id": "r1",
            }
        )  # fmt: skip
        save_scores(connection, frame)
        assert cases_of_run(connection, "r1")["value"].tolist() == [ANY_PRICE]
