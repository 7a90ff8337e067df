"""Numbers read off a transform must be those it was made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.keypoints.orientations import MATRICES
from features.registration import affine
from features.registration.edits import placements
from features.registration.registration import OVERLAY
from features.registration.thumbnail_comparison import is_located

ASKED, KNOWN = np.array([900.0, 500.0]), np.array([640.0, 480.0])


def overlays(transform: np.ndarray, **fields: int) -> np.ndarray:
    made = np.zeros(1, OVERLAY)
    made["transform"] = transform
    for name, value in ({"matches": 40, "textured": 60, "agreeing": 60} | fields).items():
        made[name] = value
    return made


def shape_of(orientation: int, degrees: float, scale: float, squeeze: float) -> np.ndarray:
    """In pixels: bring into an orientation, squeeze, then turn clockwise (rows go down)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    stretched = np.diag([squeeze**0.5, squeeze**-0.5]) * scale
    return np.array([[c, -s], [s, c]]) @ stretched @ MATRICES[orientation]


@given(st.integers(0, 7), st.floats(-40, 40), st.floats(0.1, 8), st.floats(1, 1.2))
def test_a_lead_gives_back_what_it_was_made_of(orientation, degrees, scale, squeeze):
    shape = shape_of(orientation, degrees, scale, squeeze) * KNOWN / ASKED[:, None]
    found = placements(overlays(np.column_stack([shape, [0.1, 0.2]])), ASKED[None], KNOWN[None])
    assert found.located.all()
    assert found.orientation.tolist() == [orientation]
    np.testing.assert_allclose(found.tilt_degrees, degrees, atol=1e-6)
    np.testing.assert_allclose(found.scale, scale)
    np.testing.assert_allclose(found.squeeze, squeeze, atol=1e-6)


def test_insets_say_how_far_each_side_lies_within_the_other_picture():
    transform = np.array([[0.5, 0, 0.1], [0, 0.5, 0.3]])
    found = placements(overlays(transform), ASKED[None], KNOWN[None])
    np.testing.assert_allclose(found.reference_inset[0], [0.1, 0.3, 0.4, 0.2])
    np.testing.assert_allclose(found.query_inset[0], [-0.2, -0.6, -0.8, -0.4])


@given(st.integers(0, 10**6))
def test_the_way_back_undoes_the_way_there(seed):
    rng = np.random.default_rng(seed)
    transform = rng.uniform(-1, 1, (3, 2, 3)) + 3 * np.eye(2, 3)
    places = rng.random((5, 2))
    np.testing.assert_allclose(
        affine.apply(affine.invert(transform), affine.apply(transform, places)),
        np.broadcast_to(places, (3, 5, 2)),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("fields", "located"),
    [
        ({}, True),
        ({"matches": 0}, True),  # the blocks alone tell it
        ({"agreeing": 16}, True),  # most is hidden, but the points agree
        ({"agreeing": 16, "matches": 3}, False),
        ({"agreeing": 3}, False),
        ({"textured": 0, "agreeing": 0, "matches": 0}, False),
    ],
)
def test_a_place_is_believed_when_points_or_blocks_confirm_it(fields, located):
    assert is_located(overlays(np.eye(2, 3), **fields)).tolist() == [located]


def test_a_lead_that_crushes_a_picture_to_a_line_is_not_believed():
    made = overlays(np.array([[1.0, 0, 0], [1, 0, 0]]))
    found = placements(made, ASKED[None], KNOWN[None])
    assert not found.located.any()
    np.testing.assert_array_equal(found.transform[0], np.eye(2, 3))
