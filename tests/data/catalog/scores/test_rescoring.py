"""Scoring again keeps what was said before."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from data.catalog.database.frames import read_frame
from data.catalog.database.schema import features, past_features, past_scores, scores
from data.catalog.scores.rescoring import Revised, Revision, revise_features, revise_scores
from data.catalog.scores.scores import VECTOR, rank_run
from tests.data.catalog.rows import day, moment

SPEC = "spec-1"


def scored(*keys, model_id="m", score=0.25, owner=None, **said):
    """Score rows of some listings, all as of day 1."""
    rows = pd.DataFrame({"listing_key": keys, "as_of": day(1), "observed_at": day(1), "model_id": model_id})
    owners = pd.Series([owner] * len(keys), dtype="Int64")
    rows = rows.assign(score=score, rank=1, band="low", reasons="[]", spec=SPEC, first_seller_key=owners)
    return rows.assign(first_listing_key=owners, matched_images=0, images=2, run_id="r1").assign(**said)


def by(run_id, on=9):
    return Revision(run_id=run_id, now=moment(on))


@pytest.fixture
def revise(catalog):
    """Revise scores in a transaction of their own."""

    def run(rows, revision):
        with catalog.write() as connection:
            return revise_scores(connection, rows, revision)

    return run


@pytest.fixture
def kept(catalog):
    """All rows of a table, in order."""

    def read(table):
        with catalog.read() as connection:
            return read_frame(connection, select(table).order_by(table.c.listing_key))

    return read


def test_the_same_said_again_writes_nothing(revise, kept):
    rows = scored(1, 2, owner=2**62 + 1)
    assert revise(rows, by("b1")) == Revised(added=2, changed=0, unchanged=0)
    before = kept(scores)
    again = rows.assign(run_id="r2", rank=7)
    assert revise(again, by("b2")) == Revised(added=0, changed=0, unchanged=2)
    pd.testing.assert_frame_equal(kept(scores), before)
    assert kept(past_scores).empty


@pytest.mark.parametrize(
    ("column", "value"),
    [("score", np.nextafter(0.25, 1)), ("reasons", '[{"code": "x"}]'), ("band", "high"), ("spec", "spec-2"),
     ("matched_images", 1), ("first_seller_key", pd.array([2**62 + 1], dtype="Int64")[0])],
)  # fmt: skip
def test_what_says_otherwise_replaces_and_the_old_one_is_kept_whole(revise, kept, column, value):
    rows = scored(1, 2, 3)
    revise(rows, by("b1"))
    other = rows.copy()
    other.loc[1, column] = value
    assert revise(other.assign(run_id="r2"), by("b2")) == Revised(added=0, changed=1, unchanged=2)
    now, old = kept(scores), kept(past_scores)
    assert now["run_id"].tolist() == ["r1", "r2", "r1"]
    assert now[column].tolist()[1] == value
    assert old[["listing_key", "run_id", "replaced_by"]].to_numpy().tolist() == [[2, "r1", "b2"]]
    assert old["replaced_at"].tolist() == [day(9)]
    assert old["score"].tolist() == [0.25]


def test_scores_of_another_model_stay(revise, kept):
    revise(scored(1, model_id="old"), by("b1"))
    assert revise(scored(1, model_id="new", score=0.9), by("b2")) == Revised(added=1, changed=0, unchanged=0)
    assert sorted(kept(scores)["model_id"]) == ["new", "old"]


def test_vectors_that_differ_in_one_bit_are_replaced_and_the_old_bytes_kept(catalog, kept):
    moments = pd.DataFrame({"listing_key": [1, 2], "as_of": [day(1), day(1)]})
    first = pd.DataFrame({"a": [np.nan, 1.0], "b": [0.0, 2.0]})
    second = first.assign(b=[0.0, np.nextafter(2.0, 3)])
    for vectors, revision in ((first, by("b1", 8)), (first, by("b2", 9)), (second, by("b3", 10))):
        with catalog.write() as connection:
            revise_features(connection, moments, vectors, SPEC, revision)
    stored = np.frombuffer(b"".join(kept(features)["vector"]), VECTOR).reshape(2, 2)
    assert stored.tobytes() == second.to_numpy(VECTOR).tobytes()
    old = kept(past_features)
    assert old["listing_key"].tolist() == [2]
    assert old["vector"].tolist() == [first.to_numpy(VECTOR)[1].tobytes()]
    assert old["replaced_by"].tolist() == ["b3"]


def test_a_run_is_ranked_by_score_then_time_then_listing(catalog, revise, kept):
    rows = scored(1, 2, 3, 4, score=[0.1, 0.9, 0.9, 0.5])
    revise(rows, by("b1"))
    revise(scored(5, model_id="other", score=0.95, run_id="r2"), by("b1"))
    with catalog.write() as connection:
        rank_run(connection, "r1")
        rank_run(connection, "nobody")
    assert kept(scores)["rank"].tolist() == [4, 1, 2, 3, 1]
