"""Serving the flow ``run`` on a cron schedule: what fires, what came of it, and an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.types.entrypoint import EntrypointType

from data.catalog.loads import runs_between
from flows.bulletin import Ended, line
from flows.context import Context
from flows.run import run
from flows.server import Server, ServerError, prefect_server

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

Say = Callable[[str], None]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOP_LIMIT_S = 60  # a run is asked to end, and made to after 30 s
LOOK_EVERY_S = 2.0
RUNS_AT_ONCE = 200
ENDED = (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs when.

    Parameters
    ----------
    parameters
        Of the flow ``run``, every path absolute.
    cron
        Five fields.
    zone
        IANA name of the zone that ``cron`` is meant in.
    """

    parameters: Mapping[str, Any]
    cron: str
    zone: str

    @property
    def name(self) -> str:
        """Name of the deployment: the same table in the same home has the same one, on a shared server too."""
        home, listings = str(self.parameters["home"]), str(self.parameters["listings"])
        digest = hashlib.sha256(f"{home}\n{listings}".encode()).hexdigest()
        return f"{Path(listings).name or 'listings'}-{digest[:8]}"

    async def deployment(self) -> RunnerDeployment:
        """Return the deployment; a firing that finds another run going is cancelled by the server."""
        one_at_a_time = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
        return await run.ato_deployment(
            name=self.name,
            schedule=Cron(self.cron, timezone=self.zone),
            parameters=dict(self.parameters),
            concurrency_limit=one_at_a_time,
            entrypoint_type=EntrypointType.MODULE_PATH,
            description="Load new listings, download and match their photos, and score them.",
        )


def serve(plan: Plan, context: Context, *, announce: Callable[[Server], None], say: Say) -> None:
    """Serve a plan until SIGINT or SIGTERM; a server of ours that dies is started again.

    Parameters
    ----------
    announce
        Told once each time a server is ready.
    say
        Told one line about everything that happens.

    Raises
    ------
    ServerError
        The server did not start, or the operator's went away.
    """
    while True:
        with prefect_server(context.settings.home) as server:
            announce(server)
            with temporary_settings({PREFECT_API_URL: server.api}):
                stopped = asyncio.run(_Serving(plan, context, server, say).until_an_end())
            if stopped:
                say("Stopping: the schedule, its runs and its server.")
                return
            if server.process is None:
                raise ServerError(server.api, "it went away", "Start it, then start the schedule again.")
            say(f"The Prefect server ended ({server.ended}). Starting it again.")


@dataclass(frozen=True, slots=True)
class _Serving:
    """One stretch of serving, with one server."""

    plan: Plan
    context: Context
    server: Server
    say: Say

    async def until_an_end(self) -> bool:
        """Serve; tell whether it was stopped, and else the server is gone."""
        stop = asyncio.Event()
        runner = Runner(limit=1)
        async with get_client() as client:
            await _forget(client, f"{run.name}/{self.plan.name}")
            deployment_id = await runner.aadd_deployment(await self.plan.deployment())
            serving = asyncio.create_task(runner.start())
            await asyncio.sleep(0)  # its first step sets a signal handler of its own, which is replaced here
            for number in STOP_SIGNALS:
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            others = [
                asyncio.create_task(stop.wait()),
                asyncio.create_task(self._server_ends()),
                asyncio.create_task(self._tell(client, deployment_id)),
            ]
            await asyncio.wait([serving, *others], return_when=asyncio.FIRST_COMPLETED)
            await _end(runner, serving, politely=stop.is_set())
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        return stop.is_set()

    async def _server_ends(self) -> None:
        while self.server.ended is None:
            await asyncio.sleep(LOOK_EVERY_S)

    async def _tell(self, client: PrefectClient, deployment_id: UUID) -> None:
        """Say a line about every run that has ended; runs until cancelled."""
        ended = FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(ENDED))),
        )
        told: set[UUID] = set()
        while True:
            # Newest first and a bounded number: a schedule goes on for months.
            with suppress(Exception):  # a server that does not answer is noticed elsewhere
                found = await client.read_flow_runs(
                    flow_run_filter=ended, sort=FlowRunSort.END_TIME_DESC, limit=RUNS_AT_ONCE
                )
                for flow_run in reversed(found):
                    if flow_run.id not in told:
                        told.add(flow_run.id)
                        self.say(self._line(flow_run))
            await asyncio.sleep(LOOK_EVERY_S)

    def _line(self, flow_run: FlowRun) -> str:
        ended = _ended(flow_run)
        if ended.started_at is None:
            return line(ended, [])
        with self.context.catalog.read() as connection:
            return line(ended, runs_between(connection, ended.started_at, ended.ended_at))


def _ended(flow_run: FlowRun) -> Ended:
    state = flow_run.state
    due_at = flow_run.expected_start_time or flow_run.created
    if state is None or due_at is None:
        raise ValueError(f"flow run {flow_run.id} has no state or no time")
    return Ended(
        outcome=state.type.value,
        message=state.message or "",
        due_at=due_at,
        started_at=flow_run.start_time,
        ended_at=flow_run.end_time or state.timestamp,
    )


async def _forget(client: PrefectClient, name: str) -> None:
    """Delete a deployment with its waiting runs and its concurrency slot.

    After a kill both are wrong: every firing since then would be made up for at once, or, as the slot was never given
    back, none would run ever again.
    """
    with suppress(ObjectNotFound):
        await client.delete_deployment((await client.read_deployment_by_name(name)).id)


async def _end(runner: Runner, serving: asyncio.Task[None], *, politely: bool) -> None:
    """End a runner and the run it carries; without a server to talk to, only the processes are left to end."""
    runner.pause_on_shutdown = politely
    with suppress(Exception, asyncio.CancelledError):
        async with asyncio.timeout(STOP_LIMIT_S):
            if politely and not serving.done():
                await runner.astop()
            serving.cancel()
            await serving
