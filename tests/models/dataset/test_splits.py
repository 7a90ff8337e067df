from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import LeakError
from models.dataset.photo_clusters import photo_clusters
from models.dataset.splits import check_split, prequential_folds

DELAY = timedelta(days=7)


@pytest.fixture
def folds(market):
    return prequential_folds(market, folds=3, delay=DELAY)


def test_folds_come_in_order_of_time_and_pass_the_check(market, folds):
    check_split(market, folds)
    assert [fold.number for fold in folds] == [1, 2, 3]
    assert all(earlier.end == later.cut for earlier, later in itertools.pairwise(folds))
    assert len(folds[0].train) < len(folds[1].train) < len(folds[2].train)


def test_decided_rows_are_shared_out_about_equally(market, folds):
    counts = [int(market["y"].iloc[fold.test].notna().sum()) for fold in folds]
    assert max(counts) - min(counts) <= 2


def test_rows_that_share_photos_with_a_decided_test_row_are_dropped_from_training_and_counted(market):
    shared = market.assign(photo_cluster=np.where(market.index % 40 == 0, -1, market["photo_cluster"]))
    plain = prequential_folds(market.assign(photo_cluster=market["listing_key"]), folds=2, delay=DELAY)
    folds = prequential_folds(shared, folds=2, delay=DELAY)
    check_split(shared, folds)
    for before, after in zip(plain, folds, strict=True):
        assert len(after.train) < len(before.train)
        assert len(after.train) + after.left_out == len(before.train) + before.left_out
        assert after.test.tolist() == before.test.tolist()


def planted(market, folds, **columns):
    """Change rows of the examples after the folds were made, as a bug upstream would."""
    changed = market.copy()
    for name, (row, value) in columns.items():
        changed.loc[row, name] = value
    return changed


@pytest.mark.parametrize(
    ("leak", "word"),
    [("seller", "seller"), ("photo", "photo cluster"), ("late_label", "became known after"), ("undecided", "decision")],
)
def test_a_planted_leak_is_named(market, folds, leak, word):
    fold = folds[1]
    learned = int(fold.train[0])
    judged = int(fold.test[market["y"].iloc[fold.test].notna().to_numpy()][0])
    change = {
        "seller": {"seller_key": (learned, market["seller_key"].iloc[judged])},
        "photo": {"photo_cluster": (learned, market["photo_cluster"].iloc[judged])},
        "late_label": {"known_at": (learned, fold.cut + timedelta(seconds=1))},
        "undecided": {"y": (learned, np.nan)},
    }[leak]
    with pytest.raises(LeakError, match=rf"fold 2: 1 .*{word}"):
        check_split(planted(market, folds, **change), folds)


def test_rows_moved_between_training_and_test_are_named_all_at_once(market, folds):
    first, second, third = folds
    inside_the_gap = np.flatnonzero((market["as_of"] > second.cut - DELAY) & (market["as_of"] <= second.cut))[:1]
    broken = replace(
        second,
        train=np.concatenate([second.train, inside_the_gap, second.test[:1]]),
        test=np.concatenate([second.test, first.test[-1:]]),
    )
    with pytest.raises(LeakError) as caught:
        check_split(market, [first, broken, third])
    said = str(caught.value)
    for word in ("in training and in test", "label delay", "lie outside", "earlier fold too"):
        assert word in said


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=14, unique=True),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.2, 0.5, 1.0])), max_size=5),
)
def test_photo_clusters_agree_with_spreading_labels_by_hand(shown, alike):
    sightings = pd.DataFrame(
        {
            "image_id": [f"i{image}" for image, _ in shown],
            "listing_key": [listing for _, listing in shown],
            "seller_key": [listing for _, listing in shown],
        }
    )
    pairs = pd.DataFrame(
        [(f"i{left}", f"i{right}", same) for left, right, same in alike],
        columns=["image_id", "other_image_id", "same_photo"],
    )
    cluster = {listing: listing for _, listing in shown}
    known = {image for image, _ in shown}
    for _ in range(20):
        for image, listing in shown:
            for other_image, other in shown:
                tied = image == other_image or any(
                    {left, right} == {image, other_image} and same >= 0.5 and {left, right} <= known
                    for left, right, same in alike
                )
                if tied:
                    cluster[listing] = cluster[other] = min(cluster[listing], cluster[other])
    assert photo_clusters(sightings, pairs).to_dict() == cluster


def test_a_placeholder_ties_nobody():
    sightings = pd.DataFrame({"image_id": "hub", "listing_key": range(30), "seller_key": range(30)})
    pairs = pd.DataFrame({"image_id": ["hub"], "other_image_id": ["hub"], "same_photo": [1.0]})
    assert photo_clusters(sightings, pairs, max_sellers=29).tolist() == list(range(30))
    assert photo_clusters(sightings, pairs, max_sellers=30).tolist() == [0] * 30
