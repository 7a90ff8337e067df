"""Texts shown before: what counts as nearly the same, and who had shown it first."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from features.point_in_time.feature_frame import build, moments_of
from features.point_in_time.listing_features import BANDS, COMMON_TEXT_SELLERS, FEWEST_WORDS, text_bands
from tests.features.point_in_time.worlds import TEXTS, Market, markets, moments
from tests.full_run import often

OAK, PLATES = TEXTS
FIXED = [-520157026588732613, -3323411214505202883, 6930786067584154738, -8101207825243219497]
WORDS = np.array([f"{head}{tail}" for head in ("bo", "ka", "li", "mu", "ne") for tail in "abcdefghijklmnoprstuvwyz"])


def bands_of(*texts):
    return text_bands(pd.Series([None] * len(texts), dtype="str"), pd.Series(texts, dtype="str"))


def shares_a_band(one, other):
    bands = bands_of(one, other)
    return bool((bands.iloc[0] == bands.iloc[1]).any())


def same_text_sellers(market, listing, on):
    return build(moments((listing, on)), market.facts()).loc[0, "same_text_sellers"]


def told(*showings):
    """Listings of (seller, day, description), numbered from 10."""
    market = Market()
    for place, (seller, on, description) in enumerate(showings):
        market.listing(10 + place, seller, on, description=description)
    return market


def test_case_punctuation_and_digits_make_no_difference():
    assert bands_of("An OAK chair, 42 years old, with scratches on: 1 side!").equals(
        bands_of("an oak chair 57 years old with scratches on 2 side")
    )


def test_short_texts_have_no_bands():
    words = WORDS[:FEWEST_WORDS]
    bands = bands_of(" ".join(words[:-1]), " ".join(words), None, "")
    assert bands.isna().all(axis=1).tolist() == [True, False, True, True]
    assert bands.columns.tolist() == list(BANDS)
    assert set(bands.dtypes.astype(str)) == {"Int64"}


def test_title_and_description_are_one_text_and_the_index_is_kept():
    title, description = (
        pd.Series(["a chair of oak"], index=[7]),
        pd.Series(["with two scratches on the side"], index=[7]),
    )
    apart = text_bands(title, description)
    assert apart.index.tolist() == [7]
    assert apart.reset_index(drop=True).equals(bands_of("a chair of oak with two scratches on the side"))


def test_no_texts_give_no_bands():
    assert bands_of().shape == (0, len(BANDS))


def test_the_bands_of_a_text_are_fixed_for_good():
    # They are kept in catalogs: with other bands, texts kept before would never be found again.
    assert bands_of(OAK).iloc[0].tolist() == FIXED


def test_a_texts_bands_do_not_depend_on_its_neighbours():
    together = bands_of(PLATES, None, OAK, "short", OAK)
    assert together.iloc[[2]].reset_index(drop=True).equals(bands_of(OAK))
    assert together.iloc[2].equals(together.iloc[4].rename(2))


@pytest.mark.parametrize(("changed", "lowest", "highest"), [(1, 0.9, 1.0), (3, 0.55, 0.95), (15, 0.0, 0.02)])
def test_a_changed_word_is_forgiven_and_another_text_is_not(changed, lowest, highest):
    random = np.random.default_rng(5)
    found = []
    for _ in range(100):
        words = random.choice(WORDS, 50)
        edited = words.copy()
        edited[random.choice(50, changed, replace=False)] = "other"
        found.append(shares_a_band(" ".join(words), " ".join(edited)))
    assert lowest <= np.mean(found) <= highest


def test_texts_of_the_same_words_in_another_order_are_not_the_same():
    words = OAK.split()
    assert not shares_a_band(OAK, " ".join(sorted(words)))


def test_only_who_showed_a_text_before_is_counted_and_each_once():
    market = told((1, 0, OAK), (2, 1, OAK), (1, 2, OAK), (3, 3, OAK), (4, 3, PLATES))
    found = [same_text_sellers(market, listing, on=9) for listing in range(10, 15)]
    assert found == [0, 1, 0, 2, 0]


def test_who_repeats_an_own_text_that_was_taken_has_not_taken_it():
    assert same_text_sellers(told((1, 0, OAK), (2, 1, OAK), (1, 5, OAK)), 12, on=9) == 0


def test_a_text_counts_from_the_version_that_brings_it():
    market = told((1, 0, OAK), (2, 1, None)).listing(11, 2, 3, description=OAK)
    assert [same_text_sellers(market, 11, on=on) for on in (1, 3)] == [0, 1]


def test_one_business_may_repeat_itself():
    market = told((1, 0, OAK), (2, 1, OAK)).seller(1, 0, group="g").seller(2, 0, group="g")
    assert same_text_sellers(market, 11, on=1) == 0


@pytest.mark.parametrize(
    ("before", "counted"), [(COMMON_TEXT_SELLERS, COMMON_TEXT_SELLERS), (COMMON_TEXT_SELLERS + 1, 0)]
)
def test_a_text_of_many_is_nobodys(before, counted):
    market = told(*((seller, seller, OAK) for seller in range(before + 1)))
    assert same_text_sellers(market, 10 + before, on=50) == counted


def slow_count(facts, listing, as_of):
    """Who had shown the very text before the seller first did; the drawn texts are the same or nothing alike."""
    versions = facts.listings[facts.listings["description"].notna()]
    now = facts.listings[(facts.listings["listing_key"] == listing) & (facts.listings["observed_at"] <= as_of)]
    now = now.sort_values("observed_at").iloc[-1]
    if pd.isna(now["description"]):
        return 0.0
    firsts = versions[versions["description"] == now["description"]].groupby("seller_key")["observed_at"].min()
    own = firsts[now["seller_key"]]

    def group(seller):
        known = facts.sellers[(facts.sellers["seller_key"] == seller) & (facts.sellers["observed_at"] <= own)]
        return known.sort_values("observed_at")["group_id"].iloc[-1] if len(known) else None

    mine = group(now["seller_key"])
    others = firsts.index[firsts < own]
    return float(sum(pd.isna(mine) or group(other) != mine for other in others))


@settings(max_examples=often(in_full=40, otherwise=12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(markets())
def test_sellers_of_the_same_text_are_those_a_slow_reading_finds(market):
    facts = market.facts()
    asked = moments_of(facts.listings, facts.sightings, facts.matches)
    slow = [slow_count(facts, *row) for row in asked.itertuples(index=False, name=None)]
    assert build(asked, facts)["same_text_sellers"].tolist() == slow
