"""The picture of whom a seller took photos from: every account once, every tie between two of them, and bounded."""

from __future__ import annotations

from collections import Counter

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from review.ring_diagram import HEIGHT, MOST_ACCOUNTS, WIDTH, ring_of

COLUMNS = ["seller_key", "other_seller_key", "other_image_id"]
TAKEN = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from("pqrstu")), max_size=120)


def taken(*rows):
    return pd.DataFrame(list(rows), columns=COLUMNS)


def test_victims_stand_inside_and_who_took_the_same_outside():
    ring = ring_of(1, taken((1, 2, "p"), (1, 2, "q"), (3, 2, "p"), (4, 1, "r")), {1: "own", 2: "ann"})
    assert {each.seller_key: each.kind for each in ring.accounts} == {1: "own", 2: "copied", 3: "beside", 4: "beside"}
    assert {each.seller_key: each.name for each in ring.accounts} == {1: "own", 2: "ann", 3: "", 4: ""}
    ties = {(tie.taker.seller_key, tie.owner.seller_key): tie.photos for tie in ring.ties}
    assert ties == {(1, 2): 2, (3, 2): 1, (4, 1): 1}
    assert ring.left_out == 0


def test_who_took_nothing_stands_alone():
    ring = ring_of(7, taken(), {7: "own"})
    assert [each.seller_key for each in ring.accounts] == [7]
    assert ring.ties == ()


def test_what_is_two_steps_away_is_not_drawn():
    ring = ring_of(1, taken((1, 2, "p"), (2, 9, "q"), (8, 9, "q")), {})
    assert {each.seller_key for each in ring.accounts} == {1, 2}


def test_a_victim_that_took_from_the_seller_as_well_stands_once():
    ring = ring_of(1, taken((1, 2, "p"), (2, 1, "q")), {})
    assert Counter(each.kind for each in ring.accounts) == {"own": 1, "copied": 1}
    assert len(ring.ties) == 2


@given(rows=TAKEN, own=st.integers(0, 40))
def test_a_ring_is_bounded_and_lies_within_its_picture(rows, own):
    rows = [row for row in rows if row[0] != row[1]]
    ring = ring_of(own, taken(*rows), {})
    keys = [each.seller_key for each in ring.accounts]
    assert keys[0] == own
    assert len(set(keys)) == len(keys) <= MOST_ACCOUNTS + 1
    assert all(0 < each.x < WIDTH and 0 < each.y < HEIGHT - 26 for each in ring.accounts), "names stand below circles"
    assert len({(each.x, each.y) for each in ring.accounts}) == len(keys)
    victims = {other for seller, other, _ in rows if seller == own}
    near = victims | {seller for seller, other, _ in rows if other == own or other in victims}
    assert len(near - {own}) == len(keys) - 1 + ring.left_out
    counted = {pair: len({p for s, o, p in rows if (s, o) == pair}) for pair in {(s, o) for s, o, _ in rows}}
    drawn = {(tie.taker.seller_key, tie.owner.seller_key): tie.photos for tie in ring.ties}
    assert drawn == {pair: photos for pair, photos in counted.items() if {*pair} <= set(keys)}
