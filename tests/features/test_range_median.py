"""Medians of stretches against numpy's, stretch by stretch."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import timeline
from features.timeline import range_medians

prices = st.sampled_from([0.5, 1.0, 1.0, 2.5, 3.0, 10.0, 99.99, 1e9])


@pytest.mark.parametrize("short", [0, 5, 64])
@settings(max_examples=150, deadline=None)
@given(st.data(), st.lists(prices, max_size=40))
def test_medians_are_numpys_whichever_stretches_are_short(short, data, values):
    ends = st.tuples(st.integers(0, len(values)), st.integers(0, len(values))).map(sorted)
    stretches = np.array(data.draw(st.lists(ends, max_size=20)), np.int64).reshape(-1, 2)
    values = np.array(values, np.float64)
    expected = [np.median(values[start:stop]) if stop > start else np.nan for start, stop in stretches]
    with mock.patch.multiple(timeline, FEW=0, SHORT=short, AT_ONCE=3):
        found = range_medians(values, stretches[:, 0], stretches[:, 1])
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(range_medians(values, stretches[:, 0], stretches[:, 1]), expected)
