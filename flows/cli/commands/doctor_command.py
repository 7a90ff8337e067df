"""``seenbefore doctor``: what is installed, reachable, stale or misconfigured."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from data.errors import OutsideError
from flows.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.settings import Settings
    from flows.cli.doctor.finding import Finding

EXAMPLE = "Example: `seenbefore doctor --fix`"
COLOURS = {"ok": "green", "warn": "yellow", "bad": "red"}


def doctor(
    context: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Repair what needs no decision from you.")] = False,
    as_json: Json = False,
) -> None:
    """Check what is installed, reachable, stale or misconfigured, and say what to do about it."""
    from flows.cli.doctor.configuration_check import settings_found
    from flows.cli.doctor.finding import exit_code
    from flows.cli.doctor.installation_check import libraries, python

    settings, findings = settings_found(context.obj)
    findings = [python(), *libraries(), *findings]
    if settings is not None:
        findings += [*(_mended(settings) if fix else []), *_examined(settings)]
    _show(findings, as_json=as_json)
    raise typer.Exit(exit_code(findings))


def _examined(settings: Settings) -> list[Finding]:
    from flows.cli.doctor import (
        catalog_check,
        hashes_check,
        index_check,
        installation_check,
        processes_check,
        storage_check,
    )

    return [
        *installation_check.extras(settings),
        hashes_check.hashes(),
        storage_check.home(settings),
        storage_check.disk(settings),
        storage_check.image_store(settings),
        *catalog_check.catalog(settings),
        index_check.index(settings),
        *processes_check.locks(settings.home),
        processes_check.left_behind(settings.home),
        processes_check.prefect(settings),
    ]


def _mended(settings: Settings) -> list[Finding]:
    from flows.cli.doctor.finding import Finding, State
    from flows.cli.doctor.repairs import MENDED, mend

    try:
        return mend(settings, datetime.now(UTC))
    except OutsideError as error:
        return [Finding(MENDED, State.BAD, str(error))]


def _show(findings: Sequence[Finding], *, as_json: bool) -> None:
    from flows.cli.console import show_table, write_json

    if as_json:
        for finding in findings:
            write_json({name: str(getattr(finding, name)) for name in ("check", "state", "found", "advice")})
        return
    table = Table(header_style="bold", pad_edge=False)
    for name in ("check", "state", "found, and what to do"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        advice = f"\n[bold]→[/] {escape(finding.advice)}" if finding.advice else ""
        state = f"[{COLOURS[finding.state]}]{finding.state}[/]"
        table.add_row(escape(finding.check), state, escape(finding.found) + advice)
    show_table(table)
