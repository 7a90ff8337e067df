"""Events that Prefect's automations can hook: what came of a run, told by its flow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.context import FlowRunContext
from prefect.events import emit_event


def announce(event: str, home: Path, payload: Mapping[str, Any]) -> None:
    """Emit an event from inside a flow run; outside of one there is no server to tell, and nothing happens.

    Parameters
    ----------
    event
        Dotted name, beginning with ``seenbefore``.
    home
        The resource that the event is about: ``seenbefore.home.<name of the folder>``, with the whole path as the
        label ``seenbefore.home``.
    payload
        Plain values that JSON can hold.
    """
    if FlowRunContext.get() is None:
        return
    path = home.resolve()
    resource = {"prefect.resource.id": f"seenbefore.home.{path.name}", "seenbefore.home": str(path)}
    emit_event(event=event, resource=resource, payload=dict(payload))
