"""The probability of one photo: moves the right way with every measure, and does what its file says."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.registration.registration import OVERLAY, overlay, upright_guess
from features.registration.same_photo import (
    COEFFICIENTS_FILE,
    FALSE_MATCHES_PER_LISTING,
    HALF_OFF_PIXELS,
    LEAST,
    MOST,
    PICTURES_PER_LISTING,
    SamePhoto,
    measures,
    operating_point,
    same_photo,
)
from tests.features.copies.sketched import photo, view_of

SPEAKS_FOR = ("matches", "repeated", "agreeing", "mean", "middle", "low", "common_query", "common_reference")
SPEAKS_AGAINST = ("bits", "off_pixels")
shares = st.floats(0, 1)


@st.composite
def rows(draw):
    textured = draw(st.integers(0, 64))
    return {
        "matches": draw(st.integers(0, 256)),
        "textured": textured,
        "agreeing": draw(st.integers(0, textured)),
        "bits": draw(st.floats(0, 14)),
        "off_pixels": draw(st.floats(0, 24)),
        **{name: draw(shares) for name in ("repeated", "mean", "middle", "low", "common_query", "common_reference")},
    }


def overlays(*given_rows):
    out = np.zeros(len(given_rows), OVERLAY)
    for place, row in enumerate(given_rows):
        for name, value in row.items():
            out[name][place] = value
    return out


@pytest.fixture(scope="module")
def stored():
    return json.loads(COEFFICIENTS_FILE.read_text(encoding="utf-8"))


def added(knots, log_odds, value):
    """Go along a curve the slow way."""
    if value <= knots[0]:
        return log_odds[0]
    for place in range(1, len(knots)):
        if value <= knots[place]:
            way = (value - knots[place - 1]) / (knots[place] - knots[place - 1])
            return log_odds[place - 1] + way * (log_odds[place] - log_odds[place - 1])
    return log_odds[-1]


@settings(deadline=None)
@given(rows())
def test_it_is_the_logistic_function_of_the_curves_in_its_file(row):
    stored = json.loads(COEFFICIENTS_FILE.read_text(encoding="utf-8"))
    measured = {name: float(values[0]) for name, values in measures(overlays(row)).items()}
    assert measured.keys() == stored["curves"].keys()
    log_odds = stored["intercept"] + sum(
        added(curve["knots"], curve["log_odds"], measured[name]) for name, curve in stored["curves"].items()
    )
    assert same_photo(overlays(row))[0] == pytest.approx(1 / (1 + math.exp(-log_odds)))


@settings(deadline=None)
@given(rows(), st.sampled_from(SPEAKS_FOR + SPEAKS_AGAINST), st.data())
def test_what_speaks_for_a_copy_never_lowers_it_and_what_speaks_against_it_never_raises_it(row, name, data):
    whole = name in {"matches", "agreeing"}
    most = {"matches": 256, "agreeing": row["textured"], "bits": 14.0, "off_pixels": 24.0}.get(name, 1.0)
    more = dict(row) | {name: data.draw(st.integers(row[name], most) if whole else st.floats(row[name], most))}
    before, after = same_photo(overlays(row, more))
    if name in SPEAKS_AGAINST:
        before, after = after, before
    assert 0 <= before <= after + 1e-12 <= 1 + 1e-12


@settings(deadline=None)
@given(st.lists(rows(), max_size=5))
def test_each_pair_is_judged_alone(several):
    together = same_photo(overlays(*several))
    assert together.shape == (len(several),)
    assert together.dtype == np.float64
    assert together.tolist() == pytest.approx([float(same_photo(overlays(row))[0]) for row in several])


@settings(deadline=None)
@given(rows())
def test_evidence_is_a_part_of_the_matches_and_half_of_that_where_they_are_off(row):
    exact, off = (dict(row) | {"off_pixels": pixels} for pixels in (0.0, HALF_OFF_PIXELS))
    evidence = measures(overlays(row, exact, off, dict(row) | {"repeated": 0.0}))["evidence"]
    assert 0 <= evidence[0] <= evidence[1] <= row["matches"]
    assert evidence[2] == pytest.approx(evidence[1] / 2)
    assert evidence[3] == 0


def test_pictures_without_points_and_blocks_are_not_one_photo():
    assert same_photo(np.zeros(1, OVERLAY))[0] < 0.01


def test_a_few_points_and_blocks_prove_nothing_however_well_they_agree():
    perfect = {"repeated": 1, "mean": 1, "middle": 1, "low": 1, "common_query": 1, "common_reference": 1}
    few = [
        perfect | {"matches": matches, "textured": blocks, "agreeing": blocks}
        for matches in range(4)
        for blocks in range(4)
    ]
    assert same_photo(overlays(*few)).max() < LEAST


def test_many_points_in_the_right_places_are_one_photo():
    sure = {"matches": 120, "repeated": 0.7, "bits": 3, "off_pixels": 0.3, "textured": 60, "agreeing": 60}
    sure |= {"mean": 0.97, "middle": 0.98, "low": 0.96, "common_query": 1, "common_reference": 1}
    assert same_photo(overlays(sure))[0] > operating_point(1_000_000)


def test_a_drawn_photo_is_itself_and_not_another():
    views = [view_of(photo(number)) for number in range(4)]
    found = np.array([[overlay(one, other, upright_guess(one, other), 0) for other in views] for one in views])
    probability = same_photo(found.ravel()).reshape(found.shape)
    assert (probability[np.eye(len(views), dtype=bool)] > operating_point(10**9)).all()
    assert (probability[~np.eye(len(views), dtype=bool)] < operating_point(1)).all()


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(1e-6, 0.1), st.floats(1e-6, 0.1))
def test_the_operating_point_rises_with_the_catalog_and_falls_with_the_budget(one, other, tight, loose):
    smaller, larger = sorted((one, other))
    tight, loose = sorted((tight, loose))
    assert LEAST <= operating_point(smaller) <= operating_point(larger) <= MOST
    assert operating_point(larger, per_listing=tight) >= operating_point(larger, per_listing=loose)


def test_the_operating_point_gives_back_the_table_of_false_matches(stored):
    tail = stored["false_matches"]
    model = SamePhoto.read(stored)
    for per_query, log_odds in zip(tail["per_query"], tail["log_odds"], strict=True):
        assert model.tail.reached_by(per_query, tail["pictures"]) == pytest.approx(log_odds)
        assert model.tail.reached_by(per_query * 10, tail["pictures"] * 10) == pytest.approx(log_odds)


def test_beyond_the_table_false_matches_are_taken_to_fall_exponentially(stored):
    tail = stored["false_matches"]
    reached = SamePhoto.read(stored).tail.reached_by(tail["per_query"][-1] / math.e**3, tail["pictures"])
    assert reached == pytest.approx(tail["log_odds"][-1] + 3 * tail["scale"])


def test_an_unbounded_operating_point_meets_its_budget(stored):
    """From probability back to false matches a listing."""
    tail, pictures = stored["false_matches"], 100_000
    point = operating_point(pictures)
    log_odds = math.log(point / (1 - point))
    per_query = tail["per_query"][-1] * math.exp(-(log_odds - tail["log_odds"][-1]) / tail["scale"])
    per_listing = per_query * pictures / tail["pictures"] * PICTURES_PER_LISTING
    assert LEAST < point < MOST
    assert per_listing == pytest.approx(FALSE_MATCHES_PER_LISTING)


def test_every_curve_bends_one_way(stored):
    for name, curve in stored["curves"].items():
        against = name in SPEAKS_AGAINST or name.endswith("_off")
        steps = np.diff(curve["log_odds"]) * (-1 if against else 1)
        assert (np.diff(curve["knots"]) > 0).all()
        assert (steps >= -1e-9).all(), name


def test_the_file_says_what_it_was_fitted_on_and_how_it_did(stored):
    assert {"recipe", "fitted_on", "fitted_by", "provenance", "photos", "growth"} <= stored.keys()
    aside = stored["set_aside"]
    assert aside["recall"]["1000"] > 0.94
    assert aside["false_matches"]["10000"]["strangers"]["pictures"] == 0
    assert stored["calibration"]["expected_error"] < 0.03


def test_the_page_about_matching_names_the_fitted_operating_points(stored):
    page = COEFFICIENTS_FILE.parents[2].joinpath("docs", "matching.md").read_text(encoding="utf-8")
    points = [f"{operating_point(size):.3f}" for size in (1_000, 10_000, 100_000, 1_000_000)]
    recall = [f"{stored['set_aside']['recall'][size]:.1%}".replace("%", " %") for size in ("1000", "10000", "100000")]
    assert f"| operating point | {' | '.join(points)} |" in page
    assert " | ".join(recall) in page
