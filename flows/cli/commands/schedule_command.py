"""``seenbefore schedule``: a served deployment on this machine."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from flows.cli.options import TableOptions, settings_of, takes_tables

if TYPE_CHECKING:
    from flows.runtime.prefect_server import Server
    from flows.runtime.schedule import Plan

EXAMPLE = 'Example: `seenbefore schedule listings.csv --images-root photos/ --cron "*/15 * * * *"`'
TIMES_SHOWN = 3
LOG = "schedule.log"
LOG_BYTES = 1_000_000
LOGS_KEPT = 3

Cron = Annotated[str, typer.Option(help="Minute, hour, day, month and weekday, in this machine's time zone.")]


@takes_tables
def schedule(
    context: typer.Context,
    given: TableOptions,
    cron: Cron,
) -> None:
    """Ingest and score on a cron schedule until stopped."""
    settings = settings_of(context, quiet=False)
    from flows.runtime.cron import fire_times, local_zone
    from flows.runtime.lock import hold
    from flows.runtime.orphans import end_orphans
    from models.serving.load_tables import check_tables

    home = settings.home.resolve()
    zone = local_zone()
    fire_times(cron, zone=zone, after=datetime.now(UTC), n=TIMES_SHOWN)
    tables = given.tables()
    check_tables(tables, settings.batch_rows)
    say = _log(home / LOG)
    with hold(home, f"schedule of {given.listings}", lock="schedule"):
        for leftover in end_orphans(home):
            say(f"Ended what a killed run had left behind: {leftover}")
        say("Starting; this takes up to half a minute.")
        from flows.runtime.schedule import Plan, serve
        from models.serving.context import open_context

        plan = Plan(asdict(tables) | {"home": str(home)}, cron, zone)
        serve(plan, open_context(settings), announce=lambda server: _announce(plan, server, home, say), say=say)


def _announce(plan: Plan, server: Server, home: Path, say: Callable[[str], None]) -> None:
    """Say what runs when, and where to look."""
    from flows.runtime.cron import fire_times

    say(f"Serving {plan.parameters['listings']} for {home}, `{plan.cron}` in {plan.zone}. It fires next at")
    for fires_at in fire_times(plan.cron, zone=plan.zone, after=datetime.now(UTC), n=TIMES_SHOWN):
        say(f"  {fires_at.astimezone(ZoneInfo(plan.zone)):%a %Y-%m-%d %H:%M %Z} ({fires_at.astimezone(UTC):%H:%M} UTC)")
    say(f"Runs and their logs: {server.pages}. This log: {home / LOG}. " + _of_server(server))
    say(f"To stop: Ctrl-C, or `kill {os.getpid()}`.")


def _of_server(server: Server) -> str:
    return f"The server's log: {server.log}." if server.log else "The server is the one PREFECT_API_URL names."


def _log(path: Path) -> Callable[[str], None]:
    """Return what says a line on standard output and in a file that is turned over when it is full."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger("seenbefore.schedule")
    log.setLevel(logging.INFO)
    log.propagate = False
    kept = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8")
    kept.setFormatter(logging.Formatter("%(asctime)s  %(message)s"))
    log.handlers = [logging.StreamHandler(sys.stdout), kept]
    return log.info
