"""The flow ``monitor``: look at the last days, and say what to act on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from data.durable import write_text
from data.settings import Settings, load_settings
from flows.cli.options import instant
from flows.run_log import recorded
from flows.runtime.events import announce
from flows.runtime.lock import hold
from flows.tasks import outside_task
from models.reports.monitor_page import monitor_page
from models.serving.context import open_context
from models.serving.monitor_home import as_rows, checks

DAYS = 7.0
ALARM, DONE = "seenbefore.monitor.alarm", "seenbefore.monitor.done"


@outside_task("monitor")
def look(settings: Settings, until: datetime, days: float, out: Path) -> dict[str, Any]:
    """Run every check in one piece, on one snapshot, and write the page."""
    found, periods, model_id = checks(open_context(settings), until=until, days=days)
    write_text(out, monitor_page(found, periods, model_id=model_id))
    return {"model_id": model_id, "checks": as_rows(found)}


@flow(name="seenbefore-monitor", validate_parameters=False)
def monitor(
    until: datetime | str | None = None, days: float = DAYS, out: str | None = None, home: str | None = None
) -> dict[str, Any]:
    """Compare the last ``days`` before ``until`` (default: now) with the time before; alarms do not fail the run."""
    settings = load_settings(Path(home) if home else None)
    end = instant(until) if until else datetime.now(UTC)
    report = Path(out) if out else settings.home / "reports" / f"monitor-{end:%Y%m%d-%H%M%S}.html"
    with hold(settings.home, "monitor"), recorded(settings, "monitor") as summary:
        seen = look(settings, end, days, report)
        alarms = [{"check": row["check"], **alarm} for row in seen["checks"] for alarm in row["alarms"]]
        summary |= {
            "model_id": seen["model_id"],
            "until": end.isoformat(),
            "days": days,
            "alarms": len(alarms),
            "report": str(report),
        }
        for alarm in alarms:
            announce(ALARM, settings.home, {**alarm, "run_id": summary["run_id"], "report": str(report)})
        announce(DONE, settings.home, summary)
        _publish(seen["checks"], alarms, report)
    return {**summary, "checks": seen["checks"]}


def _publish(rows: list[dict[str, Any]], alarms: list[dict[str, Any]], report: Path) -> None:
    """Keep the table of checks and the alarms beside the run."""
    table = [{name: row[name] for name in ("check", "state", "found")} for row in rows]
    create_table_artifact(table=table, key="monitor-checks", description="What the monitor checked")
    listed = "\n".join(f"- {alarm['sentence']} **{alarm['advice']}**" for alarm in alarms) or "No check alarms."
    create_markdown_artifact(
        markdown=f"# Monitor\n\n{listed}\n\n[The whole page]({report.resolve().as_uri()})\n",
        key="monitor-alarms",
        description=f"{len(alarms)} alarms",
    )
