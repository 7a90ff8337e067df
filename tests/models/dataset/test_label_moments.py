"""The one moment at which a listing is learned from."""

from __future__ import annotations

import pandas as pd
import pytest

from models.dataset.examples import label_moments
from tests.data.catalog.rows import TIME, day


def moments(*rows: tuple[int, float]) -> pd.DataFrame:
    frame = pd.DataFrame({"listing_key": [key for key, _ in rows], "as_of": [day(at) for _, at in rows]})
    return frame.astype({"listing_key": "int64", "as_of": TIME})


def labels(*rows: tuple[int, float]) -> pd.DataFrame:
    frame = pd.DataFrame({"listing_key": [key for key, _ in rows], "known_at": [day(at) for _, at in rows]})
    return frame.astype({"listing_key": "int64", "known_at": TIME})


def chosen(of: pd.DataFrame, decided: pd.DataFrame) -> list[tuple[int, pd.Timestamp]]:
    return list(label_moments(of, decided)[["listing_key", "as_of"]].itertuples(index=False, name=None))


def test_a_decided_listing_is_judged_at_its_last_moment_before_the_first_decision():
    known = moments((1, 0), (1, 2), (1, 5), (2, 3), (3, 1), (3, 4))
    assert chosen(known, labels((1, 9), (1, 4), (2, 1))) == [(1, day(2)), (2, day(3)), (3, day(4))]


def test_a_decision_at_the_very_moment_counts_as_later():
    assert chosen(moments((1, 0), (1, 2)), labels((1, 2))) == [(1, day(2))]


@pytest.mark.parametrize("known", [moments(), moments((2, 3), (1, 0), (1, 2))])
def test_without_any_label_each_listing_is_judged_at_its_last_moment(known):
    assert chosen(known, labels()) == [(1, day(2)), (2, day(3))][: len(known)]
