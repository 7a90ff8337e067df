"""Verdicts given at the desk are counted in the card of the model that the next training makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from data.catalog.feature_facts import ANALYST
from data.synthetic.market import make_market, write_market
from flows.start import started
from review.access.authentication import TokenAuthenticator
from review.access.roles import Role, User
from review.access.sessions import COOKIE, Sessions
from review.application import create_app
from tests.journeys.conftest import Home, opened_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 180
LISTINGS, SEED = 900, 4
JUDGED_ON = START + timedelta(days=DAYS)
VERDICTS = 25


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Iterator[tuple[Home, pd.DataFrame]]:
    """A home with scored listings and some labels from outside, and the truth of its market."""
    folder = tmp_path_factory.mktemp("verdicts")
    whole = make_market(listings=LISTINGS, seed=SEED, start=START, days=DAYS)
    # Who is a fraud shows in words, prices and accounts, too: no picture is needed to learn something.
    market = replace(whole, listings=whole.listings.assign(image_urls="[]"), pictures=whole.pictures[:0])
    files = write_market(market, folder)
    with opened_home(folder / "home") as home, started(home.path, "verdicts"):
        from flows.run import run

        run(str(files.listings_first), sellers=str(files.sellers), labels=str(files.labels), home=str(home.path))
        yield home, market.truth.set_index("listing_id")


def judge(home: Home, listing_keys: dict[str, int], truth: pd.DataFrame) -> None:
    """Say of each listing at the desk what is true of it."""
    sessions = Sessions(b"a secret of the tests, 32 bytes.")
    app = create_app(home.context, TokenAuthenticator(sessions), lambda: JUDGED_ON)
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as desk:
        cookie = sessions.begin(User("ada", Role.ANALYST))
        session = sessions.read(cookie)
        assert session
        desk.cookies.set(COOKIE, cookie)
        for listing_id, key in listing_keys.items():
            verdict = "fraud" if truth.loc[listing_id, "fraud"] else "legit"
            form = {"csrf": session.csrf_token, "verdict": verdict, "seen_version": 0}
            assert desk.post(f"/cases/{key}/verdict", data=form).status_code == 303


def card_after_training(home: Home, until: datetime) -> dict[str, Any]:
    from flows.retrain import retrain

    summary = retrain(until=until, promote="never", home=str(home.path))
    return home.context.registry.card(summary["model_id"])


@pytest.mark.slow
@pytest.mark.usefixtures("few_trees")
def test_the_next_training_counts_what_was_said_at_the_desk(scored: tuple[Home, pd.DataFrame]) -> None:
    home, truth = scored
    with home.context.catalog.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT DISTINCT l.listing_id, l.listing_key FROM listings l JOIN cases c USING (listing_key) "
            "WHERE l.listing_id NOT IN (SELECT listing_id FROM labels) ORDER BY l.listing_id"
        ).all()
    undecided = dict(map(tuple, rows[:VERDICTS]))
    assert len(undecided) == VERDICTS

    until = JUDGED_ON + timedelta(seconds=1)
    before = card_after_training(home, until)
    judge(home, undecided, truth)
    earlier = card_after_training(home, JUDGED_ON - timedelta(seconds=1))
    after = card_after_training(home, until)

    frauds = int(truth.loc[list(undecided), "fraud"].sum())
    assert ANALYST not in before["data"]["labels_by_source"]
    assert ANALYST not in earlier["data"]["labels_by_source"]
    assert after["data"]["labels_by_source"][ANALYST] == VERDICTS
    assert after["data"]["fraud"] == before["data"]["fraud"] + frauds
    assert after["data"]["legit"] == before["data"]["legit"] + VERDICTS - frauds
