"""Scoring again gives what scoring gave, byte for byte, and keeps what it replaces."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest
from sqlalchemy import delete, select

from data.catalog.database.frames import read_frame
from data.catalog.database.schema import features, past_features, past_scores, scores
from data.catalog.market.listings import save_labels
from data.catalog.market.scoring_moments import all_moments, unscored_moments
from data.catalog.scores.rescoring import Revision
from data.errors import EmptySpan, ExitCode, ModelError
from models.estimator.rule import RULE_ID
from models.serving.pictures.match_pictures import match
from models.serving.scoring import score_listings
from models.serving.scoring.backfill_scores import group_of, moments_between, rescore
from tests.data.catalog.rows import day, labels, moment
from tests.flows.filled import as_file, ask, fill_and_compare, json_rows, photo, posted, smaller

PLACE = ["rank", "run_id"]
SINCE, UNTIL = moment(0), moment(10)
GROUP = group_of(SINCE, UNTIL, RULE_ID)


@pytest.fixture
def context(tmp_path):
    """A home with an honest seller, two who take photos, one with several listings and one without photos."""
    files = [as_file(photo(number)) for number in range(4)]
    again = as_file(smaller(photo(0)), "PNG")
    rows = [
        posted("a1", "anna", 1, files[0], files[1]),
        posted("b1", "bert", 2, again),
        posted("c1", "carl", 3, files[1], files[2]),
        posted("a2", "anna", 4, files[3]),
        posted("b2", "bert", 5, files[2], files[3]),
        posted("d1", "dora", 6),
    ]
    context = fill_and_compare(tmp_path / "home", *rows)
    with context.catalog.read() as connection:
        keys = all_moments(connection, None, None)["listing_key"]
    match(context, keys.unique().tolist())
    return context


def by(run_id):
    return Revision(run_id=run_id, now=moment(100))


def again(context, keys, run_id="b1"):
    """Score some moments again by the rule."""
    return rescore(context, keys, model_id=RULE_ID, group=GROUP, revision=by(run_id))


def stored(context, table, *, without=()):
    """All rows of a table, in order."""
    with context.catalog.read() as connection:
        order = list(table.primary_key)
        return read_frame(connection, select(table).order_by(*order)).drop(columns=list(without))


def cleared(context):
    with context.catalog.write() as connection:
        connection.execute(delete(scores))
        connection.execute(delete(features))


def day_by_day(context):
    """Score as a daily schedule does: whatever is not scored yet, a day at a time."""
    for number in range(10):
        with context.catalog.read() as connection:
            moments = unscored_moments(connection, None, moment(number))
        if len(moments):
            score_listings.score_moments(context, list(moments.itertuples(index=False, name=None)), f"day-{number}")


def one_by_one(context):
    """Score each listing alone, the last one first."""
    with context.catalog.read() as connection:
        moments = all_moments(connection, None, None)
    for key in reversed(list(moments.itertuples(index=False, name=None))):
        score_listings.score_moments(context, [key], "single")


def backfilled(context):
    """Score the whole span at once."""
    again(context, moments_between(context, SINCE, UNTIL))


def test_daily_single_and_backfill_give_the_same_bytes(context):
    told = []
    for way in (day_by_day, one_by_one, backfilled):
        cleared(context)
        way(context)
        told.append((stored(context, features), stored(context, scores, without=PLACE)))
    assert len(told[0][0]) == 6
    assert told[0][1]["matched_images"].sum() > 0
    for vectors, rows in told[1:]:
        assert vectors["vector"].tolist() == told[0][0]["vector"].tolist()
        pd.testing.assert_frame_equal(rows, told[0][1], check_exact=True)


def test_what_was_scored_day_by_day_is_as_before(context):
    day_by_day(context)
    before = stored(context, scores)
    counts = again(context, moments_between(context, SINCE, UNTIL))
    assert (counts["scored"], counts["as_before"]) == (6, 6)
    pd.testing.assert_frame_equal(stored(context, scores), before)
    assert stored(context, past_scores).empty


def test_a_fact_that_came_late_but_is_older_changes_the_score_and_the_old_one_is_kept(context):
    day_by_day(context)
    before = stored(context, scores)
    with context.catalog.write() as connection:
        # Decided on day 3 and loaded only now: the next listing of that seller would have been described otherwise.
        save_labels(connection, labels({"listing_id": "b1", "labelled_at": day(3)}))
    counts = again(context, moments_between(context, SINCE, UNTIL), "b7")
    now, old, vectors = stored(context, scores), stored(context, past_scores), stored(context, past_features)
    assert len(vectors) == 1
    assert vectors["replaced_by"].tolist() == ["b7"]
    assert counts["scored_otherwise"] == len(old)
    earlier = before["as_of"] < day(3)
    pd.testing.assert_frame_equal(now[earlier], before[earlier])
    replaced = before.merge(old[["listing_key", "as_of"]], on=["listing_key", "as_of"])
    pd.testing.assert_frame_equal(old[list(before.columns)], replaced, check_dtype=False)


def test_a_run_that_was_interrupted_and_begun_again_ends_as_an_undisturbed_one(context):
    keys = moments_between(context, SINCE, UNTIL)
    again(context, keys)
    score_listings.rank(context, GROUP)
    undisturbed = stored(context, scores)
    cleared(context)
    again(context, keys[:2], "killed")
    for start in range(0, len(keys), 3):
        again(context, keys[start : start + 3], "begun again")
    score_listings.rank(context, GROUP)
    pd.testing.assert_frame_equal(stored(context, scores), undisturbed)
    assert sorted(undisturbed["rank"]) == list(range(1, 7))
    assert stored(context, past_scores).empty


def test_a_span_takes_in_both_its_ends_and_nothing_else(context):
    found = moments_between(context, moment(2), moment(4))
    assert [at for _, at in found] == [day(2), day(3), day(4)]


def test_an_empty_span_says_what_there_is(context):
    with pytest.raises(EmptySpan, match="from 2026-01-02T00:00:00Z to 2026-01-07T00:00:00Z") as raised:
        moments_between(context, moment(200), moment(300))
    assert raised.value.exit_code == ExitCode.CALLER


def test_an_unknown_model_is_refused_before_anything_is_written(context):
    with pytest.raises(ModelError, match="there is no such model"):
        rescore(context, moments_between(context, SINCE, UNTIL), model_id="hgb-0", group="g", revision=by("b"))
    assert stored(context, scores).empty


def test_the_group_depends_on_span_and_model_alone():
    assert group_of(SINCE, UNTIL, RULE_ID) == GROUP
    assert len({GROUP, group_of(SINCE, UNTIL + timedelta(days=1), RULE_ID), group_of(SINCE, UNTIL, "hgb-1")}) == 3


def test_the_command_needs_both_ends_in_their_order(tmp_path, capsys):
    for arguments, sentence in (
        (["--since", "2026-01-01"], "Missing option '--until'"),
        (["--since", "2026-01-02", "--until", "2026-01-01"], "expected a time not before --since"),
        (["--since", "soon", "--until", "2026-01-01"], "expected a time such as"),
    ):
        assert ask(tmp_path / "home", "backfill", *arguments) == ExitCode.CALLER
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_the_command_scores_records_and_tells(context, prefect_server, capsys):
    home = context.settings.home
    span = ["--since", "2026-01-01", "--until", "2026-02-01", "--json"]
    assert ask(home, "backfill", *span) == ExitCode.DONE
    (told,) = json_rows(capsys.readouterr().out)
    assert (told["model_id"], told["moments"], told["scored_first"]) == (RULE_ID, 6, 6)
    assert ask(home, "backfill", *span, "--model", RULE_ID) == ExitCode.DONE
    (told,) = json_rows(capsys.readouterr().out)
    assert (told["scored_first"], told["scored_otherwise"], told["as_before"]) == (0, 0, 6)
    assert sorted(stored(context, scores)["rank"]) == list(range(1, 7))
    assert ask(home, "backfill", "--since", "2027-01-01", "--until", "2027-02-01") == ExitCode.CALLER
    assert "Give a --since and an --until" in capsys.readouterr().err
