"""The first number below a limit, against looking at one after another."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.timeline import FirstBelow

numbers = st.lists(st.integers(-5, 5), max_size=40)


@given(numbers, st.data())
def test_the_first_number_below_a_limit_is_the_one_found_by_looking_at_each(values, data):
    place = st.integers(0, len(values))
    asked = data.draw(st.lists(st.tuples(place, place, st.integers(-6, 6)), min_size=1, max_size=10))
    start, stop, limit = np.array([(min(a, b), max(a, b), below) for a, b, below in asked]).T
    expected = [
        next((at for at in range(*span) if values[at] < below), span[1])
        for span, below in zip(zip(start, stop, strict=True), limit, strict=True)
    ]
    table = FirstBelow.of(np.array(values, np.int64), int((stop - start).max()))
    assert table.find(start, stop, limit).tolist() == expected


def test_a_table_of_short_ranges_is_small():
    values = np.arange(1000)
    assert len(FirstBelow.of(values, 3).minima) == 2
    assert len(FirstBelow.of(values, 0).minima) == 1
    assert len(FirstBelow.of(values, 10_000).minima) == 10
