"""What is new is found without looking through everything, and is what looking through everything finds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import func, select

from data.catalog.database.frames import read_frame
from data.catalog.database.schema import news, scores
from data.catalog.market.listings import save_listings
from data.catalog.market.loads import Load
from data.catalog.market.matches import save_alike
from data.catalog.market.pictures import save_fingerprints
from data.catalog.market.scoring_moments import all_moments, forget_news, unscored_moments
from data.catalog.scores.scores import save_scores
from features.point_in_time.ring_features import TIE_LIMITS
from tests.data.catalog.market.test_matches import match_all
from tests.data.catalog.rows import alike_pairs, day, fetch_all, hashed, listings, moment
from tests.data.catalog.test_feature_facts import scored
from tests.full_run import often

SELLERS = 4


def by_looking_through_all(connection):
    """Every moment that has no score, whatever was noted."""
    has_score = read_frame(connection, select(scores.c.listing_key, scores.c.as_of).distinct())
    every = all_moments(connection, None, None).merge(has_score, how="left", indicator=True)
    return every[every["_merge"] == "left_only"].drop(columns="_merge").reset_index(drop=True)


def load_some(connection, random, number):
    """A load with new listings, new versions of old ones, and photos of which some come later or were shown before."""
    load = Load(f"load {number}", moment(10 * number), first_bulk=number == 1)
    rows = []
    for _ in range(6):
        name = int(random.integers(12))
        # Some were posted, or observed, before what is known already.
        on = 10 * number - float(random.integers(0, 25))
        rows.append(
            {
                "listing_id": f"l{name}", "seller_id": f"s{name % SELLERS}", "price": float(random.integers(1, 9)),
                "created_at": day(on), "observed_at": day(on) if random.random() < 0.5 else None,
                "image_urls": [f"u{photo}" for photo in random.integers(0, 8, 2)],
            }
        )  # fmt: skip
    save_listings(connection, load, listings(*rows).drop_duplicates("listing_id"))
    # Pictures that are missing now come with a later load.
    there = {f"u{photo}": f"p{photo}" for photo in range(8) if random.random() < 0.7}
    fetch_all(connection, load, there)


def compare_and_match(connection):
    pictures = [f"p{photo}" for photo in range(8)]
    save_fingerprints(connection, hashed(*pictures), TIE_LIMITS)
    save_alike(connection, pictures, alike_pairs(("p0", "p1"), ("p2", "p3")))
    match_all(connection)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_noted_holds_all_that_was_not_scored(catalog, seed):
    random, late = np.random.default_rng(seed), 0
    for number in range(1, often(in_full=7, otherwise=5)):
        with catalog.write() as connection:
            load_some(connection, random, number)
            pd.testing.assert_frame_equal(unscored_moments(connection, None, None), by_looking_through_all(connection))
            known = len(by_looking_through_all(connection))
            compare_and_match(connection)
            found = unscored_moments(connection, None, None)
            late += len(found) - known
            pd.testing.assert_frame_equal(found, by_looking_through_all(connection))
            save_scores(connection, scored(found[random.random(len(found)) < 0.6]))
            if random.random() < 0.5:
                forget_news(connection)
            pd.testing.assert_frame_equal(unscored_moments(connection, None, None), by_looking_through_all(connection))
    assert late > 0


def test_what_was_scored_is_not_looked_at_again(catalog):
    with catalog.write() as connection:
        load_some(connection, np.random.default_rng(9), 1)
        found = unscored_moments(connection, None, None)
        save_scores(connection, scored(found.iloc[1:]))
        forget_news(connection)
        assert read_frame(connection, select(news))["listing_key"].tolist() == found["listing_key"].tolist()[:1]
        save_scores(connection, scored(found.iloc[:1]))
        forget_news(connection)
        assert connection.execute(select(func.count()).select_from(news)).scalar_one() == 0


def test_a_step_that_is_undone_leaves_no_note(catalog):
    with catalog.supposing() as connection:
        load_some(connection, np.random.default_rng(9), 1)
        assert len(unscored_moments(connection, None, None))
    with catalog.read() as connection:
        assert connection.execute(select(func.count()).select_from(news)).scalar_one() == 0
