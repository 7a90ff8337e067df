"""When a schedule fires, what it says about its runs, and what a work pool is given."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ExitCode
from flows.cli.app import answer
from flows.runtime.cron import CronError, fire_times, local_zone
from flows.runtime.run_summary import Ended, summary_line

CHECKOUT = Path(__file__).resolve().parents[3]
DEPLOYMENTS = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())["deployments"]
DUE = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


def run_that(outcome: str, message: str = "", *, started: bool = True) -> Ended:
    """A run that was due at six and took 75 seconds."""
    start = DUE if started else None
    return Ended(outcome=outcome, message=message, due_at=DUE, started_at=start, ended_at=DUE + timedelta(seconds=75))


def test_a_daily_schedule_keeps_to_the_clock_on_the_wall_when_summer_time_begins() -> None:
    before = datetime(2026, 3, 27, 12, tzinfo=UTC)
    fires = fire_times("0 6 * * *", zone="Europe/Berlin", after=before, n=3)
    assert [at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%d %H:%M") for at in fires] == [
        "28 06:00",
        "29 06:00",
        "30 06:00",
    ]
    assert [at.astimezone(UTC).hour for at in fires] == [5, 4, 4]


@given(st.integers(1, 59), st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_every_so_many_minutes_fires_at_the_minutes_that_a_loop_finds(step: int, after: datetime) -> None:
    fires = fire_times(f"*/{step} * * * *", zone="UTC", after=after, n=2)
    minute = after.replace(second=0, microsecond=0) - timedelta(minutes=1)
    expected: list[datetime] = []
    while len(expected) < 2:
        minute += timedelta(minutes=1)
        if minute >= after and minute.minute % step == 0:
            expected.append(minute)
    assert [at.astimezone(UTC) for at in fires] == expected


@pytest.mark.parametrize("cron", ["", "every day", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "@never"])
def test_what_cannot_be_read_or_never_fires_is_refused_with_examples(cron: str) -> None:
    with pytest.raises(CronError, match="every quarter of an hour") as raised:
        fire_times(cron, zone="UTC", after=DUE, n=3)
    assert raised.value.exit_code == ExitCode.CALLER


def test_the_local_zone_is_one_that_python_knows() -> None:
    assert ZoneInfo(local_zone())


def test_a_bad_cron_or_a_missing_table_ends_at_once_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "listings.csv"
    table.write_text("listing_id,seller_id,created_at,image_urls\na,b,2026-01-01T00:00:00Z,\n")
    home = tmp_path / "home"
    assert answer(["--home", str(home), "schedule", str(table), "--cron", "61 * * * *"]) == ExitCode.CALLER
    assert "*/15 * * * *" in capsys.readouterr().err
    assert answer(["--home", str(home), "schedule", str(tmp_path / "no.csv"), "--cron", "@daily"]) == ExitCode.CALLER
    assert "no.csv" in capsys.readouterr().err
    assert not (home / "catalog.sqlite").exists()
    assert not (home / "schedule.log").exists()


def test_a_deployment_s_name_tells_homes_and_tables_apart_on_a_shared_server() -> None:
    from flows.runtime.schedule import Plan

    def name(listings: str, home: str) -> str:
        return Plan({"listings": listings, "home": home}, "@daily", "UTC").name

    names = [name("/a/listings.csv", "/h1"), name("/b/listings.csv", "/h1"), name("/a/listings.csv", "/h2")]
    assert len(set(names)) == len(names)
    assert name("/a/listings.csv", "/h1") == names[0]
    assert all(found.startswith("listings.csv-") for found in names)


def test_a_finished_run_is_told_in_one_line_with_what_was_new() -> None:
    told = summary_line(run_that("COMPLETED"), [{"listings_new": 1200, "rejected": 0, "matches": 3}, {"scored": 1200}])
    assert told.endswith("run done in 75 s: 1,200 listings new, 3 matches, 1,200 scored")


def test_a_run_that_did_nothing_says_so() -> None:
    assert summary_line(run_that("COMPLETED"), []).endswith("0 listings new, 0 scored")


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (run_that("CANCELLED", "Deployment concurrency limit reached."), "left out: the run before it was still going"),
        (
            run_that("FAILED", "Flow run encountered an exception: BusyError: Another run holds it."),
            "left out: BusyError: Another run holds it.",
        ),
        (
            run_that("FAILED", "Flow run encountered an exception: CatalogError: gone\n  for good"),
            "failed after 75 s: CatalogError: gone for good The next run goes on from there.",
        ),
        (run_that("CRASHED", "killed", started=False), "was ended after 0 s: killed The next run goes on"),
    ],
)
def test_a_run_that_did_not_finish_is_told_with_its_reason(run: Ended, expected: str) -> None:
    told = summary_line(run, [])
    assert expected in told
    assert "\n" not in told


def test_every_flow_has_a_deployment_for_work_pools() -> None:
    names = sorted(deployment["name"] for deployment in DEPLOYMENTS)
    assert names == ["backfill", "ingest", "monitor", "retrain", "run", "score"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_a_deployment_names_a_flow_that_takes_its_parameters(deployment: dict[str, object]) -> None:
    from prefect import Flow
    from prefect.utilities.importtools import import_object

    flow = import_object(str(deployment["entrypoint"]))
    assert isinstance(flow, Flow)
    parameters = deployment["parameters"]
    assert isinstance(parameters, dict)
    inspect.signature(flow.fn).bind(**parameters)
    schedules = deployment["schedules"]
    assert isinstance(schedules, list)
    for schedule in schedules:
        assert fire_times(schedule["cron"], zone=schedule["timezone"], after=DUE, n=1)
