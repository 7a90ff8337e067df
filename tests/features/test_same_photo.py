"""The probability of one photo: falls with every bit, and does what its file says on real photographs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.alike import RADII
from features.facts import HASH_KINDS
from features.hex_digits import HASH_BITS
from features.same_photo import COEFFICIENTS_FILE, operating_point, same_photo

distances = st.tuples(*(st.integers(0, HASH_BITS[kind]) for kind in HASH_KINDS))


@pytest.fixture(scope="module")
def stored():
    return json.loads(COEFFICIENTS_FILE.read_text(encoding="utf-8"))


@settings(deadline=None)
@given(distances, st.integers(0, len(HASH_KINDS) - 1), st.integers(1, 64))
def test_more_differing_bits_never_raise_it(row, kind, more):
    further = list(row)
    further[kind] += more
    nearer, farther = same_photo([row, further])
    assert 0 <= farther <= nearer <= 1


@settings(deadline=None)
@given(st.lists(distances, min_size=1, max_size=5))
def test_each_row_is_judged_alone(rows):
    together = same_photo(rows)
    assert together == pytest.approx(np.concatenate([same_photo([row]) for row in rows]))
    assert together.dtype == np.float64


def test_no_pairs_have_no_probabilities():
    assert same_photo(np.empty((0, 5), np.uint8)).shape == (0,)


def test_it_is_the_logistic_function_of_its_file(stored):
    row = (3, 4, 2, 6, 1)
    log_odds = stored["intercept"] + sum(
        stored["per_bit"][kind] * bits for kind, bits in zip(HASH_KINDS, row, strict=True)
    )
    assert same_photo([row])[0] == pytest.approx(1 / (1 + np.exp(-log_odds)))


def test_equal_hashes_are_one_photo_and_chance_is_not():
    equal, chance = same_photo([[0] * 5, [32, 32, 32, 32, 21]])
    assert equal > 0.99 > operating_point() > 0.5 > 1e-9 > chance


def test_every_pair_at_the_operating_point_is_a_candidate():
    """Otherwise pairs that would be called one photo are never looked at."""
    grid = np.stack(np.meshgrid([0], np.arange(65), np.arange(65), [0], [0]), axis=-1).reshape(-1, 5)
    sure = grid[same_photo(grid) >= operating_point()]
    near = [sure[:, HASH_KINDS.index(kind)] <= radius for kind, radius in RADII.items()]
    assert np.logical_or.reduce(near).all()


def test_the_file_says_what_it_was_fitted_on_and_how_it_did(stored):
    assert stored["radii"] == dict(RADII)
    assert {"recipe", "fitted_on", "fitted_by", "provenance", "training"} <= stored.keys()
    aside = stored["set_aside"]
    assert aside["recall"] >= 0.85
    assert aside["false_match_rate_of_candidates"] <= 0.01
    assert aside["false_matches"] / aside["different_pairs"] < 1e-5
