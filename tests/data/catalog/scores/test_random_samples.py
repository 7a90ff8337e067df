"""Listings drawn at random: as many as asked, always the same ones, whatever they score and however runs are cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data.catalog.scores.random_samples import AUDIT_WINDOW, COLUMNS, all_audits, draw_audits
from data.catalog.scores.scores import save_scores
from tests.data.catalog.rows import day


def score(connection, days: np.ndarray, run_id: str, first_key: int = 0) -> None:
    """Keep a score for each of the given days."""
    rows = pd.DataFrame({"listing_key": np.arange(first_key, first_key + len(days)) * 7_919, "as_of": map(day, days)})
    rows["as_of"] = rows["as_of"].astype("datetime64[us, UTC]")
    nothing = pd.Series([None] * len(rows), dtype="Int64")
    save_scores(
        connection,
        rows.assign(
            model_id="m", observed_at=rows["as_of"], score=rows["listing_key"] % 100 / 100, rank=1, band="low",
            reasons="[]", spec="s", first_seller_key=nothing, first_listing_key=nothing, matched_images=0, images=1,
            run_id=run_id,
        ),
    )  # fmt: skip


def drawn(connection) -> set[tuple[int, pd.Timestamp]]:
    return set(all_audits(connection)[["listing_key", "as_of"]].itertuples(index=False, name=None))


def test_about_as_many_are_drawn_a_day_as_asked_and_each_keeps_its_chance(catalog):
    with catalog.write() as connection:
        score(connection, np.linspace(0.01, 9.99, 2_000), "r")
        count = draw_audits(connection, "r", per_day=20, seed=0)
        found = all_audits(connection)
    assert tuple(found.columns) == COLUMNS
    assert found["propensity"].tolist() == [20 / 200] * count
    assert 150 < count < 250
    scores_of_drawn = found["listing_key"] % 100
    assert 35 < scores_of_drawn.mean() < 65


def test_a_rerun_changes_nothing_and_another_seed_draws_others(catalog):
    with catalog.write() as connection:
        score(connection, np.linspace(0, 5, 500), "r")
        draw_audits(connection, "r", per_day=20, seed=0)
        first = drawn(connection)
        score(connection, np.linspace(4, 5, 3_000), "later", first_key=1_000)
        assert draw_audits(connection, "r", per_day=20, seed=0) == 0
        assert drawn(connection) == first
        draw_audits(connection, "later", per_day=20, seed=1)
        assert first < drawn(connection)


def test_hourly_runs_draw_as_many_a_day_as_a_daily_one(catalog):
    rng_days = np.sort(np.random.default_rng(2).uniform(30, 32, 1_200))
    with catalog.write() as connection:
        score(connection, np.linspace(10.01, 29.99, 12_000), "before", first_key=50_000)
        for hour, part in enumerate(np.array_split(rng_days, 48)):
            score(connection, part, f"hour {hour}", first_key=100 * hour)
            draw_audits(connection, f"hour {hour}", per_day=60, seed=0)
        found = all_audits(connection)
    assert 80 < len(found) < 160
    assert found["propensity"].between(0.09, 0.11).all()


def test_of_a_first_load_of_years_only_the_last_weeks_are_drawn_from(catalog):
    with catalog.write() as connection:
        score(connection, np.linspace(0, 700, 3_000), "r")
        draw_audits(connection, "r", per_day=2, seed=0)
        found = all_audits(connection)
    assert len(found) > 20
    assert found["as_of"].min() > day(700) - AUDIT_WINDOW


@pytest.mark.parametrize(("per_day", "run_id"), [(0.0, "r"), (5.0, "a run without scores")])
def test_nothing_is_drawn_where_nothing_is_asked_or_there(catalog, per_day, run_id):
    with catalog.write() as connection:
        score(connection, np.array([1.0]), "r")
        assert draw_audits(connection, run_id, per_day=per_day, seed=0) == 0
        assert all_audits(connection).empty


def test_a_quiet_day_is_looked_at_whole(catalog):
    with catalog.write() as connection:
        score(connection, np.array([1.1, 1.2]), "r")
        assert draw_audits(connection, "r", per_day=5, seed=0) == 2
        assert all_audits(connection)["propensity"].tolist() == [1.0, 1.0]
