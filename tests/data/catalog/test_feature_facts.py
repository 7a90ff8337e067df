"""What scoring reads and writes: moments, facts, scores, verdicts and champions."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from data.catalog import feature_facts
from data.catalog.database.frames import insert, joined_keys, read_frame
from data.catalog.database.schema import different_photos, features, scores, verdicts
from data.catalog.database.schema import listings as listed
from data.catalog.feature_facts import facts_about, known_labels
from data.catalog.market.listings import save_labels, save_listings, save_sellers
from data.catalog.market.loads import Load
from data.catalog.market.matches import save_alike
from data.catalog.market.pictures import save_fingerprints
from data.catalog.market.scoring_moments import all_moments, by_seller, unscored_moments
from data.catalog.scores.scores import (
    KEPT,
    PROMOTED,
    ROLLED_BACK,
    champion,
    history,
    previous_champion,
    rank_run,
    record_model,
    save_features,
    save_scores,
    unpack,
)
from features import facts as wanted
from features.point_in_time.feature_frame import moments_of
from features.point_in_time.ring_features import TIE_LIMITS
from tests.data.catalog.market.test_matches import match_all
from tests.data.catalog.rows import TEXT, TIME, alike_pairs, day, fetch_all, hashed, labels, listings, moment, sellers

FIRST = Load("first", moment(100), first_bulk=True)
COLUMNS = {
    "listings": wanted.LISTING_COLUMNS,
    "sellers": wanted.SELLER_COLUMNS,
    "sightings": wanted.SIGHTING_COLUMNS,
    "fingerprints": wanted.FINGERPRINT_COLUMNS,
    "matches": wanted.MATCH_COLUMNS,
    "other_photos": wanted.OTHER_PHOTO_COLUMNS,
    "versions": wanted.VERSION_COLUMNS,
    "labels": wanted.LABEL_COLUMNS,
    "taken": wanted.TAKEN_COLUMNS,
    "texts": wanted.TEXT_COLUMNS,
}


def key(listing_id: str) -> int:
    return int(joined_keys(["default"], [listing_id])[0])


def expected_type(table: str, name: str) -> str:
    if table == "other_photos" and name in {"width", "height"}:
        return "float64"
    if name.endswith("_at") or name == "as_of":
        return "datetime64[us, UTC]"
    if name in wanted.HASH_KINDS:
        return "uint64"
    if name.endswith("_key") or name in {
        "position",
        "width",
        "height",
        "sellers_sharing",
        "sightings",
        "sellers_showing",
        "band",
    }:
        return "int64"
    if name.startswith("distance_") or name in {"price", "feedback_count", "rating", "information", "same_photo"}:
        return "float64"
    return "str"


@pytest.fixture
def market(catalog):
    """Ann shows a picture on day 0, eve an edited copy of it on day 10, and bob has nothing to do with them."""
    chair, _eve = {"category": "chairs", "currency": "EUR"}, {"seller_id": "eve"}
    with catalog.write() as connection:
        save_listings(
            connection,
            FIRST,
            listings(
                chair | {"listing_id": "a", "price": 10.0, "image_urls": ["u1"]},
                chair
                | {"listing_id": "e", "seller_id": "eve", "created_at": day(10), "price": 5.0, "image_urls": ["u2"]},
                chair | {"listing_id": "e2", "seller_id": "eve", "created_at": day(12), "image_urls": ["u3"]},
                {"listing_id": "b", "seller_id": "bob", "created_at": day(11), "price": 7.0, "category": "tables"},
                chair | {"listing_id": "old", "seller_id": "cid", "created_at": day(-90), "price": 9.0},
            ),
        )
        save_sellers(connection, FIRST, sellers({"seller_id": "eve", "joined_at": day(1), "country": "FR"}))
        save_labels(connection, labels({"listing_id": "e", "observed_at": day(20)}, {"listing_id": "nowhere"}))
        fetch_all(connection, FIRST, {"u1": "p1", "u2": "p2", "u3": "p3"})
        save_fingerprints(connection, hashed("p1", "p2"), TIE_LIMITS)
        save_fingerprints(
            connection, pd.DataFrame({"image_id": ["p3"], "status": "unreadable", "recipe": "recipe-1"}), TIE_LIMITS
        )
        save_alike(connection, ["p1", "p2"], alike_pairs(("p1", "p2")))
        match_all(connection)
    return catalog


def moments(*rows: tuple[str, float]) -> pd.DataFrame:
    times = pd.Series([day(at) for _, at in rows], dtype=TIME)
    return pd.DataFrame({"listing_key": [key(name) for name, _ in rows], "as_of": times})


def test_a_listing_has_a_moment_whenever_something_about_it_became_known(market):
    with market.write() as connection:
        late = Load("late", moment(130), first_bulk=False)
        save_listings(
            connection, late, listings({"listing_id": "a", "price": 9.0, "observed_at": day(120), "image_urls": ["u9"]})
        )
        fetch_all(connection, late, {"u9": "p9"})
    with market.read() as connection:
        found = all_moments(connection, None, None)
        some = all_moments(connection, moment(10), moment(12))
    expected = [("old", -90), ("a", 0), ("e", 10), ("b", 11), ("e2", 12), ("a", 120)]
    pd.testing.assert_frame_equal(found, moments(*expected))
    pd.testing.assert_frame_equal(some, moments(*expected[2:5]))


def test_a_listing_has_a_moment_too_when_it_turns_out_that_somebody_had_posted_its_picture_earlier(market):
    late = Load("late", moment(130), first_bulk=False)
    thief = {"listing_id": "t", "seller_id": "tom", "created_at": day(40), "observed_at": day(40), "image_urls": ["u4"]}
    victim = thief | {"listing_id": "v", "seller_id": "vic", "created_at": day(30), "observed_at": day(50)}
    with market.write() as connection:
        save_listings(connection, late, listings(thief, victim | {"image_urls": ["u5"]}))
        fetch_all(connection, late, {"u4": "p4", "u5": "p4"})
        match_all(connection)
    with market.read() as connection:
        found = all_moments(connection, moment(35), None)
        known = facts_about(connection, moments(("t", 50), ("v", 50)), TIE_LIMITS)
    pd.testing.assert_frame_equal(
        found, moments(("t", 40), ("t", 50), ("v", 50)).sort_values(["as_of", "listing_key"], ignore_index=True)
    )
    told = moments_of(known["listings"], known["sightings"], known["matches"])
    pd.testing.assert_frame_equal(found, told)


def scored(of: pd.DataFrame, model_id: str = "m") -> pd.DataFrame:
    nothing = pd.Series([None] * len(of), index=of.index, dtype="Int64")
    return of.assign(
        model_id=model_id, observed_at=of["as_of"], score=0.5, rank=1, band="low", reasons="[]", spec="s",
        first_seller_key=nothing, first_listing_key=nothing, matched_images=0, images=1, run_id="r",
    )  # fmt: skip


def test_moments_of_a_seller_follow_each_other_in_time(market):
    with market.read() as connection:
        every = all_moments(connection, None, None)
        ordered = by_seller(connection, every)
        owner = read_frame(connection, select(listed.c.listing_key, listed.c.seller_key)).drop_duplicates()
    assert sorted(ordered.itertuples(index=False)) == sorted(every.itertuples(index=False))
    sellers_in_turn = ordered["listing_key"].map(owner.set_index("listing_key")["seller_key"])
    assert (sellers_in_turn != sellers_in_turn.shift()).sum() == sellers_in_turn.nunique()
    for _, theirs in ordered.groupby(sellers_in_turn):
        assert theirs["as_of"].is_monotonic_increasing


def test_scored_moments_are_no_longer_unscored(market):
    with market.write() as connection:
        every = unscored_moments(connection, None, None)
        assert len(every) == 5
        save_scores(connection, scored(every.iloc[[1, 3]]))
        save_scores(connection, scored(every.iloc[[1]], "other model"))
        left = unscored_moments(connection, None, None)
        save_scores(connection, scored(left))
        assert unscored_moments(connection, None, None).empty
        assert len(all_moments(connection, None, None)) == 5
        pd.testing.assert_frame_equal(left, every.iloc[[0, 2, 4]].reset_index(drop=True))
        pd.testing.assert_series_equal(unscored_moments(connection, None, None).dtypes, every.dtypes)


def test_facts_are_those_of_the_sellers_concerned_and_of_whom_they_copied(market):
    with market.read() as connection:
        found = facts_about(connection, moments(("e", 10)), TIE_LIMITS)
    assert set(found["listings"]["listing_key"]) == {key("e"), key("e2"), key("a")}
    assert found["sellers"]["country"].unique().tolist() == ["FR"]
    assert found["sightings"]["image_id"].tolist() == ["p2"]
    assert found["fingerprints"]["image_id"].tolist() == ["p2"]
    match = found["matches"].iloc[0]
    assert (match["listing_key"], match["other_listing_key"], match["edit"]) == (key("e"), key("a"), "recompressed")
    assert found["labels"][["label", "known_at"]].to_numpy().tolist() == [["fraud", day(20)]]


def test_all_photos_of_whom_was_copied_come_with_their_sizes(market):
    with market.write() as connection:
        late = Load("late", moment(130), first_bulk=False)
        save_listings(
            connection, late, listings({"listing_id": "a", "observed_at": day(3), "image_urls": ["u1", "u3"]})
        )
        fetch_all(connection, late, {"u3": "p3"})
        found = facts_about(connection, moments(("e", 10)), TIE_LIMITS)["other_photos"].sort_values("image_id")
    assert found["listing_key"].unique().tolist() == [key("a")]
    sizes = found[["image_id", "width", "height"]].astype(object).where(found.notna(), None)
    assert sizes.to_numpy().tolist() == [["p1", 640.0, 480.0], ["p3", None, None]]


def test_pictures_of_one_listing_that_are_alike_come_with_when_that_was_denied(market):
    with market.write() as connection:
        late = Load("late", moment(130), first_bulk=False)
        more = {"listing_id": "e", "seller_id": "eve", "observed_at": day(12), "image_urls": ["u2", "u4", "u5"]}
        save_listings(connection, late, listings(more))
        fetch_all(connection, late, {"u4": "p4", "u5": "p5"})
        save_fingerprints(connection, hashed("p4", "p5"), TIE_LIMITS)
        save_alike(connection, ["p2", "p4", "p5"], alike_pairs(("p2", "p4"), ("p2", "p5"), ("p1", "p4")))
        insert(
            connection,
            different_photos,
            pd.DataFrame({"image_id": ["p2"], "other_image_id": ["p5"], "known_at": [day(14)]}),
        )
        found = facts_about(connection, moments(("e", 12)), TIE_LIMITS)["versions"].sort_values("other_image_id")
    assert found["listing_key"].unique().tolist() == [key("e")]
    assert found[["image_id", "other_image_id"]].to_numpy().tolist() == [["p2", "p4"], ["p2", "p5"]]
    assert found["denied_at"].isna().tolist() == [True, False]


@pytest.mark.parametrize("asked", ["e", "b", "unknown"])
def test_every_frame_has_its_columns_and_types_also_when_it_is_empty(market, asked):
    with market.read() as connection:
        found = facts_about(connection, moments((asked, 11)), TIE_LIMITS)
    assert {name: tuple(frame.columns) for name, frame in found.items()} == COLUMNS
    types = {(name, column): str(frame[column].dtype) for name, frame in found.items() for column in frame}
    assert types == {
        (name, column): expected_type(name, column) for name, columns in COLUMNS.items() for column in columns
    }
    assert {*found, "prices", "product_models"} == {field.name for field in fields(wanted.Facts)}
    assert all(frame.empty for frame in found.values()) == (asked == "unknown")


def test_a_label_counts_from_the_later_of_its_two_times_and_only_for_known_listings(market):
    with market.read() as connection:
        found = known_labels(connection, feature_facts.market(connection).listings)
    assert found.drop(columns="seller_key").to_numpy().tolist() == [[key("e"), "fraud", day(20), ""]]


def test_training_reads_the_whole_market_each_listing_in_its_first_version(market):
    with market.write() as connection:
        late = Load("late", moment(130), first_bulk=False)
        save_listings(connection, late, listings({"listing_id": "a", "price": 1.0}))
        found = feature_facts.market(connection)
    prices = found.listings.set_index("listing_id")["price"].dropna()
    assert prices.to_dict() == {"a": 10.0, "e": 5.0, "b": 7.0, "old": 9.0}
    assert found.labels["label"].tolist() == ["fraud"]
    assert sorted(found.sightings["image_id"]) == ["p1", "p2", "p3"]
    assert found.alike.to_numpy().tolist() == [["p1", "p2", 0.9]]


def test_scores_replace_those_of_the_same_moment_and_model(market):
    of = moments(("e", 10))
    with market.write() as connection:
        save_scores(connection, scored(of))
        save_scores(connection, scored(of).assign(score=0.75, first_listing_key=key("a")))
        found = read_frame(connection, select(scores))
    assert (found["score"].tolist(), found["first_listing_key"].tolist()) == ([0.75], [key("a")])


def test_the_scores_of_a_run_are_ranked_from_the_highest(market):
    of = moments(("e", 10), ("b", 11), ("e2", 12), ("a", 0))
    with market.write() as connection:
        save_scores(connection, scored(of).assign(score=[0.2, 0.9, 0.2, 0.7], run_id=["r", "r", "r", "other run"]))
        rank_run(connection, "r")
        found = read_frame(connection, select(scores)).set_index("listing_key")["rank"]
    assert found.to_dict() == {key("e"): 2, key("b"): 1, key("e2"): 3, key("a"): 1}


def test_feature_vectors_come_back_with_their_names(market):
    of = moments(("e", 10), ("b", 11))
    vectors = pd.DataFrame({"one": [0.1, np.nan], "two": [-0.0, 3.0]})
    with market.write() as connection:
        save_features(connection, of, vectors, "s")
        save_features(connection, of, vectors, "s")
        rows = read_frame(connection, select(features).order_by(features.c.as_of))
    back = unpack(rows["vector"], ["one", "two"])
    assert back.to_numpy().tobytes() == vectors.to_numpy().tobytes()
    assert unpack(rows["vector"].iloc[:0], ["one", "two"]).shape == (0, 2)


def test_a_verdict_is_kept_as_it_was_given(catalog):
    row = {
        "verdict_id": ["v1", "v2"], "listing_key": [1, 1], "verdict": ["fraud", "legit"], "actor": "kim",
        "decided_at": pd.Series([day(1), day(2)], dtype=TIME), "note": pd.Series([None, "sorry"], dtype=TEXT),
    }  # fmt: skip
    with catalog.write() as connection:
        insert(connection, verdicts, pd.DataFrame(row))
        insert(connection, verdicts, pd.DataFrame(row).assign(verdict="changed"))
        found = read_frame(connection, select(verdicts).order_by(verdicts.c.verdict_id))
    assert found["verdict"].tolist() == ["fraud", "legit"]
    assert found["decided_at"].tolist() == [day(1), day(2)]
    assert found["note"].tolist()[1] == "sorry"
    assert pd.isna(found["note"][0])


def test_the_champion_is_the_model_last_promoted_or_rolled_back_to(catalog):
    told = [("m1", KEPT), ("m1", PROMOTED), ("m2", KEPT), ("m2", PROMOTED), ("m3", KEPT), ("m1", ROLLED_BACK)]
    states = []
    with catalog.write() as connection:
        assert (champion(connection), previous_champion(connection)) == (None, None)
        for number, (model_id, action) in enumerate(told):
            record_model(connection, model_id, action, "because", moment(number))
            states.append((champion(connection), previous_champion(connection)))
        events = history(connection)
    expected = [(None, None), ("m1", None), ("m1", None), ("m2", "m1"), ("m2", "m1"), ("m1", "m2")]
    assert states == expected
    assert list(zip(events["model_id"], events["action"], strict=True)) == told
    assert events["happened_at"].tolist() == [day(number) for number in range(len(told))]
