"""Which workers carry the tasks: threads, processes, Dask or Ray, as the setting says."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from data.errors import SettingsError
from data.progress import advance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prefect import Task

    from data.settings import Settings

ELSEWHERE = {"dask": ("prefect_dask", "DaskTaskRunner"), "ray": ("prefect_ray", "RayTaskRunner")}


def task_runner(settings: Settings) -> TaskRunner[Any]:
    """Return the task runner of ``SEENBEFORE_ENGINE``.

    Raises
    ------
    SettingsError
        Processes, Dask and Ray need a Prefect server of its own, or every worker would start one; or the library
        that an engine needs is not installed.
    """
    workers = settings.workers or os.cpu_count() or 1
    if settings.engine == "threads":
        return ThreadPoolTaskRunner(max_workers=workers)
    if not os.environ.get("PREFECT_API_URL"):
        raise SettingsError(
            [f"SEENBEFORE_ENGINE={settings.engine}: expected PREFECT_API_URL to name a Prefect server, found none"]
        )
    if settings.engine == "processes":
        return ProcessPoolTaskRunner(max_workers=workers)
    module, runner = ELSEWHERE[settings.engine]
    try:
        found: TaskRunner[Any] = getattr(import_module(module), runner)()
    except ImportError as error:
        advice = f"install it with `pip install 'seenbefore[{settings.engine}]'`"
        raise SettingsError([f"SEENBEFORE_ENGINE={settings.engine}: {error}; {advice}"]) from error
    return found


@dataclass(frozen=True, slots=True)
class Workers:
    """Carries one task over many keys, a chunk at a time."""

    runner: TaskRunner[Any]
    chunk: int

    def spread(self, stage: str, task: Task[..., Any], keys: Sequence[Any], **parameters: object) -> Counter[str]:
        """Run ``task(keys=…, **parameters)`` over all keys, tell how far it is, and return the summed counts."""
        counts: Counter[str] = Counter()
        chunks = [keys[start : start + self.chunk] for start in range(0, len(keys), self.chunk)]
        if chunks:
            advance(stage, 0, len(keys))
        futures = [self.runner.submit(task, parameters={"keys": chunk, **parameters}) for chunk in chunks]
        for chunk, future in zip(chunks, futures, strict=True):
            counts.update(future.result())
            advance(stage, len(chunk), len(keys))
        return counts


@contextmanager
def workers(settings: Settings, *, chunk: int) -> Iterator[Workers]:
    """Open the workers that the settings name, inside a flow run; each task gets at most ``chunk`` keys."""
    with task_runner(settings) as runner:
        yield Workers(runner, chunk)
