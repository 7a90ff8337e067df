from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from data.errors import NotEnoughLabels
from features.point_in_time.feature_frame import SPECS
from features.spec import FeatureSpec
from models.estimator.bands import bands_for_capacity
from models.estimator.calibrated_classifier import fit_on
from models.estimator.calibration import ISOTONIC_MIN_ROWS, calibrate
from models.estimator.cross_fit import ordinary
from models.estimator.ensemble import SignBoundedEnsemble, ensemble_for
from models.estimator.rule import NO_EVIDENCE, RULE_FEATURES, rule_for

if TYPE_CHECKING:
    from collections.abc import Sequence

RULE_SPECS = tuple(FeatureSpec(name=name, block="reuse", unit="ratio", meaning="") for name in RULE_FEATURES)


def fit(rows: pd.DataFrame, specs: Sequence[FeatureSpec], *, seed: int) -> SignBoundedEnsemble:
    return fit_on(ensemble_for(specs, seed=seed), rows, specs)


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Margins twice too bold, and outcomes of the honest ones."""
    generator = np.random.default_rng(seed)
    honest = generator.normal(-2, 1.5, rows)
    return 2 * honest, (generator.random(rows) < expit(honest)).astype(float)


@pytest.mark.parametrize(("rows", "method"), [(600, "sigmoid"), (8_000, "isotonic")])
def test_calibration_undoes_boldness(rows, method):
    margins, y = drawn(rows, seed=2)
    calibration = calibrate(margins, y)
    assert calibration.method == method
    fresh = drawn(5_000, seed=3)[0]
    assert np.abs(calibration(fresh) - expit(fresh / 2)).mean() < 0.02


@pytest.mark.parametrize("rows", [50, 2 * ISOTONIC_MIN_ROWS])
def test_calibration_keeps_the_order_and_never_claims_certainty(rows):
    margins = np.linspace(-8, 8, rows)
    y = (margins > 0).astype(float)
    probability = calibrate(margins, y)(np.linspace(-20, 20, 500))
    assert (np.diff(probability) >= 0).all()
    assert 0 < probability[0] < 0.2
    assert 0.8 < probability[-1] < 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(1, 5), st.integers(1, 4))
def test_the_high_band_never_holds_more_than_capacity(scores, capacity, days):
    score = np.array(scores)
    day = np.arange(len(score)) % days
    as_of = pd.Series(pd.Timestamp("2026-03-01T05:00Z") + pd.to_timedelta(day, unit="D"))
    bands = bands_for_capacity(score, as_of, daily_capacity=capacity)
    names = bands.names(score)
    assert (names == "high").sum() <= capacity * min(days, len(score))
    assert bands.medium <= bands.high
    assert (score[names == "high"] >= 0.5).all()


def test_fewer_suspicious_listings_than_capacity_are_all_high():
    as_of = pd.Series([pd.Timestamp("2026-03-01T05:00Z")] * 4)
    bands = bands_for_capacity(np.array([0.9, 0.6, 0.2, 0.01]), as_of, daily_capacity=3)
    assert bands.names(np.array([0.9, 0.6, 0.2, 0.01])).tolist() == ["high", "high", "medium", "low"]


def test_the_same_seed_gives_the_same_predictions_to_the_last_bit(market, specs, few_trees):
    decided = market[market["y"].notna()]
    x = market[[spec.name for spec in specs]].to_numpy()
    first, second = (fit(decided, specs, seed=4).predict_proba(x) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_features_of_known_direction_never_speak_the_other_way(market, specs):
    fitted = fit(market[market["y"].notna()], specs, seed=4)
    x = market[[spec.name for spec in specs]].to_numpy()[:50]
    for column, spec in enumerate(specs):
        raised = x.copy()
        raised[:, column] += 0.2
        step = (fitted.margins(raised) - fitted.margins(x)) * spec.direction
        assert (step[~np.isnan(step)] >= 0).all()


def test_a_feature_that_every_row_lacks_changes_nothing(market, specs, few_trees):
    decided = market[market["y"].notna()]
    absent = FeatureSpec(name="absent", block="seller", unit="count", meaning="")
    names = [spec.name for spec in specs]
    wider = fit(decided.assign(absent=np.nan), (*specs, absent), seed=4)
    plain = fit(decided, specs, seed=4)
    assert np.isnan(wider.reference_[-1])
    later_known = market.assign(absent=5.0)[[*names, "absent"]].to_numpy()
    np.testing.assert_allclose(wider.margins(later_known), plain.margins(market[names].to_numpy()), atol=1e-9)


def test_fitting_on_too_few_frauds_says_what_is_missing(market, specs):
    decided = market[market["y"].notna()]
    few = decided[(decided["y"] == 0) | ((decided["y"] == 1).cumsum() <= 9)]
    with pytest.raises(NotEnoughLabels, match=r"to fit on: found 9 fraud and \d+ legit, needed at least 10 of each"):
        fit(few, specs, seed=0)


def test_frauds_of_a_single_seller_cannot_be_held_out(market, specs):
    decided = market[market["y"].notna()]
    one_thief = decided.assign(seller_key=decided["seller_key"].mask(decided["y"] == 1, 1))
    with pytest.raises(NotEnoughLabels, match="to hold out, apart by seller and photo: found 0 fraud"):
        fit(one_thief, specs, seed=0)


def test_the_ordinary_listing_lacks_what_most_legit_listings_lack():
    legit = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, 5.0]])
    np.testing.assert_array_equal(ordinary(legit), [2.0, np.nan])


def evidence(**known: float) -> np.ndarray:
    return np.array([[known.get(name, np.nan) for name in RULE_FEATURES]])


WORSE = {
    "surest_same_photo": 1,
    "copied_share": 1,
    "photos_from_one_listing": 1,
    "owner_certainty": 1,
    "rarest_sellers": -1,
    "price_to_copied": -1,
}


@given(
    st.fixed_dictionaries(
        {
            "surest_same_photo": st.floats(0, 1),
            "copied_share": st.floats(0, 1),
            "photos_from_one_listing": st.integers(0, 9),
            "owner_certainty": st.floats(0, 1),
            "rarest_sellers": st.integers(0, 50),
            "price_to_copied": st.floats(0, 20),
        }
    ),
    st.sampled_from(RULE_FEATURES),
    st.floats(0, 10),
)
def test_more_evidence_never_lowers_the_rules_score(known, name, step):
    rule = rule_for(RULE_SPECS)
    more = known | {name: known[name] + WORSE[name] * step}
    assert rule.margins(evidence(**more))[0] >= rule.margins(evidence(**known))[0]


def test_the_rule_asks_for_features_that_are_computed():
    assert set(RULE_FEATURES) <= {spec.name for spec in SPECS}


def test_the_rule_accuses_nobody_without_a_copied_photo():
    rule = rule_for(RULE_SPECS)
    assert rule.margins(evidence(copied_share=1.0, price_to_copied=0.1))[0] == NO_EVIDENCE
    assert rule.margins(evidence(surest_same_photo=1.0, owner_certainty=0.25))[0] == NO_EVIDENCE
    assert rule_for(()).margins(np.empty((2, 0))).tolist() == [NO_EVIDENCE] * 2


TAKEN = {"surest_same_photo": 0.98, "copied_share": 1.0, "owner_certainty": 1.0, "rarest_sellers": 1}


@pytest.mark.parametrize(
    ("known", "band"),
    [
        ({"photos_from_one_listing": 3, "price_to_copied": 0.9}, "high"),
        ({"photos_from_one_listing": 3}, "high"),
        ({"photos_from_one_listing": 1, "price_to_copied": 0.9}, "medium"),
        ({"photos_from_one_listing": 1, "price_to_copied": 8.0}, "low"),
        ({"photos_from_one_listing": 1, "rarest_sellers": 5}, "low"),
        ({"photos_from_one_listing": 3, "owner_certainty": 0.25}, "low"),
        ({"photos_from_one_listing": 3, "owner_certainty": 0.75}, "medium"),
    ],
)
def test_the_rule_alarms_at_copied_sets_and_doubts_lone_common_and_dearer_ones(known, band):
    rule = rule_for(RULE_SPECS)
    x = evidence(**TAKEN | known)
    assert rule.bands.names(rule.probabilities(rule.margins(x))).tolist() == [band]
