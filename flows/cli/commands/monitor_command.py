"""``seenbefore monitor``: what changed in the last days, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from data.errors import ExitCode
from flows.cli.options import Json, in_home, moment

EXAMPLE = "Example: `seenbefore monitor --days 7 --out monitor.html --fail-on-alarm`"
COLOURS = {"ok": "green", "alarm": "red", "unknown": "yellow"}


def monitor(
    context: typer.Context,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="End of the span to check; default: now.")] = None,
    days: Annotated[float, typer.Option(min=0.01, max=366, help="Length of the span, in days.")] = 7.0,
    out: Annotated[Path | None, typer.Option(help="HTML page to write; default: in the home.", dir_okay=False)] = None,
    fail_on_alarm: Annotated[bool, typer.Option("--fail-on-alarm", help="Exit with 3 if there is an alarm.")] = False,
    as_json: Json = False,
) -> None:
    """Compare the last days with the time before: drift, matches, hub images, hosts, labels, queue.

    Alarms are printed, written to a page and sent as Prefect events. They fail the command only with
    `--fail-on-alarm`.
    """
    last = moment(until)
    from flows.start import started

    with started(context.obj, "monitor", quiet=as_json) as settings:
        from flows.monitor import monitor as flow

        summary = flow(until=last, days=days, out=None if out is None else str(out.resolve()), home=str(settings.home))
    _show(context, summary, as_json=as_json)
    if fail_on_alarm and summary["alarms"]:
        raise typer.Exit(ExitCode.OUTSIDE)


def _show(context: typer.Context, summary: Mapping[str, Any], *, as_json: bool) -> None:
    from flows.cli.console import STDOUT, show_table, write_json

    if as_json:
        for row in summary["checks"]:
            write_json(row)
        return
    table = Table(header_style="bold", pad_edge=False)
    for name in ("check", "state", "found, and what to do"):
        table.add_column(name, overflow="fold")
    for row in summary["checks"]:
        table.add_row(row["check"], f"[{COLOURS[row['state']]}]{row['state']}[/]", _told(row["found"], row["alarms"]))
    show_table(table)
    alarms = f"{summary['alarms']} alarm{'s' * (summary['alarms'] != 1)}"
    STDOUT.print(f"{alarms}; the model in use is {summary['model_id']}.", highlight=False)
    for step in in_home(context, (f"open {summary['report']}",)):
        STDOUT.print(f"[dim]→[/] {escape(step)}", highlight=False)


def _told(found: str, alarms: Sequence[Mapping[str, str]]) -> str:
    said = [escape(found)]
    for alarm in alarms:
        said += [f"[bold red]![/] {escape(alarm['sentence'])}", f"[bold]→[/] {escape(alarm['advice'])}"]
    return "\n".join(said)
