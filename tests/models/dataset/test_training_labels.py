from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from models.dataset.examples import EXAMPLE_COLUMNS, make_examples, training_labels

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def label_frame(rows: list[tuple[int, str, int]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["listing_key", "label", "day"])
    known_at = pd.Timestamp(NOON) + pd.to_timedelta(frame["day"], unit="D")
    return frame.assign(known_at=known_at.astype("datetime64[us, UTC]")).drop(columns="day")


def moment_frame(keys: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"listing_key": keys}, index=[f"m{position}" for position in range(len(keys))])


def slow_label(rows: list[tuple[int, str, int]], key: int, until_day: int) -> float:
    strength = {"unsure": 0, "legit": 1, "fraud": 2}
    known = sorted((day, strength[label]) for listing, label, day in rows if listing == key and day <= until_day)
    return {2: 1.0, 1: 0.0}.get(known[-1][1], np.nan) if known else np.nan


@given(
    rows=st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from(["fraud", "legit", "unsure"]), st.integers(0, 6)), max_size=20
    ),
    until_day=st.integers(-1, 7),
)
def test_the_latest_label_known_by_the_moment_counts(rows, until_day):
    found = training_labels(moment_frame([1, 2, 3, 4, 1]), label_frame(rows), NOON + timedelta(days=until_day))
    expected = [slow_label(rows, key, until_day) for key in (1, 2, 3, 4, 1)]
    np.testing.assert_array_equal(found["y"].to_numpy(), expected)
    assert found["known_at"].isna().tolist() == np.isnan(expected).tolist()
    assert list(found.index) == ["m0", "m1", "m2", "m3", "m4"]


def test_a_label_learned_later_changes_nothing_known_before():
    early = [(1, "legit", 0)]
    before = training_labels(moment_frame([1]), label_frame(early), NOON + timedelta(days=3))
    after = training_labels(moment_frame([1]), label_frame([*early, (1, "fraud", 4)]), NOON + timedelta(days=3))
    pd.testing.assert_frame_equal(before, after)


def test_examples_leave_out_later_moments_and_keep_undecided_ones():
    moments = pd.DataFrame(
        {
            "listing_key": [3, 1, 2],
            "seller_key": [30, 10, 20],
            "as_of": pd.to_datetime([NOON + timedelta(days=day) for day in (9, 1, 0)], utc=True).as_unit("us"),
            "price": [1.0, np.nan, 3.0],
        }
    )
    features = pd.DataFrame({"images": [1.0, 2.0, 3.0]})
    examples = make_examples(
        moments,
        features,
        label_frame([(2, "fraud", 3)]).assign(source="desk"),
        clusters=pd.Series({1: 1, 3: 1}),
        until=NOON + timedelta(days=5),
    )
    assert set(examples.columns) == {*EXAMPLE_COLUMNS, "images", "source"}
    assert examples["source"].dropna().tolist() == ["desk"]
    assert examples["listing_key"].tolist() == [2, 1]
    assert examples["photo_cluster"].tolist() == [2, 1]
    np.testing.assert_array_equal(examples["y"], [1.0, np.nan])
    assert examples["images"].tolist() == [3.0, 2.0]
