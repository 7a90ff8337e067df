"""The monitor as it is run: on an empty home, on one in which something went wrong, and inside a flow."""

from __future__ import annotations

import pandas as pd
import pytest

from data.catalog.database.frames import upsert
from data.catalog.database.schema import fetches
from data.catalog.market.listings import save_labels
from data.catalog.market.scoring_moments import all_moments
from data.catalog.scores.random_samples import draw_audits
from data.catalog.scores.scores import PROMOTED, record_model
from data.errors import ExitCode, ModelError
from data.settings import load_settings
from flows.runtime.events import announce
from models.estimator.rule import RULE_ID
from models.monitoring.checks import State
from models.serving.context import open_context
from models.serving.monitor_home import CHECKS, as_rows, checks
from models.serving.pictures.match_pictures import match
from models.serving.scoring import score_listings
from tests.data.catalog.rows import day, labels, moment
from tests.flows.filled import as_file, ask, fill_and_compare, json_rows, photo, posted

UNTIL = moment(63)


@pytest.fixture
def context(tmp_path):
    """A home with a listing a day by as many sellers; those of the last week show one seller's photo."""
    file = as_file(photo(0))
    rows = [posted(f"l{n}", f"s{n}", n, *([file] if n in {0, *range(57, 63)} else [])) for n in range(1, 63)]
    context = fill_and_compare(tmp_path / "home", posted("first", "owner", 0.5, file), *rows)
    with context.catalog.read() as connection:
        keys = list(all_moments(connection, None, None).itertuples(index=False, name=None))
    match(context, [key for key, _ in keys])
    score_listings.score_moments(context, keys, "r1")
    return context


def states(found):
    return {check.code: check.state for check in found}


def test_an_empty_home_says_what_it_lacks_and_alarms_nothing(tmp_path):
    context = open_context(load_settings(tmp_path / "home"))
    found, periods, model_id = checks(context, until=UNTIL, days=7)
    assert (len(found), periods.days, model_id) == (len(CHECKS), 7, RULE_ID)
    assert State.ALARM not in states(found).values()
    assert states(found)["freshness"] is State.UNKNOWN


def test_it_sees_hosts_fail_and_what_was_shared_and_queued(context):
    broken = [
        {"url_id": f"u{n}", "image_url": f"https://broken.example/{n}", "status": "failed", "reason": "timeout",
         "attempts": 1, "fetched_at": day(62)}
        for n in range(30)
    ]  # fmt: skip
    with context.catalog.write() as connection:
        upsert(connection, fetches, pd.DataFrame(broken))
        save_labels(connection, labels(*({"listing_id": f"l{n}", "labelled_at": day(n + 1)} for n in (57, 58))))
        draw_audits(connection, "r1", per_day=100, seed=1)
    found, _, _ = checks(context, until=UNTIL, days=7)
    told = {check.code: check for check in found}
    assert told["fetch_failures"].state is State.ALARM
    assert "broken.example gave no readable picture" in told["fetch_failures"].alarms[0].sentence
    assert told["hub_images"].table["sellers_new"].tolist() == [6]
    assert "of 6 new matches" in told["operating_point"].found
    assert told["match_rate"].table["matched"].sum() == 6
    assert "listings drawn at random" in told["audit"].found
    assert all(row["figures"] == [] or isinstance(row["figures"][0], dict) for row in as_rows(found))


def test_what_was_known_later_changes_nothing_of_a_past_look(context):
    before = as_rows(checks(context, until=moment(40), days=7)[0])
    with context.catalog.write() as connection:
        save_labels(connection, labels({"listing_id": "l30", "labelled_at": day(50)}))
    assert as_rows(checks(context, until=moment(40), days=7)[0]) == before


def test_a_model_that_is_gone_is_named(context):
    with context.catalog.write() as connection:
        record_model(connection, "hgb-gone", PROMOTED, "by hand", moment(1))
    with pytest.raises(ModelError, match="hgb-gone"):
        checks(context, until=UNTIL, days=7)


def test_events_outside_of_a_flow_go_nowhere(tmp_path):
    announce("seenbefore.monitor.done", tmp_path, {"alarms": 0})


def test_the_command_tells_writes_a_page_emits_events_and_fails_only_when_asked_to(
    context, prefect_server, capsys, tmp_path, monkeypatch
):
    sent = []
    monkeypatch.setattr("flows.runtime.events.emit_event", lambda **event: sent.append(event))
    home, page = context.settings.home, tmp_path / "pages" / "monitor.html"
    late = ["--until", "2026-05-01", "--out", page]
    assert ask(home, "monitor", *late, "--json") == ExitCode.DONE
    rows = json_rows(capsys.readouterr().out)
    assert len(rows) == len(CHECKS)
    assert set(rows[0]) == {"check", "state", "found", "alarms", "figures"}
    alarms = [alarm for row in rows for alarm in row["alarms"]]
    assert [event["event"] for event in sent] == ["seenbefore.monitor.alarm"] * len(alarms) + [
        "seenbefore.monitor.done"
    ]
    assert sent[0]["payload"]["sentence"] == alarms[0]["sentence"]
    assert sent[0]["resource"] == {"prefect.resource.id": "seenbefore.home.home", "seenbefore.home": str(home)}
    assert "Nothing new came in the last" in page.read_text()
    assert ask(home, "monitor", *late, "--fail-on-alarm") == ExitCode.OUTSIDE
    assert "Nothing new came in the last" in capsys.readouterr().out
