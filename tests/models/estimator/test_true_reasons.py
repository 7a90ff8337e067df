"""Whatever a row holds, each reason given for it says a number of that row, and says nothing where there is nothing."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.point_in_time.feature_frame import SPECS
from features.spec import UNITS
from models.estimator.reasons import ACCUSING_BLOCKS, MAX_REASONS, MIN_CONTRIBUTION, reasons
from models.estimator.scorer import FAR_BITS

TOLD = [spec for spec in SPECS if spec.reason]
PRINTED_TO = {
    "count": 0.5, "characters": 0.5, "bits": 0.5, "days": 0.05, "points": 0.05, "ratio": 0.005, "log": 0.005,
    "share": 0.005, "probability": 0.005,
}  # fmt: skip
"""Half of the last digit that is printed."""


def drawn(seed: int, rows: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with values at, around and far from 0, some missing, and contributions on both sides of what is told."""
    generator = np.random.default_rng(seed)
    columns = {}
    for spec in SPECS:
        large = generator.lognormal(1, 2, rows) * generator.choice([-1, 1, 1, 1], rows)
        bounded = np.abs(large) / (1 + np.abs(large)) if spec.unit in {"share", "probability"} else large
        whole = np.abs(np.round(bounded)) if spec.unit in {"count", "bits", "characters"} else bounded
        near_none = generator.choice([0.0, 0.001, 0.004, 0.006, 0.04, 0.06], rows)
        small = 0.0 if spec.unit in {"count", "bits", "characters"} else near_none
        values = np.where(generator.random(rows) < 0.3, small, whole)
        columns[spec.name] = np.where(generator.random(rows) < 0.1, np.nan, values)
    features = pd.DataFrame(columns, index=generator.permutation(rows) * 3)
    strength = generator.normal(0, 0.3, (rows, len(SPECS)))
    return features.assign(listing_key=range(rows)), pd.DataFrame(
        strength, index=features.index, columns=[spec.name for spec in SPECS]
    )


def number_in(sentence: str, template: str) -> float:
    """Read the number back out of a sentence."""
    before, after = template.split("{value}")
    found = re.fullmatch(re.escape(before) + r"(-?[\d,.]+)(%?)" + re.escape(after), sentence)
    assert found, sentence
    return float(found[1].replace(",", "")) / (100 if found[2] else 1)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_each_sentence_says_its_rows_own_number(seed):
    features, strength = drawn(seed)
    found = reasons(features, strength, SPECS)
    by_name = {spec.name: spec for spec in TOLD}
    assert found.index.equals(features.index)
    for row, told in found.items():
        assert len(told) <= MAX_REASONS
        codes = [reason["code"] for reason in told]
        assert len(set(codes)) == len(codes)
        weights = strength.loc[row, codes].to_numpy()
        assert (np.diff(weights) <= 0).all()
        assert (weights >= MIN_CONTRIBUTION).all()
        for reason in told:
            spec, own = by_name[reason["code"]], features.loc[row, reason["code"]]
            assert reason["value"] == own
            said = number_in(reason["text"], spec.reason)
            assert said == pytest.approx(own, abs=PRINTED_TO[spec.unit] * 1.0001)
            assert spec.block not in ACCUSING_BLOCKS or spec.unit == "bits" or said > 0
            assert spec.unit != "bits" or said < FAR_BITS


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_nothing_that_could_be_told_is_passed_over_for_something_weaker(seed):
    features, strength = drawn(seed, rows=20)
    for row, told in reasons(features, strength, SPECS).items():
        silent_about = [spec for spec in TOLD if spec.name not in {reason["code"] for reason in told}]
        weakest = strength.loc[row, told[-1]["code"]] if len(told) == MAX_REASONS else MIN_CONTRIBUTION
        for spec in silent_about:
            own = features.loc[row, spec.name]
            accusing = spec.block in ACCUSING_BLOCKS or spec.direction > 0
            says_nothing = (
                np.isnan(own)
                or (spec.unit == "bits" and own >= FAR_BITS)
                or (spec.unit != "bits" and accusing and number_in(spec.sentence(own), spec.reason) <= 0)
            )
            assert says_nothing or strength.loc[row, spec.name] <= weakest


@pytest.mark.parametrize("spec", TOLD, ids=lambda spec: spec.name)
def test_every_sentence_has_one_place_for_its_number_and_ends_like_one(spec):
    assert spec.reason.count("{value}") == 1
    assert spec.reason.endswith(".")
    assert UNITS[spec.unit].format(1.0) in spec.sentence(1.0)
