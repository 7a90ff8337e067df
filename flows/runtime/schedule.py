"""Serving the flow ``run`` on a cron schedule: what fires, what came of it, and an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.types.entrypoint import EntrypointType

from flows.run import run
from flows.runtime.prefect_server import Server, prefect_server
from flows.runtime.run_summary import Ended, summary_line
from models.serving.context import Context
from models.serving.logged_runs import summaries_between

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

Say = Callable[[str], None]

ENTRYPOINT = "seenbefore.run_flow"
"""By this name the flow is found whatever packages the folder holds that the schedule is started in."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOP_LIMIT_S = 60  # a run is asked to end, and made to after 30 s
LOOK_EVERY_S = 2.0
OUT_OF_TOUCH = timedelta(seconds=60)
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
        deployment = await run.ato_deployment(
            name=self.name,
            schedule=Cron(self.cron, timezone=self.zone),
            parameters=dict(self.parameters),
            concurrency_limit=one_at_a_time,
            entrypoint_type=EntrypointType.MODULE_PATH,
            description="Load new listings, download and match their photos, and score them.",
        )
        deployment.entrypoint = ENTRYPOINT
        return deployment


def serve(plan: Plan, context: Context, *, announce: Callable[[Server], None], say: Say) -> None:
    """Serve a plan until SIGINT or SIGTERM; a server of ours that dies is started again, another is looked for again.

    Parameters
    ----------
    announce
        Told once each time a server is ready.
    say
        Told one line about everything that happens.

    Raises
    ------
    ServerError
        The server did not start, or the operator's does not answer.
    """
    while True:
        # Until the runner's loop takes over; a server on its way up must not be left behind.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with prefect_server(context.settings.home) as server:
            announce(server)
            with temporary_settings({PREFECT_API_URL: server.api}):
                stopped = asyncio.run(_Serving(plan, context, server, say).until_an_end())
            if stopped:
                say("Stopping: the schedule, its runs and its server.")
                return
            say(f"Lost touch with the Prefect server ({server.ended or 'it does not answer'}). Beginning anew.")


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
                asyncio.create_task(self._loses_touch(runner)),
                asyncio.create_task(self._tell(client, deployment_id)),
            ]
            await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
            await _end(runner, serving, politely=stop.is_set())
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        return stop.is_set()

    async def _loses_touch(self, runner: Runner) -> None:
        """Return when the server's process has ended, or the runner has not asked it for work for a while.

        The runner itself gives up after three failed attempts, and then may never return.
        """
        began = datetime.now(UTC)
        while self.server.ended is None and datetime.now(UTC) - (runner.last_polled or began) < OUT_OF_TOUCH:
            await asyncio.sleep(LOOK_EVERY_S)

    async def _tell(self, client: PrefectClient, deployment_id: UUID) -> None:
        """Say a line about every run that has ended; runs until cancelled."""
        since = datetime.now(UTC)
        told: set[UUID] = set()
        while True:
            with suppress(Exception):  # a server that does not answer is noticed elsewhere
                for flow_run in await client.read_flow_runs(flow_run_filter=_ended_since(deployment_id, since)):
                    if flow_run.id not in told:
                        told.add(flow_run.id)
                        self.say(self._line(flow_run))
                        since = max(since, flow_run.end_time or since)
            await asyncio.sleep(LOOK_EVERY_S)

    def _line(self, flow_run: FlowRun) -> str:
        ended = _ended(flow_run)
        if ended.started_at is None:
            return summary_line(ended, [])
        return summary_line(ended, summaries_between(self.context, ended.started_at, ended.ended_at))


def _ended_since(deployment_id: UUID, since: datetime) -> FlowRunFilter:
    return FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(ENDED))),
        end_time=FlowRunFilterEndTime.model_validate({"after_": since}),
    )


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
