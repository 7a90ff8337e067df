"""What a row may depend on: its own listing and moment, what was observed by then, and nothing else."""

import itertools
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.facts import Facts
from features.point_in_time.feature_frame import build, evidence, first_owner, moments_of
from tests.features.point_in_time.worlds import IMAGES, LAST_DAY, Market, day, half_days, markets, moments
from tests.full_run import often

pytestmark = pytest.mark.slow
few = settings(max_examples=often(in_full=30, otherwise=8), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def as_bytes(frame):
    return frame.to_numpy().tobytes()


def all_moments(facts):
    return moments_of(facts.listings, facts.sightings, facts.matches)


@few
@given(markets(), half_days)
def test_rows_observed_later_change_no_byte(market, today):
    then, now = market.facts(until=today), market.facts()
    asked = all_moments(now)
    asked = asked[asked["as_of"] <= day(today)]
    assert as_bytes(build(asked, then)) == as_bytes(build(asked, now))
    pd.testing.assert_frame_equal(first_owner(asked, then), first_owner(asked, now))
    pd.testing.assert_frame_equal(evidence(asked, then), evidence(asked, now))


@few
@given(markets(), st.data())
def test_one_moment_alone_gives_the_same_bytes_as_the_batch(market, data):
    facts = market.facts()
    asked = all_moments(facts)
    position = data.draw(st.integers(0, len(asked) - 1))
    alone = build(asked.iloc[[position]], facts)
    assert as_bytes(alone) == as_bytes(build(asked, facts).iloc[[position]])


@few
@given(markets(), st.randoms(use_true_random=False))
def test_the_order_of_rows_is_irrelevant(market, random):
    facts = market.facts()
    asked = all_moments(facts)
    shuffled = {
        column.name: getattr(facts, column.name).sample(frac=1, random_state=random.randrange(10_000))
        for column in fields(Facts)
    }
    asked_anyhow = asked.sample(frac=1, random_state=random.randrange(10_000))
    anyhow = build(asked_anyhow, Facts(**shuffled)).sort_index()
    assert as_bytes(anyhow) == as_bytes(build(asked, facts))


@few
@given(markets())
def test_being_copied_changes_nothing_for_the_victim(market):
    before = market.facts()
    asked = all_moments(before)
    # Long after the theft, too.
    late = asked.assign(as_of=pd.Series(day(LAST_DAY + 10), asked.index).astype(asked["as_of"].dtype))
    asked = pd.concat([asked, late.drop_duplicates()], ignore_index=True)
    rows = build(asked, before)
    for thief, listing in itertools.product((7, 8), (200, 201)):
        market.listing(listing + thief * 10, thief, LAST_DAY + 1, IMAGES)
    after = market.facts()
    assert len(after.matches) >= len(before.matches)
    assert as_bytes(build(asked, after)) == as_bytes(rows)


def test_being_copied_by_many_leaves_the_ties_of_those_who_took_the_photo_before():
    market = Market().listing(10, 1, 0, "a").listing(20, 2, 1, "a").listing(30, 3, 2, "a").listing(40, 4, 3, "a")
    market.label(20, "fraud", 4)
    asked = moments((10, 20), (20, 20), (30, 20), (40, 20))
    rows = build(asked, market.facts())
    assert rows["ring_sellers"].tolist() == [0, 0, 1, 2]
    for account in (7, 8):
        market.listing(10 * account, account, 10, "a")
    assert as_bytes(build(asked, market.facts())) == as_bytes(rows)


def test_at_two_hundred_random_moments_nothing_that_came_later_changes_a_byte():
    market, random = Market(), np.random.default_rng(5)
    pictures = [chr(ord("A") + number) for number in range(100)]
    for key in range(100, 220):
        created, lag = random.uniform(0, 30), random.choice([0.0, random.uniform(0, 20)])
        photos = "".join(random.choice(pictures, random.integers(1, 4), replace=False))
        market.listing(key, int(random.integers(1, 25)), created + lag, photos, created=created, price=10.0)
    for _ in range(20):
        market.alike(*random.choice(pictures, 2, replace=False), 4, random.choice([0.4, 0.9]))
    market.pairs = list({pair[:2]: pair for pair in market.pairs}.values())
    now = market.facts()
    late = now.matches["other_observed_at"] > now.matches["observed_at"]
    assert late.sum() > 10
    every = all_moments(now)
    days = often(in_full=20, otherwise=4)
    for today in random.uniform(10, 50, days):
        known = every[every["as_of"] <= day(today)]
        asked = known.iloc[random.integers(0, len(known), 200 // days)].reset_index(drop=True)
        assert as_bytes(build(asked, market.facts(until=today))) == as_bytes(build(asked, now))


@few
@given(markets(), half_days)
def test_no_moment_is_taken_back_and_none_is_added_to_the_past(market, today):
    then, now = all_moments(market.facts(until=today)), all_moments(market.facts())
    now = now[now["as_of"] <= day(today)].reset_index(drop=True)
    pd.testing.assert_frame_equal(then, now)


def test_learning_later_that_two_accounts_are_one_business_rewrites_no_past():
    market = Market().listing(10, 1, 1, "a").listing(20, 2, 3, "a")
    asked = moments((20, 3), (20, 5))
    rows = build(asked, market.facts())
    market.seller(1, 6, group="g").seller(2, 6, group="g")
    assert as_bytes(build(asked, market.facts())) == as_bytes(rows)
    assert rows["copied_photos"].tolist() == [1, 1]
