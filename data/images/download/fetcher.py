"""Downloading many pictures at once: threads, fairness between hosts, one outcome for every address."""

from __future__ import annotations

import threading
import time
import weakref
from collections import Counter, OrderedDict, deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from urllib3.util import parse_url

from data.images.download.downloader import Downloader
from data.images.download.http_session import open_session
from data.images.download.url_guard import Guard
from data.images.fetch_outcome import FetchOutcome, Reason, Revalidation

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    import requests

    from data.images.store.image_store import ImageStore
    from data.settings import FetchSettings

_REFUSED = {
    Reason.BAD_URL: "The address cannot be read.",
    Reason.BAD_CHARACTERS: "The address has spaces, backslashes or unprintable characters.",
    Reason.SCHEME: "Only http and https are asked.",
    Reason.CREDENTIALS: "The address carries a user name or password.",
    Reason.PORT: "The address names a port that is not allowed.",
    Reason.BAD_HOST: "The host is no DNS name and no plainly written IP address.",
    Reason.LOCAL_NAME: "The host is a name of the local network.",
    Reason.PRIVATE_ADDRESS: "The host is an address that is not public.",
    Reason.METADATA_ADDRESS: "The host is a cloud's own service.",
}
Job = TypeVar("Job", bound="Hashable")


class Fetcher:
    """Downloads pictures from strangers' servers into the store; shareable by threads.

    Limits hold over all calls of one fetcher, and what one call learns of a host serves the next: that it does not
    answer, or asked us to stay away. So keep one for a whole run. Its threads and connections end with it, or earlier
    with the block that it is a context manager of. The host of a redirect is not counted.

    Parameters
    ----------
    settings
        Bounds, politeness, and the hosts that may be private.
    store
        Where pictures are kept.

    Raises
    ------
    SettingsError
        When ``settings.allow_hosts`` cannot be read.

    Notes
    -----
    ``settings.timeout_s`` bounds connecting, TLS, headers, body, pauses and second tries of one address together. Name
    resolution is bounded by the system's resolver alone.
    """

    def __init__(self, settings: FetchSettings, store: ImageStore) -> None:
        self._guard = Guard.of(settings.allow_hosts, settings.allow_ports)
        self._session = open_session(settings, self._guard)
        self._queue: HostQueue[_Job] = HostQueue(settings.threads_per_host, settings.requests_per_host_s)
        downloader = Downloader(settings, self._guard, self._session, store, hold=self._queue.hold)
        self._threads = [
            threading.Thread(target=_work, args=(self._queue, downloader), name=f"fetch-{number}", daemon=True)
            for number in range(settings.threads)
        ]
        self._starting = threading.Lock()
        self._close = weakref.finalize(self, _end, self._queue, self._session)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if error is None:  # an interrupted run does not wait for slow servers: files appear whole or not at all
            for thread in self._threads:
                if thread.ident is not None:
                    thread.join()

    def fetch(self, urls: Sequence[str], *, known: Mapping[str, Revalidation] | None = None) -> list[FetchOutcome]:
        """Download pictures, each address once.

        Parameters
        ----------
        urls
            Any texts; what is no address we go to is refused.
        known
            For some of the URLs, what an earlier fetch left, to ask only for what changed.

        Returns
        -------
        list of FetchOutcome
            One for each URL, in the given order.

        Raises
        ------
        StoreError
            When the store cannot be read or written: that is nobody's picture's fault, and ends the run.
        """
        earlier = known or {}
        self._start()
        jobs = {url: self._queued(url, earlier.get(url)) for url in dict.fromkeys(urls)}
        try:
            return [jobs[url].future.result() for url in urls]
        except BaseException:
            self._queue.withdraw(jobs.values())
            raise

    def _start(self) -> None:
        with self._starting:
            for thread in self._threads:
                if thread.ident is None:
                    thread.start()

    def _queued(self, url: str, known: Revalidation | None) -> _Job:
        job = _Job(url, known)
        reason = self._guard.refuse_url(url)
        if reason is None:
            self._queue.put(parse_url(url).host or "", job)
        else:
            job.future.set_result(FetchOutcome(url, reason, _REFUSED[reason]))
        return job


class HostQueue(Generic[Job]):
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


@dataclass(frozen=True, slots=True, eq=False)  # told apart by identity: an address may be asked for by two
class _Job:
    url: str
    known: Revalidation | None
    future: Future[FetchOutcome] = field(default_factory=Future)


def _work(queue: HostQueue[_Job], downloader: Downloader) -> None:
    """Download until the queue is closed; no thread knows its fetcher, or that would never be let go."""
    while (taken := queue.take()) is not None:
        host, job = taken
        try:
            job.future.set_result(downloader.download(job.url, host, job.known))
        except BaseException as error:  # noqa: BLE001  handed to whoever waits for the outcome
            job.future.set_exception(error)
        finally:
            queue.done(host)


def _end(queue: HostQueue[_Job], session: requests.Session) -> None:
    for job in queue.close():
        job.future.cancel()
    session.close()
