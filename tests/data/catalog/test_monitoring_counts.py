"""What a monitor counts in the database is what a loop over the rows counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from data.catalog.database.frames import joined_keys, upsert
from data.catalog.database.schema import fetches, matches, verdicts
from data.catalog.market.listings import save_labels, save_listings
from data.catalog.market.loads import Load
from data.catalog.market.matches import save_alike
from data.catalog.market.pictures import save_fingerprints
from data.catalog.monitoring_counts import (
    NO_HOST,
    Periods,
    comparable_pictures,
    fetch_outcomes,
    hub_photos,
    known_span,
    label_lags,
    matched_listings,
    matches_by_certainty,
    queued,
    sampled_features,
    sampled_scores,
)
from data.catalog.scores.scores import save_features, save_scores, unpack
from features.point_in_time.ring_features import TIE_LIMITS
from tests.data.catalog.rows import DISTANCES, alike_pairs, day, hashed, labels, listings, moment, sketched

LOAD = Load("load", moment(500), first_bulk=True)
PERIODS = Periods(until=moment(30), days=7, count=4)
SELLERS = ("ann", "bob", "cat", "dan", "eve")


def key_of(listing_id):
    return int(joined_keys(["default"], [listing_id])[0])


def seller_key_of(seller_id):
    return int(joined_keys(["default"], [seller_id])[0])


def some_listings(n, seed=0):
    generator = np.random.default_rng(seed)
    days = np.sort(generator.uniform(0, 31, n)).round(3)
    return [
        {"listing_id": f"l{number}", "seller_id": SELLERS[number % 5], "created_at": day(at).floor("s"), "_day": at}
        for number, at in enumerate(days)
    ]


def scored(rows, generator, model_id="m"):
    """A score for each listing, on the day it came."""
    score = generator.random(len(rows)).round(3)
    return pd.DataFrame(
        {
            "listing_key": [key_of(row["listing_id"]) for row in rows],
            "as_of": [row["created_at"] for row in rows],
            "model_id": model_id,
            "score": score,
            "band": np.where(score > 0.7, "high", "low"),
            "matched_images": generator.integers(0, 2, len(rows)),
            "images": generator.integers(0, 3, len(rows)),
        }
    ).assign(
        observed_at=lambda frame: frame["as_of"],
        rank=1,
        reasons="[]",
        spec="s",
        run_id="r",
        first_seller_key=pd.Series(dtype="Int64"),
        first_listing_key=pd.Series(dtype="Int64"),
    )


def match(number, seller, on, other, *, same_photo=0.95, sharing=2):
    """One listing that shows a known picture."""
    keys = {"listing_key": key_of(f"x{number}"), "seller_key": seller_key_of(seller)}
    other_side = {"other_image_id": other, "other_listing_key": 1, "other_seller_key": 2}
    seen = {"observed_at": day(on), "other_observed_at": day(1), "other_created_at": day(1)}
    facts = {"edit": "none", "same_photo": same_photo, "sellers_sharing": sharing, "sightings": sharing}
    return {**keys, "image_id": f"own-{number}", **other_side, **seen, **dict.fromkeys(DISTANCES, 0), **facts}


def fetched(url, on, status="ok", reason=None, image_id=None):
    cells = {"url_id": url, "image_url": url, "status": status, "reason": reason, "image_id": image_id, "attempts": 1}
    return {**cells, "fetched_at": day(on)}


@pytest.fixture
def filled(catalog):
    """A catalog with 120 listings, and their rows."""
    rows = some_listings(120)
    with catalog.write() as connection:
        save_listings(connection, LOAD, listings(*({k: v for k, v in row.items() if k != "_day"} for row in rows)))
    return catalog, rows


def keep(catalog, table, rows):
    frame = pd.DataFrame(rows)
    with catalog.write() as connection:
        upsert(connection, table, frame)


def period_of(on):
    return int((30 - on) // 7)


def test_a_period_holds_its_end_and_not_its_beginning(filled):
    catalog, _ = filled
    assert PERIODS.since(1) == moment(23)
    assert PERIODS.length == timedelta(days=7)
    keep(catalog, fetches, [fetched("https://a/1", 30), fetched("https://a/2", 23), fetched("https://a/3", 2)])
    with catalog.read() as connection:
        found = fetch_outcomes(connection, PERIODS)
    assert dict(zip(found["period"], found["addresses"], strict=True)) == {0: 1, 1: 1}


def test_the_span_of_what_is_known(filled, tmp_path):
    catalog, rows = filled
    with catalog.read() as connection:
        assert known_span(connection) == (rows[0]["created_at"], rows[-1]["created_at"])


def test_an_empty_catalog_has_no_span_and_nothing_to_count(catalog):
    with catalog.read() as connection:
        assert known_span(connection) is None
        assert matched_listings(connection, PERIODS).empty
        assert fetch_outcomes(connection, PERIODS).empty
        assert label_lags(connection, PERIODS).empty
        assert queued(connection, moment(0), moment(30), "high").empty
        assert sampled_features(connection, "s", moment(0), moment(30), 10).empty
        assert sampled_scores(connection, "m", moment(0), moment(30), 10).empty
        assert hub_photos(connection, moment(0), moment(30), same_photo=0.5, sellers=1, limit=5).empty
        assert matches_by_certainty(connection, moment(0), moment(30), (0.5,)) == [0, 0]
        assert comparable_pictures(connection) == 0


def test_listings_with_a_known_photo_are_counted_once_a_period_whatever_models_scored_them(filled):
    catalog, rows = filled
    generator = np.random.default_rng(1)
    first = scored(rows, generator)
    with catalog.write() as connection:
        save_scores(connection, pd.concat([first, first.assign(model_id="other")]))
    expected = defaultdict(lambda: [0, 0])
    for row, score in zip(rows, first.itertuples(), strict=True):
        if 2 < row["_day"] <= 30 and score.images > 0:
            counts = expected[period_of(row["_day"])]
            counts[0] += 1
            counts[1] += score.matched_images > 0
    with catalog.read() as connection:
        found = matched_listings(connection, PERIODS)
    told = {row.period: [row.listings, row.matched] for row in found.itertuples()}
    assert told == dict(expected)
    assert found["period"].is_monotonic_decreasing


def test_outcomes_are_counted_by_host_and_what_is_no_picture_is_unreadable(catalog):
    with catalog.write() as connection:
        save_fingerprints(connection, hashed("good"), TIE_LIMITS, sketched("good"))
        save_fingerprints(
            connection, hashed("bad").assign(status="unreadable", reason="poison_time"), TIE_LIMITS, sketched()
        )
    keep(
        catalog,
        fetches,
        [
            fetched("https://A.example/1.jpg", 29, image_id="good"),
            fetched("https://a.example/2.jpg", 29, image_id="good"),
            fetched("https://a.example/3.jpg", 29, image_id="bad"),
            fetched("http://b.example:8080", 20, status="failed", reason="timeout"),
            fetched("photos/4.jpg", 29, status="failed", reason="missing_file"),
            fetched("https://a.example/5.jpg", 29, status="pending"),
        ],
    )
    with catalog.read() as connection:
        found = fetch_outcomes(connection, PERIODS)
    told = {(row.host, row.period, row.reason if isinstance(row.reason, str) else None): row.addresses
            for row in found.itertuples()}  # fmt: skip
    assert told == {
        ("a.example", 0, None): 2,
        ("a.example", 0, "unreadable"): 1,
        ("b.example:8080", 1, "timeout"): 1,
        (NO_HOST, 0, "missing_file"): 1,
    }


def test_a_hub_is_named_once_by_its_first_picture_however_its_copies_were_saved(catalog):
    with catalog.write() as connection:
        save_fingerprints(
            connection, hashed("hub", "hub-again", "rare"), TIE_LIMITS, sketched("hub", "hub-again", "rare")
        )
        save_alike(connection, [], alike_pairs(("hub", "hub-again"), same_photo=0.99))
    rows = [match(n, SELLERS[n % 5], 25, "hub", sharing=10 + n) for n in range(8)]
    rows += [match(20 + n, SELLERS[n % 4], 25, "hub-again") for n in range(6)]
    rows += [match(40, "ann", 25, "rare"), match(41, "bob", 3, "rare"), match(42, "bob", 25, "rare", same_photo=0.3)]
    keep(catalog, matches, rows)
    with catalog.read() as connection:
        found = hub_photos(connection, PERIODS.since(1), PERIODS.until, same_photo=0.5, sellers=2, limit=5)
        single = hub_photos(connection, PERIODS.since(1), PERIODS.until, same_photo=0.5, sellers=1, limit=5)
    assert found["image_id"].tolist() == ["hub"]
    told = found.iloc[0]
    assert (told["sellers_new"], told["listings_new"], told["sellers_sharing"]) == (5, 8, 17)
    assert told["information"] == 5.5
    assert single["image_id"].tolist() == ["hub", "rare"]


def test_lags_are_from_a_listing_s_first_version_to_its_first_decision_known_by_then(filled):
    catalog, rows = filled
    generator = np.random.default_rng(2)
    expected, told, judged = Counter(), [], []
    for row in rows:
        lag = float(generator.integers(0, 9)) + 0.5
        known = row["_day"] + lag
        kind = generator.integers(0, 4)
        if kind == 1:
            told.append({"listing_id": row["listing_id"], "labelled_at": day(known), "source": "s"})
            told.append({"listing_id": row["listing_id"], "labelled_at": day(known + 1), "source": "s"})
        elif kind == 2:
            judged.append((row, known))
        if 2 < row["_day"] <= 30:
            seen = kind in (1, 2) and known <= 30
            expected[(period_of(row["_day"]), int(lag) if seen else None)] += 1
    versions = [
        {name: value for name, value in row.items() if name != "_day"}
        | {"title": "again", "observed_at": row["created_at"] + pd.Timedelta(hours=1)}
        for row in rows[:5]
    ]
    with catalog.write() as connection:
        save_listings(connection, LOAD, listings(*versions))
        save_labels(connection, labels(*told))
    decided = [
        {"verdict_id": f"{number}", "listing_key": key_of(row["listing_id"]), "verdict": verdict, "actor": "a",
         "decided_at": day(known + later), "image_id": image, "other_image_id": image}
        for number, (row, known, later, verdict, image) in enumerate(
            [(*each, 0, "legit", None) for each in judged]
            + [(*each, -0.25, "unsure", None) for each in judged]
            + [(*each, -0.25, "legit", "p") for each in judged]
        )
    ]  # fmt: skip
    keep(catalog, verdicts, decided)
    with catalog.read() as connection:
        found = label_lags(connection, PERIODS)
    counted = {
        (row.period, None if row.lag_days is pd.NA else row.lag_days): row.listings for row in found.itertuples()
    }
    assert counted == dict(expected)


def test_the_queue_names_each_listing_once_with_its_first_moment_and_highest_score(filled):
    catalog, rows = filled
    generator = np.random.default_rng(3)
    first = scored(rows, generator)
    later = first.assign(as_of=first["as_of"] + pd.Timedelta(hours=2), score=0.99, band="high")
    with catalog.write() as connection:
        save_scores(connection, pd.concat([first, later.head(3)]))
    with catalog.read() as connection:
        found = queued(connection, moment(-1), moment(40), "high").set_index("listing_key")
    high = first[(first["band"] == "high")].set_index("listing_key")
    assert set(found.index) == set(high.index) | set(later.head(3)["listing_key"])
    assert (found.loc[high.index, "as_of"] == high["as_of"]).all()
    owners = {key_of(row["listing_id"]): seller_key_of(row["seller_id"]) for row in rows}
    assert found["seller_key"].to_dict() == {key: owners[key] for key in found.index}


@pytest.mark.parametrize("rows_wanted", [15, 1_000])
def test_a_sample_is_drawn_by_listing_and_is_the_same_every_time(filled, rows_wanted):
    catalog, rows = filled
    vectors = pd.DataFrame({"a": np.arange(len(rows), dtype=float), "b": np.nan})
    frame = scored(rows, np.random.default_rng(4))
    with catalog.write() as connection:
        save_features(connection, frame, vectors, "s")
        save_features(connection, frame, vectors, "older")
        save_scores(connection, frame)
    with catalog.read() as connection:
        first, again = (sampled_features(connection, "s", moment(10), moment(31), rows_wanted) for _ in range(2))
        scores = sampled_scores(connection, "m", moment(10), moment(31), rows_wanted)
    pd.testing.assert_frame_equal(first, again)
    assert set(first["listing_key"]) == set(scores["listing_key"])
    within = frame["as_of"].gt(day(10)) & frame["as_of"].le(day(31))
    assert set(first["listing_key"]) <= set(frame.loc[within, "listing_key"])
    assert len(first) == within.sum() if rows_wanted > 100 else 0 < len(first) <= 2 * rows_wanted
    values = unpack(first["vector"], ["a", "b"])["a"]
    place = dict(zip(frame["listing_key"], range(len(frame)), strict=True))
    assert values.tolist() == [place[key] for key in first["listing_key"]]


def test_matches_are_counted_between_edges(catalog):
    certainties = (0.1, 0.5, 0.6, 0.8, 0.9, 0.95)
    keep(catalog, matches, [match(n, "ann", 25, "p", same_photo=each) for n, each in enumerate(certainties)])
    with catalog.read() as connection:
        found = matches_by_certainty(connection, moment(23), moment(30), (0.5, 0.8, 0.92))
    assert found == [1, 2, 2, 1]
