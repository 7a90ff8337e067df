"""A victim that is crawled after the thief: the thief is scored anew, and nothing that was known before is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import select

from data.catalog.database.frames import joined_keys, read_frame
from data.catalog.database.schema import features, scores
from data.catalog.market.matches import unmatched_listings
from data.catalog.market.scoring_moments import unscored_moments
from models.serving.pictures.match_pictures import match, reopen_listings
from models.serving.scoring.score_listings import score_moments
from tests.data.catalog.rows import day
from tests.flows.filled import as_file, fill_and_compare, photo, posted

if TYPE_CHECKING:
    from pathlib import Path

    from models.serving.context import Context

SET = tuple(as_file(photo(number)) for number in range(3))


def key(listing_id: str) -> int:
    return int(joined_keys(["default"], [listing_id])[0])


def run(home: Path, *rows: dict[str, object]) -> Context:
    """What ``run`` does with a table, without its flow."""
    context = fill_and_compare(home, *rows)
    reopen_listings(context)
    with context.catalog.read() as connection:
        unmatched = unmatched_listings(connection)
    match(context, unmatched)
    with context.catalog.read() as connection:
        moments = unscored_moments(connection, None, None)
    if len(moments):
        score_moments(context, list(moments.itertuples(index=False, name=None)), f"run {len(rows)}")
    return context


def kept(context: Context, listing_id: str) -> tuple[pd.DataFrame, list[bytes]]:
    """The scores of a listing and the vectors behind them, by moment."""
    with context.catalog.read() as connection:
        rows = read_frame(connection, select(scores).where(scores.c.listing_key == key(listing_id)))
        vectors = read_frame(connection, select(features).where(features.c.listing_key == key(listing_id)))
    return rows.sort_values("as_of", ignore_index=True), vectors.sort_values("as_of")["vector"].tolist()


def test_a_thief_is_scored_anew_when_the_victim_becomes_known_and_the_first_score_stays(tmp_path: Path) -> None:
    home = tmp_path / "home"
    stolen = posted("stolen", "thief", 5, *SET) | {"price": 50.0}
    before, vectors_before = kept(run(home, stolen), "stolen")
    original = posted("original", "victim", 1, *SET) | {"observed_at": day(9), "price": 100.0}
    context = run(home, original)
    after, vectors = kept(context, "stolen")
    assert after["as_of"].tolist() == [day(5), day(9)]
    pd.testing.assert_frame_equal(after.iloc[:1], before, check_dtype=False)
    assert vectors[:1] == vectors_before
    assert before["first_listing_key"].isna().all()
    accused = after.iloc[1]
    assert (accused["first_listing_key"], accused["matched_images"]) == (key("original"), 3)
    assert (accused["band"], accused["score"] > 20 * before["score"][0]) == ("high", True)
    copied, _ = kept(context, "original")
    assert (copied["as_of"].tolist(), copied["band"].tolist()) == ([day(9)], ["low"])
    run(home, posted("again", "other", 20, SET[0]))
    pd.testing.assert_frame_equal(kept(context, "stolen")[0], after)
    pd.testing.assert_frame_equal(kept(context, "original")[0], copied)


def test_a_victim_that_was_known_first_is_scored_once_however_many_copy_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    before, vectors = kept(run(home, posted("original", "victim", 1, *SET)), "original")
    context = run(home, posted("stolen", "thief", 5, *SET), posted("too", "another", 6, *SET))
    after, vectors_after = kept(context, "original")
    pd.testing.assert_frame_equal(after, before)
    assert (len(after), after["band"].tolist(), vectors_after) == (1, ["low"], vectors)
