"""Rings by example, their bounds, and against a slow walk from account to account."""

import math
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from features.facts import LOW_INFORMATION, TAKEN_COLUMNS
from features.point_in_time.feature_frame import build, moments_of
from features.point_in_time.ring_features import HOPS, MOST_PHOTOS, MOST_TAKERS, MOST_TIES, RARE_SELLERS, ring_block
from features.sightings.evidence import SAME_PHOTO
from tests.features.point_in_time.worlds import Market, day, markets, moments, typed
from tests.full_run import often

RING = ["ring_sellers", "ring_photos", "ring_cohesion", "ring_confirmed_fraud"]
VICTIM, FIRST, SECOND, THIRD = 1, 2, 3, 4


def ring(market, listing, on):
    row = build(moments((listing, on)), market.facts()).iloc[0]
    return tuple(row[RING])


def stolen_by(*thieves, photos="a"):
    """A victim's photos, taken by one account after the other, a day apart."""
    market = Market().listing(10, VICTIM, 0, photos)
    for place, thief in enumerate(thieves):
        market.listing(10 * thief, thief, place + 1, photos)
    return market


def test_whoever_takes_a_photo_that_another_took_before_is_tied_to_it():
    market = stolen_by(FIRST, SECOND, photos="ab")
    assert ring(market, 30, on=2) == (1, 2, 1.0, 0)


def test_nobody_is_tied_by_what_others_do_later():
    market = stolen_by(FIRST, SECOND)
    alone = (0, 0, math.nan, 0)
    for listing in (10, 20):
        np.testing.assert_equal(ring(market, listing, on=9), alone)


def test_a_ring_is_told_from_the_moment_it_is_known():
    market = stolen_by(FIRST, SECOND).listing(31, SECOND, 1.5)
    assert (ring(market, 31, on=1.5)[0], ring(market, 31, on=2)[0]) == (0, 1)


def test_an_account_tied_to_a_tied_one_belongs_to_the_ring_and_the_next_one_does_not():
    market = Market()
    for place, image in enumerate("abcd"):
        market.listing(100 + place, 90 + place, 0, image)
    market.listing(20, 2, 1, "a").listing(30, 3, 2, "ab").listing(40, 4, 3, "bc").listing(50, 5, 4, "cd")
    sizes = [ring(market, listing, on=5)[0] for listing in (20, 30, 40, 50)]
    assert sizes == [0, 1, 2, 2]
    assert HOPS == 2


def test_cohesion_tells_a_clique_from_a_chain_of_strangers():
    assert ring(stolen_by(FIRST, SECOND, THIRD), 40, on=3) == (2, 1, 1.0, 0)
    apart = Market().listing(10, VICTIM, 0, "a").listing(11, 9, 0, "b")
    apart.listing(20, FIRST, 1, "a").listing(30, SECOND, 1, "b").listing(40, THIRD, 2, "ab")
    assert ring(apart, 40, on=2) == (2, 2, 2 / 3, 0)


def test_accounts_that_take_from_each_other_are_tied_though_no_victim_is_known():
    market = Market().listing(20, FIRST, 0, "a").listing(30, SECOND, 0, "b")
    market.listing(31, SECOND, 1, "a").listing(21, FIRST, 2, "b")
    assert (ring(market, 31, on=9)[0], ring(market, 21, on=9)[0]) == (0, 1)


def test_being_copied_back_ties_nobody():
    market = stolen_by(FIRST).listing(11, VICTIM, 5, "b")
    assert ring(market, 11, on=9)[0] == 0


def test_edited_copies_of_one_photo_tie_as_well():
    market = Market().listing(10, VICTIM, 0, "a").alike("a", "b", 9, 0.9).alike("a", "c", 9, 0.9)
    market.listing(20, FIRST, 1, "b").listing(30, SECOND, 2, "c")
    assert ring(market, 30, on=2)[:2] == (1, 1)


@pytest.mark.parametrize(("information", "same_photo"), [(LOW_INFORMATION / 2, 0.9), (5.0, SAME_PHOTO / 2)])
def test_empty_pictures_and_mere_likeness_tie_nobody(information, same_photo):
    market = Market().listing(10, VICTIM, 0, "a").alike("a", "b", 9, same_photo)
    market.information["b"] = information
    market.listing(20, FIRST, 1, "b").listing(30, SECOND, 2, "b")
    assert ring(market, 30, on=2)[:2] == (0, 0)
    assert "a" not in set(market.facts().taken["other_image_id"])


def test_accounts_known_to_be_one_business_are_no_ring():
    market = stolen_by(FIRST, SECOND).seller(FIRST, 0, group="g").seller(SECOND, 0, group="g")
    assert ring(market, 30, on=2)[0] == 0


def test_a_ring_knows_the_frauds_confirmed_by_then_of_its_other_accounts():
    market = stolen_by(FIRST, SECOND).label(20, "fraud", 3).label(30, "fraud", 3).label(20, "legit", 5)
    assert [ring(market, 30, on=on)[3] for on in (2, 3, 4, 5)] == [0, 1, 1, 0]


def test_a_ring_that_hands_its_loot_to_further_accounts_is_still_a_ring():
    market = stolen_by(FIRST, SECOND, THIRD).label(20, "fraud", 4)
    before = [ring(market, listing, on=50) for listing in (20, 30, 40)]
    assert before[1:] == [(1, 1, 1.0, 1), (2, 1, 1.0, 1)]
    for place, account in enumerate((7, 8, 9)):
        market.listing(10 * account, account, 5 + place, "a")
    np.testing.assert_equal([ring(market, listing, on=50) for listing in (20, 30, 40)], before)


def edited_copies(*takers, group=None):
    """A victim's photo, taken by one account after the other, each with an edit of its own that is like no other."""
    market = Market().listing(10, VICTIM, 0, "a")
    for place, (taker, image) in enumerate(zip(takers, "bcdefghijk", strict=False)):
        market.alike("a", image, 9, 0.9).listing(10 * taker, taker, place + 1, image).seller(taker, 0, group=group)
    return market


@pytest.mark.parametrize("stolen", [stolen_by, edited_copies])
def test_who_takes_a_photo_that_is_common_by_then_is_tied_to_nobody(stolen):
    takers = tuple(range(2, 4 + RARE_SELLERS))
    market = stolen(*takers)
    sizes = [ring(market, 10 * taker, on=50)[0] for taker in takers]
    assert sizes == [*range(RARE_SELLERS), 0, 0]


def test_those_who_take_a_photo_in_the_same_moment_count_for_each_other():
    market = Market().listing(10, VICTIM, 0, "a")
    for taker in range(2, 3 + RARE_SELLERS):
        market.listing(10 * taker, taker, 1, "a")
    assert [ring(market, 10 * taker, on=50)[0] for taker in range(2, 3 + RARE_SELLERS)] == [0] * (RARE_SELLERS + 1)


def test_accounts_known_to_be_one_business_take_a_photo_once():
    takers = tuple(range(2, 2 + RARE_SELLERS + 2))
    market = edited_copies(*takers, group="g").listing(900, 90, 30, "z").alike("a", "z", 9, 0.9)
    assert ring(market, 900, on=50)[:2] == (len(takers), 1)
    unknown = edited_copies(*takers).listing(900, 90, 30, "z").alike("a", "z", 9, 0.9)
    for taker in takers:
        unknown.seller(taker, 31, group="g")
    assert ring(unknown, 900, on=50)[0] == 0


def test_a_photo_that_a_business_takes_with_very_many_accounts_ties_nobody():
    takers = tuple(range(2, 2 + MOST_TAKERS))
    within, beyond = (edited_copies(*some, group="g").alike("a", "z", 9, 0.9) for some in (takers[1:], takers))
    for market in (within, beyond):
        market.listing(900, 90, 30, "z")
    assert ring(within, 900, on=50)[0] == len(takers) - 1
    assert ring(beyond, 900, on=50)[0] == 0


def taken_rows(*rows):
    return typed(
        [(seller, image, victim, day(on), showing) for seller, image, victim, on, showing in rows], TAKEN_COLUMNS
    )


def block(taken, asked):
    facts = replace(Market().facts(), taken=taken)
    described = pd.DataFrame({"seller_key": [s for s, _ in asked], "as_of": [day(on) for _, on in asked]})
    return ring_block(described, facts)


def test_a_placeholder_of_thousands_ties_the_few_who_took_it_first_and_costs_little():
    rows = [(seller, "placeholder", 1, seller / 100, min(seller, 2)) for seller in range(2, 5002)]
    asked = [(seller, 60.0) for seller in range(2, 5002)]
    taken = taken_rows(*rows)
    begun = time.process_time()
    found = block(taken, asked)
    assert time.process_time() - begun < 3
    assert found["ring_sellers"].tolist() == [*range(RARE_SELLERS), *[0] * (5000 - RARE_SELLERS)]


def test_an_account_tied_to_hundreds_is_told_of_its_earliest_ties():
    rows = [(seller, f"p{seller}", 1, 1 + seller / 1000, 1) for seller in range(100, 400)]
    rows += [(50, f"p{seller}", 1, 2 + seller / 1000, 2) for seller in range(100, 400)]
    found = block(taken_rows(*rows), [(50, 3.0), (50, 2.1001)]).to_dict("list")
    assert found["ring_sellers"] == [MOST_TIES, 1]
    assert found["ring_photos"] == [MOST_PHOTOS, 1]


def slow_ring(facts, seller, as_of):
    """The definitions, one account at a time; markets this small reach no bound but that of rarity."""
    taken = [row for row in facts.taken.itertuples() if row.known_at <= as_of]
    rare = [row for row in taken if row.sellers_showing <= RARE_SELLERS]

    def group(account, at):
        known = facts.sellers[(facts.sellers["seller_key"] == account) & (facts.sellers["observed_at"] <= at)]
        return known.sort_values("observed_at")["group_id"].iloc[-1] if len(known) else None

    def kin(one, other, at):
        groups = group(one, at), group(other, at)
        return pd.notna(groups[0]) and groups[0] == groups[1]

    def few_had_taken(own):
        same = (row for row in taken if row.other_image_id == own.other_image_id)
        takers = {row.seller_key for row in same if row.known_at <= own.known_at}
        groups = {taker: group(taker, own.known_at) for taker in takers}
        return len({known if pd.notna(known) else taker for taker, known in groups.items()}) <= RARE_SELLERS

    def ties(account):
        found = set()
        for own in (row for row in rare if row.seller_key == account and few_had_taken(row)):
            for other in rare:
                shared = other.other_image_id == own.other_image_id
                back = (other.seller_key, other.other_seller_key) == (own.other_seller_key, account)
                earlier = other.seller_key != account and other.known_at <= own.known_at
                if earlier and (shared or back) and not kin(account, other.seller_key, own.known_at):
                    found.add((other.seller_key, own.other_image_id))
        return found

    direct = {other for other, _ in ties(seller)}
    reached = direct | {further for other in direct for further, _ in ties(other)}
    members = {other for other in reached - {seller} if not kin(seller, other, as_of)}
    inner = {frozenset((one, other)) for one in direct for other, _ in ties(one) if other in direct}
    pairs = len(direct) * (len(direct) + 1) / 2
    known = facts.labels[facts.labels["known_at"] <= as_of].sort_values(["known_at", "label"])
    now = known.drop_duplicates("listing_key", keep="last")
    frauds = set(now.loc[now["label"] == "fraud", "seller_key"])
    photos = {image for _, image in ties(seller)}
    cohesion = (len(direct) + len(inner)) / pairs if pairs else math.nan
    return [len(members), len(photos), cohesion, len(members & frauds)]


@settings(max_examples=often(in_full=30, otherwise=10), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(markets())
def test_rings_are_what_a_slow_walk_finds(market):
    for thief, listing, on in ((7, 70, 4), (8, 80, 5), (7, 71, 6)):
        market.listing(listing, thief, on, "abc" if listing != 71 else "de")
    facts = market.facts()
    asked = moments_of(facts.listings, facts.sightings, facts.matches)
    owner = facts.listings.drop_duplicates("listing_key").set_index("listing_key")["seller_key"]
    slow = [slow_ring(facts, owner[key], as_of) for key, as_of in asked.itertuples(index=False, name=None)]
    expected = pd.DataFrame(slow, columns=RING, dtype="float64")
    pd.testing.assert_frame_equal(build(asked, facts)[RING], expected)
