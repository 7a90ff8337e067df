"""Whose turn it is: hands jobs to threads so that no host is asked too much at once, and none waits for another."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

Job = TypeVar("Job", bound="Hashable")


class Turns(Generic[Job]):
    """A queue for several threads with a limit for each host.

    Hosts take turns, so one slow host with a thousand pictures holds no more threads than its limit.

    Parameters
    ----------
    per_host
        Jobs of one host under way at once.
    per_host_s
        Most jobs begun a second for one host; 0 is no cap.
    clock
        Seconds that only go forward.
    """

    def __init__(self, per_host: int, per_host_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_host = per_host
        self._gap_s = 1.0 / per_host_s if per_host_s else 0.0
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()
        self._busy: Counter[str] = Counter()
        self._due_s: dict[str, float] = {}
        self._closed = False

    def put(self, host: str, job: Job) -> None:
        """Add a job."""
        with self._changed:
            self._waiting.setdefault(host, deque()).append(job)
            self._changed.notify()

    def take(self) -> tuple[str, Job] | None:
        """Wait for a job whose host may be asked now; ``None`` once closed. Follow it with `done`."""
        with self._changed:
            while not self._closed:
                host, wait_s = self._ready_host()
                if host is not None:
                    return host, self._begin(host)
                self._changed.wait(wait_s)
            return None

    def done(self, host: str) -> None:
        """Say that a job that was taken has ended."""
        with self._changed:
            self._busy[host] -= 1
            if not self._busy[host]:
                del self._busy[host]
            self._changed.notify()

    def hold(self, host: str, for_s: float) -> None:
        """Let no job of a host begin for some seconds."""
        with self._changed:
            self._due_s[host] = max(self._due_s.get(host, 0.0), self._clock() + for_s)

    def withdraw(self, jobs: Iterable[Job]) -> None:
        """Forget those of some jobs that nobody has taken."""
        unwanted = set(jobs)
        with self._changed:
            for host, waiting in list(self._waiting.items()):
                wanted = deque(job for job in waiting if job not in unwanted)
                if wanted:
                    self._waiting[host] = wanted
                else:
                    del self._waiting[host]

    def close(self) -> list[Job]:
        """Send all waiting threads home.

        Returns
        -------
        list
            The jobs nobody has taken.
        """
        with self._changed:
            self._closed = True
            left = [job for jobs in self._waiting.values() for job in jobs]
            self._waiting.clear()
            self._changed.notify_all()
            return left

    def _ready_host(self) -> tuple[str | None, float | None]:
        """Find the first host that may be asked now, or how long until one may (``None``: until something changes)."""
        now = self._clock()
        due = None
        for host in self._waiting:
            if self._busy[host] >= self._per_host:
                continue
            host_due = self._due_s.get(host, now)
            if host_due <= now:
                return host, None
            due = host_due if due is None else min(due, host_due)
        return None, None if due is None else due - now

    def _begin(self, host: str) -> Job:
        jobs = self._waiting[host]
        job = jobs.popleft()
        if jobs:
            self._waiting.move_to_end(host)
        else:
            del self._waiting[host]
        self._busy[host] += 1
        if self._gap_s:
            self._due_s[host] = self._clock() + self._gap_s
        return job
