"""What a property that fails tells, and how soon."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.full_run import FULL


def test_a_property_that_fails_prints_its_example_and_how_to_draw_it_again():
    drawn = []

    @given(number=st.integers(min_value=10))
    def never_large(number):
        drawn.append(number)
        assert number < 10

    with pytest.raises(AssertionError) as failed:
        never_large()
    told = "\n".join(failed.value.__notes__)
    assert f"number={drawn[-1]}," in told
    assert "@reproduce_failure" in told


@pytest.mark.skipif(FULL, reason="looks for the smallest example")
def test_a_property_that_fails_is_told_at_once():
    drawn = []

    @given(number=st.integers())
    def fails(number):
        drawn.append(number)
        raise AssertionError

    with pytest.raises(AssertionError):
        fails()
    assert len(drawn) < 5
