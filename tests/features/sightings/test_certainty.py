"""Late victims and doubtful orders: who is accused, how certainly, and from when on."""

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.facts import MATCH_COLUMNS
from features.point_in_time.feature_frame import build, first_owner, moments_of
from features.sightings.evidence import OBSERVED_WEIGHT, with_certainty
from tests.features.point_in_time.worlds import Market, day, moments

VICTIM, THIEF, OTHER = 1, 2, 3
COPIED = ("copied_photos", "surest_same_photo", "photos_from_one_listing", "other_sellers", "late_photos")


def row_of(market, listing, on):
    return build(moments((listing, on)), market.facts()).iloc[0]


def owner_of(market, listing, on):
    owner = first_owner(moments((listing, on)), market.facts())["first_seller_key"].iloc[0]
    return None if pd.isna(owner) else owner


@pytest.fixture
def late_crawl():
    """The thief is observed on day 5, the victim, who had posted on day 1, only on day 9."""
    return Market().listing(20, THIEF, 5, "abc").listing(10, VICTIM, 9, "abc", created=1)


def test_a_thief_is_found_out_when_the_victim_is_crawled_and_not_before(late_crawl):
    before, after = row_of(late_crawl, 20, 8.9), row_of(late_crawl, 20, 9)
    assert [before[name] for name in COPIED] == [0, 0, 0, 0, 0]
    assert [after[name] for name in COPIED] == [3, 1, 3, 1, 3]
    assert (after["owner_certainty"], after["posted_lead_days"], after["lead_days"]) == (0.75, 4, -4)
    assert math.isnan(before["owner_certainty"])
    assert (owner_of(late_crawl, 20, 8.9), owner_of(late_crawl, 20, 9)) == (None, VICTIM)
    facts = late_crawl.facts()
    asked = moments_of(facts.listings, facts.sightings, facts.matches)
    assert asked[asked["listing_key"] == 20]["as_of"].tolist() == [day(5), day(9)]


def test_a_victim_that_was_crawled_late_is_accused_of_nothing(late_crawl):
    assert [row_of(late_crawl, 10, 9)[name] for name in COPIED] == [0, 0, 0, 0, 0]
    assert owner_of(late_crawl, 10, 9) is None


def test_nor_is_it_when_it_posts_again(late_crawl):
    late_crawl.listing(11, VICTIM, 20, "abc")
    assert [row_of(late_crawl, 11, 20)[name] for name in COPIED] == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(("posted_on", "copied"), [(1.0, 1), (0.75, 1), (0.6, 0), (0.0, 0)])
def test_a_photo_is_copied_from_whoever_was_likelier_to_be_first(posted_on, copied):
    market = Market().listing(10, OTHER, 3, "a", created=1).listing(20, THIEF, 9, "a", created=posted_on)
    row = row_of(market, 20, 9)
    assert (row["copied_photos"], row["surest_same_photo"]) == (copied, copied)
    assert row["commonest_sellers"] == 1


def test_a_thief_who_posts_again_is_still_found_out(late_crawl):
    late_crawl.listing(21, THIEF, 20, "abc")
    again = row_of(late_crawl, 21, 20)
    assert (again["copied_photos"], again["late_photos"], again["owner_certainty"]) == (3, 0, 0.75)
    assert owner_of(late_crawl, 21, 20) == VICTIM


def test_whoever_was_seen_and_posted_first_is_accused_of_nothing_by_anybody_later():
    market = Market().listing(10, VICTIM, 1, "a").listing(20, THIEF, 4, "a", created=2).listing(30, OTHER, 5, "a")
    assert [row_of(market, 10, 9)[name] for name in COPIED] == [0, 0, 0, 0, 0]


def test_a_second_late_victim_takes_nothing_from_the_first(late_crawl):
    before = row_of(late_crawl, 20, 9)
    late_crawl.listing(30, OTHER, 12, "abc", created=0)
    assert build(moments((20, 9), (20, 12)), late_crawl.facts())["copied_photos"].tolist() == [3, 3]
    assert row_of(late_crawl, 20, 9).to_numpy().tobytes() == before.to_numpy().tobytes()
    assert owner_of(late_crawl, 20, 12) == VICTIM


def test_a_photo_that_many_had_shown_by_then_is_still_no_evidence_when_it_comes_late():
    market = Market().listing(20, THIEF, 5, "a")
    for number in range(11):
        market.listing(100 + number, 100 + number, 6, "a")
    market.listing(10, VICTIM, 9, "a", created=1)
    assert (row_of(market, 20, 9)["copied_photos"], row_of(market, 20, 9)["commonest_sellers"]) == (0, 12)


def test_of_an_earlier_and_a_late_original_the_surer_one_gives_lead_and_certainty():
    market = Market().listing(30, OTHER, 1, "b").listing(20, THIEF, 5, "ax").listing(10, VICTIM, 9, "a", created=1)
    market.alike("b", "x", 2, 0.9)
    row = row_of(market, 20, 9)
    assert (row["copied_photos"], row["late_photos"], row["owner_certainty"], row["lead_days"]) == (2, 1, 1, 4)


def certainty(observed, created, other_observed, other_created):
    cells = dict.fromkeys(MATCH_COLUMNS, 0) | {
        "edit": "none", "image_id": "a", "other_image_id": "a", "observed_at": day(observed),
        "other_observed_at": day(other_observed), "other_created_at": day(other_created), "same_photo": 1.0,
    }  # fmt: skip
    match = pd.DataFrame([cells | {"created_at": day(created)}])
    return with_certainty(match)["certainty"].iloc[0]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((5, 5, 1, 1), 1.0),
        ((5, 5, 4, 4), 1.0),
        ((5, 5, 4.75, 4.75), 0.625),
        ((5, 5, 5, 5), 0.5),
        ((5, 1, 2, 2), OBSERVED_WEIGHT),
        ((5, 5, 9, 1), 1 - OBSERVED_WEIGHT),
        ((5, 5, 5.5, 4.5), 0.25 * 0.25 + 0.75 * 0.75),
    ],
)
def test_certainty_is_whole_where_both_orders_agree_and_fades_where_they_are_close_or_contradict(times, expected):
    assert certainty(*times) == pytest.approx(expected)


quarters = st.integers(-20, 20).map(lambda quarter: quarter / 4)


@settings(max_examples=30, deadline=None)
@given(quarters, quarters, quarters, quarters, quarters)
def test_what_speaks_for_one_side_is_missing_to_the_other_and_earlier_is_never_less_certain(a, b, c, d, earlier):
    assert certainty(a, b, c, d) + certainty(c, d, a, b) == pytest.approx(1)
    assert certainty(a, b, c - abs(earlier), d) >= certainty(a, b, c, d)
    assert certainty(a, b, c, d - abs(earlier)) >= certainty(a, b, c, d)
