"""The log of runs in the catalog: a line for each, from its beginning to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from data.catalog.market.loads import record_run, runs_between

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from models.serving.context import Context

Status = Literal["running", "failed", "done"]


def log_run(
    context: Context,
    kind: str,
    status: Status,
    summary: Mapping[str, Any],
    *,
    started_at: datetime,
    finished_at: datetime | None = None,
) -> None:
    """Write how a run stands, over what was written of it before.

    Parameters
    ----------
    summary
        What it has done so far, with its ``run_id``.
    """
    with context.catalog.write() as connection:
        record_run(
            connection,
            run_id=summary["run_id"],
            kind=kind,
            status=status,
            summary=dict(summary),
            started_at=started_at,
            finished_at=finished_at,
        )


def summaries_between(context: Context, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Return the summaries of the runs that were under way in a span."""
    with context.catalog.read() as connection:
        return runs_between(connection, since, until)
