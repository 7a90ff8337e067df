"""Reuse features by example: what counts, for whom, and what is discounted."""

import itertools
import math

import pytest

from features.point_in_time.feature_frame import build
from features.sightings.evidence import COMMON_SELLERS
from tests.features.point_in_time.worlds import Market, day, moments

VICTIM, THIEF = 1, 2


def features_of(market, listing=20, on=5):
    return build(moments((listing, on)), market.facts()).iloc[0]


@pytest.fixture
def theft():
    """Three photos of one listing turn up in somebody else's, beside a photo of his own."""
    return Market().listing(10, VICTIM, 1, "abc").listing(20, THIEF, 4, "abcx")


def test_the_thief_copied_three_of_four_photos(theft):
    row = features_of(theft)
    assert (row["images"], row["copied_photos"], row["copied_share"]) == (4, 3, 0.75)
    assert (row["photos_from_one_listing"], row["other_sellers"]) == (3, 1)
    assert (row["surest_same_photo"], row["lead_days"], row["posted_lead_days"]) == (1.0, 3.0, 3.0)
    assert (row["commonest_sellers"], row["rarest_sellers"]) == (1, 1)


def test_the_victim_copied_nothing(theft):
    row = features_of(theft, listing=10)
    assert (row["images"], row["copied_photos"], row["surest_same_photo"], row["other_sellers"]) == (3, 0, 0, 0)
    assert math.isnan(row["lead_days"])
    assert math.isnan(row["nearest_phash"])


def test_a_photo_counts_from_the_moment_it_is_known():
    market = Market().listing(10, VICTIM, 1, "ab").listing(20, THIEF, 2, "a").photo("b", 20, 4)
    assert features_of(market, on=3)["copied_photos"] == 1
    assert features_of(market, on=4)["copied_photos"] == 2


@pytest.mark.parametrize(
    ("distance", "within"),
    [
        (0, {"ahash", "phash", "dhash", "whash", "colorhash"}),
        (4, {"ahash", "phash", "dhash", "whash"}),
        (8, {"phash", "dhash"}),
        (9, set()),
    ],
)
def test_each_hash_has_its_own_radius(distance, within):
    market = Market().listing(10, VICTIM, 1, "a").listing(20, THIEF, 4, "b").alike("a", "b", distance, 0.4)
    row = features_of(market)
    found = {kind for kind in ("ahash", "phash", "dhash", "whash", "colorhash") if row[f"photos_within_{kind}"]}
    assert found == within
    assert row["nearest_phash"] == distance
    assert (row["surest_same_photo"], row["copied_photos"]) == (0.4, 0)


def test_a_photo_alike_to_several_pictures_is_one_photo():
    market = Market().listing(10, VICTIM, 1, "ab").listing(11, 3, 2, "c").listing(20, THIEF, 4, "d")
    for image in "abc":
        market.alike(image, "d", 2, 0.9)
    row = features_of(market)
    assert (row["photos_within_phash"], row["copied_photos"], row["other_sellers"]) == (1, 1, 2)


@pytest.mark.parametrize(("others", "copied"), [(COMMON_SELLERS, 1), (COMMON_SELLERS + 1, 0)])
def test_a_common_photo_is_no_evidence(others, copied):
    market = Market()
    for other in range(others):
        market.listing(100 + other, 100 + other, 1, "a")
    row = features_of(market.listing(20, THIEF, 4, "a"))
    assert (row["copied_photos"], row["surest_same_photo"], row["commonest_sellers"]) == (copied, copied, others)


def test_a_photo_is_common_too_when_every_copy_has_other_bytes():
    market = Market()
    for other in range(COMMON_SELLERS + 1):
        market.listing(100 + other, 100 + other, 1, [f"copy{other}"]).alike(f"copy{other}", "a", 2, 0.9)
    row = features_of(market.listing(20, THIEF, 4, "a"))
    assert (row["copied_photos"], row["commonest_sellers"]) == (0, COMMON_SELLERS + 1)


def test_a_victims_many_relistings_do_not_make_a_photo_common():
    market = Market()
    for number in range(COMMON_SELLERS + 5):
        market.listing(100 + number, VICTIM, 1, [f"copy{number}"]).alike(f"copy{number}", "a", 2, 0.9)
    row = features_of(market.listing(20, THIEF, 4, "a"))
    assert (row["copied_photos"], row["commonest_sellers"]) == (1, 1)


@pytest.mark.parametrize(("information", "readable", "low_share"), [(0.1, 2, 0.5), (None, 1, 0.0)])
def test_empty_and_unreadable_photos_are_no_evidence(information, readable, low_share):
    market = Market(information={"a": information}).listing(10, VICTIM, 1, "a").listing(20, THIEF, 4, "ab")
    row = features_of(market)
    assert (row["images"], row["images_readable"], row["low_information_share"]) == (2, readable, low_share)
    assert (row["copied_photos"], row["surest_same_photo"]) == (0, 0)


def test_who_posted_a_little_earlier_and_was_observed_later_leaves_doubt():
    market = Market().listing(10, VICTIM, 1, "a", created=1).listing(20, THIEF, 4, "a", created=0.75)
    row = features_of(market)
    assert (row["lead_days"], row["posted_lead_days"], row["owner_certainty"]) == (3.0, -0.25, 0.25 + 0.75 * 0.375)


def test_of_equally_sure_photos_the_earliest_original_gives_the_lead():
    market = Market().listing(11, 3, 2, "b").listing(10, VICTIM, 1, "a").listing(20, THIEF, 4, "ab")
    assert features_of(market)["lead_days"] == 3.0


def test_a_listing_without_photos_has_no_shares():
    row = features_of(Market().listing(20, THIEF, 4))
    assert (row["images"], row["copied_photos"]) == (0, 0)
    assert math.isnan(row["copied_share"])
    assert math.isnan(row["low_information_share"])


def one_photo(market, *pictures):
    """Say that these pictures are one photo."""
    for one, other in itertools.combinations(pictures, 2):
        market.alike(one, other, 2, 0.99)
    return market


def test_a_site_that_encodes_photos_anew_on_every_crawl_changes_nothing():
    market = Market().listing(10, VICTIM, 1, "ay").listing(20, THIEF, 4, "abc")
    first = features_of(market, on=4)
    for crawl, again in enumerate(("def", "ghi", "jkl"), start=5):
        market.listing(20, THIEF, crawl, again)
    for pictures in ("adgj", "behk", "cfil"):
        one_photo(market, *pictures)
    last = features_of(market, on=7)
    photos = ["images", "images_readable", "copied_photos", "copied_share", "photos_from_one_listing", "set_taken"]
    assert last[photos].tolist() == first[photos].tolist() == [3, 3, 1, pytest.approx(1 / 3), 1, 0.5]


def test_one_copied_photo_in_three_sizes_is_one_photo_on_both_sides():
    market = Market().listing(10, VICTIM, 1, "abcy").listing(20, THIEF, 4, "defx")
    row = features_of(one_photo(market, *"abcdef"))
    assert (row["images"], row["copied_photos"], row["copied_share"], row["photos_from_one_listing"]) == (2, 1, 0.5, 1)
    assert row["set_taken"] == 0.5


def test_a_thief_who_takes_three_photos_in_three_sizes_each_has_taken_three():
    market = Market().listing(10, VICTIM, 1, "abc").listing(20, THIEF, 4, "defghijkl")
    for pictures in ("adgj", "behk", "cfil"):
        one_photo(market, *pictures)
    row = features_of(market)
    assert (row["images"], row["copied_photos"], row["copied_share"], row["set_taken"]) == (3, 3, 1.0, 1.0)


def test_pictures_found_to_be_different_photos_before_they_came_stay_two():
    market = one_photo(Market().listing(10, VICTIM, 1, "ab").listing(20, THIEF, 4, "x"), "a", "b")
    assert features_of(market, listing=10, on=5)["images"] == 1
    market.denied["a", "b"] = day(0)
    assert features_of(market, listing=10, on=5)["images"] == 2


def test_a_picture_that_shows_two_photos_to_be_one_changes_neither():
    market = Market().listing(10, VICTIM, 1, "ab").photo("c", 10, 3)
    market.alike("a", "c", 2, 0.99).alike("b", "c", 2, 0.99)
    assert [features_of(market, listing=10, on=on)["images"] for on in (1, 3)] == [2, 2]
