"""What all tasks share: retries around the outside world, and no caching of anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from prefect import Task
from prefect.cache_policies import NO_CACHE

from data.errors import OutsideError

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State, TaskRun

P = ParamSpec("P")
R = TypeVar("R")

RETRY_DELAYS_S: list[float] = [2, 10, 30]


def from_outside(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Tell whether a task failed for a reason that trying again may mend."""
    return isinstance(state.result(raise_on_failure=False), OutsideError)


def outside_task(name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Return the decorator for a task that is tried again when the network, the disk or the database fails it."""

    def decorate(work: Callable[P, R]) -> Task[P, R]:
        return Task(
            work,
            name=name,
            retries=len(RETRY_DELAYS_S),
            retry_delay_seconds=RETRY_DELAYS_S,
            retry_condition_fn=from_outside,
            cache_policy=NO_CACHE,
            persist_result=False,
        )

    return decorate
