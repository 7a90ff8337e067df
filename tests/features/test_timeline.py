"""Timelines against counting by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.timeline import Timeline

small = st.integers(-2, 4)
events = st.lists(st.tuples(small, small), max_size=15)


@given(events, events)
def test_a_timeline_counts_what_happened_by_a_moment(happened, asked):
    keys, times = np.array(happened, np.int64).reshape(-1, 2).T
    asked_keys, asked_times = np.array(asked, np.int64).reshape(-1, 2).T
    timeline = Timeline.of(keys, times)
    until = [sum(key == k and time <= t for key, time in happened) for k, t in asked]
    before = [sum(key == k and time < t for key, time in happened) for k, t in asked]
    assert timeline.count(asked_keys, asked_times).tolist() == until
    start, stop, later = timeline.before(asked_keys, asked_times, asked_times + 1)
    assert (stop - start).tolist() == before
    assert (later - start).tolist() == until
    assert timeline.times.tolist() == times[timeline.order].tolist()


@given(events, events)
def test_the_latest_event_is_the_last_of_its_key_by_then(happened, asked):
    keys, times = np.array(happened, np.int64).reshape(-1, 2).T
    asked_keys, asked_times = np.array(asked, np.int64).reshape(-1, 2).T
    latest = Timeline.of(keys, times).latest(asked_keys, asked_times)
    for (key, time), row in zip(asked, latest, strict=True):
        known = [(t, position) for position, (k, t) in enumerate(happened) if k == key and t <= time]
        assert row == max(known, default=(None, -1))[1]
