"""Every run leaves a line in the catalog's log and two artifacts in Prefect."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from models.serving.context import open_context
from models.serving.logged_runs import log_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.settings import Settings


@contextmanager
def recorded(settings: Settings, kind: str) -> Iterator[dict[str, Any]]:
    """Yield a dict for the run's summary; keep it in the log, and in Prefect when the run ends well."""
    context = open_context(settings)
    started = datetime.now(UTC)
    summary: dict[str, Any] = {"run_id": uuid.uuid4().hex}
    log_run(context, kind, "running", summary, started_at=started)
    try:
        yield summary
    except BaseException:
        log_run(context, kind, "failed", summary, started_at=started, finished_at=datetime.now(UTC))
        raise
    log_run(context, kind, "done", summary, started_at=started, finished_at=datetime.now(UTC))
    _publish(kind, summary, started)


def _publish(kind: str, summary: dict[str, Any], started: datetime) -> None:
    rows = [{"what": name, "value": str(value)} for name, value in summary.items()]
    lines = "\n".join(f"- **{row['what'].replace('_', ' ')}**: {row['value']}" for row in rows)
    create_table_artifact(
        table=rows, key=f"{kind}-summary", description=f"{kind}, started {started:%Y-%m-%d %H:%M} UTC"
    )
    create_markdown_artifact(markdown=f"# {kind}\n\n{lines}\n", key=f"{kind}-report", description=f"What {kind} did")
