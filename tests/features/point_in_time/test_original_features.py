"""What copied photos tell beside their originals."""

import math

import pandas as pd
import pytest

from features.point_in_time.feature_frame import build
from features.point_in_time.reuse_features import ORIGINAL_SPECS
from tests.features.point_in_time.worlds import Market, moments

VICTIM, THIEF = 1, 2


def features_of(market, listing=20, on=5, **changes):
    facts = market.facts()
    for name, change in changes.items():
        setattr_frame = change(getattr(facts, name))
        object.__setattr__(facts, name, setattr_frame)
    return build(moments((listing, on)), facts).iloc[0]


def edited(edit):
    def change(matches):
        return matches.assign(edit=pd.Series(edit, index=matches.index, dtype="str"))

    return change


@pytest.fixture
def theft():
    """Three of four photos of a listing turn up in somebody else's."""
    said = {"title": "Red racing bike, small", "category": "bikes"}
    market = Market().listing(10, VICTIM, 1, "abcd", **said)
    return market.listing(20, THIEF, 4, "abcx", title="red bike", category="bikes")


def test_most_of_the_set_was_taken(theft):
    assert features_of(theft)["set_taken"] == 0.75


def test_photos_that_the_victim_adds_later_do_not_count_before(theft):
    market = theft.photo("e", 10, 9)
    assert features_of(market, on=5)["set_taken"] == 0.75
    assert features_of(market, on=9)["set_taken"] == 0.6


def test_words_and_category_are_compared_with_those_of_the_copied_listing(theft):
    row = features_of(theft)
    assert row["title_agreement"] == 2 / 4
    assert row["category_agreement"] == 1


def test_without_a_copy_there_is_nothing_to_compare(theft):
    row = features_of(theft, listing=10)
    counts = [spec.name for spec in ORIGINAL_SPECS if not spec.missing]
    assert (row[counts] == 0).all()
    assert all(math.isnan(row[spec.name]) for spec in ORIGINAL_SPECS if spec.missing)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ("none", set()),
        ("recompressed", set()),
        ("resized", set()),
        ("mirror", {"copies_turned"}),
        ("mirror+crop", {"copies_turned", "copies_cut"}),
        ("crop+tone+resized", {"copies_cut", "copies_altered"}),
        ("collage", {"copies_covered"}),
    ],
)
def test_each_edit_counts_where_it_belongs(theft, edit, told):
    row = features_of(theft, matches=edited(edit))
    found = {name for name in row.index if name.startswith("copies_") and row[name]}
    assert found == told
    assert all(row[name] == 3 for name in told)


def test_a_smaller_copy_says_how_much_smaller(theft):
    def halved(prints):
        return prints.assign(width=prints["width"] // 2, height=prints["height"] // 2)

    assert features_of(theft)["size_to_original"] == 1
    assert features_of(theft, fingerprints=halved)["size_to_original"] == pytest.approx(0.5, rel=0.02)


def test_titles_without_words_have_no_agreement():
    market = Market().listing(10, VICTIM, 1, "a", title="!!!").listing(20, THIEF, 4, "a", title="bike")
    assert math.isnan(features_of(market)["title_agreement"])
