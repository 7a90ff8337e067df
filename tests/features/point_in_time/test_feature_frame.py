"""The frame's shape, its reference page, when to describe, and who was first."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.facts import MATCH_COLUMNS
from features.point_in_time.feature_frame import SPEC_FINGERPRINT, SPECS, build, evidence, first_owner, moments_of
from features.point_in_time.feature_reference import reference
from features.spec import UNITS, fingerprint
from tests.features.point_in_time.worlds import Market, day, moments

PAGE = Path(__file__).resolve().parents[3] / "docs" / "features.md"


@pytest.fixture
def market():
    market = Market().listing(10, 1, 1, "ab", price=90.0).listing(11, 3, 2, "c")
    return market.listing(20, 2, 4, "abx", price=30.0).photo("c", 20, 6)


def test_columns_are_the_specs_and_rows_the_moments(market):
    asked = moments((20, 5), (10, 5)).set_axis(["later", "sooner"])
    frame = build(asked, market.facts())
    assert list(frame.columns) == [spec.name for spec in SPECS]
    assert list(frame.index) == ["later", "sooner"]
    assert set(frame.dtypes) == {np.dtype("float64")}


def test_no_moments_give_an_empty_frame_with_all_columns(market):
    frame = build(moments(), market.facts())
    assert frame.shape == (0, len(SPECS))
    assert set(frame.dtypes) == {np.dtype("float64")}


def test_features_that_are_never_missing_are_never_missing(market):
    bare = Market().listing(20, 2, 4, title=None, category=None, currency=None)
    frame = build(moments((20, 5)), bare.facts())
    always = [spec.name for spec in SPECS if not spec.missing]
    assert frame[always].notna().all(axis=None)
    assert frame[[spec.name for spec in SPECS if spec.missing]].isna().all(axis=None)
    assert frame["missing_fields"].tolist() == [6]


def test_a_listing_is_described_only_once_it_is_known(market):
    with pytest.raises(ValueError, match="Listing 20 was not known yet at 2026-01-04"):
        build(moments((10, 5), (20, 3)), market.facts())


def test_a_listing_is_described_whenever_something_about_it_is_first_known(market):
    market.listing(20, 2, 8)
    facts = market.facts()
    own = moments_of(facts.listings, facts.sightings, facts.matches).query("listing_key == 20")
    assert own["as_of"].tolist() == [day(4), day(6), day(8)]


def test_a_photo_known_before_its_listing_waits_for_it():
    market = Market().listing(20, 2, 4).photo("a", 20, 3)
    facts = market.facts()
    assert moments_of(facts.listings, facts.sightings, facts.matches)["as_of"].tolist() == [day(4)]


def test_the_first_owner_is_the_earliest_poster_and_nobody_for_the_victim(market):
    owners = first_owner(moments((20, 6), (10, 6)), market.facts())
    assert owners["first_seller_key"].tolist() == [1, pd.NA]
    assert owners["first_listing_key"].tolist() == [10, pd.NA]
    assert owners["matched_images"].tolist() == [3, 0]
    assert owners["images"].tolist() == [4, 2]


def test_the_evidence_is_the_matches_known_by_the_moment(market):
    market.alike("c", "x", 6, 0.3)
    found = evidence(moments((10, 6), (20, 5), (20, 6)), market.facts())
    assert set(MATCH_COLUMNS) < set(found.columns)
    rows = found[["moment", "image_id", "other_image_id", "copied"]].itertuples(index=False, name=None)
    doubtful = ("x", "c", False)
    assert list(rows) == [
        (1, "a", "a", True),
        (1, "b", "b", True),
        (1, *doubtful),
        (2, "a", "a", True),
        (2, "b", "b", True),
        (2, "c", "c", True),
        (2, *doubtful),
    ]


def test_names_are_unique_and_every_unit_is_known():
    names = [spec.name for spec in SPECS]
    assert len(set(names)) == len(names)
    assert {spec.unit for spec in SPECS} <= set(UNITS)


def test_every_reason_says_its_value():
    for spec in SPECS:
        assert not spec.reason or spec.sentence(0.5) != spec.reason, spec.name


def test_the_fingerprint_names_the_list_and_its_order():
    assert fingerprint(SPECS) == SPEC_FINGERPRINT
    assert fingerprint(SPECS[::-1]) != SPEC_FINGERPRINT


def test_the_reference_page_is_the_generated_one():
    assert PAGE.read_text(encoding="utf-8") == reference()
