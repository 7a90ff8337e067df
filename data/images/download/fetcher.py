"""Downloading many pictures at once: threads, fairness between hosts, one outcome for every address."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from urllib3.util import parse_url

from data.images.download.downloader import Downloader
from data.images.download.host_queue import Turns
from data.images.download.http_session import open_session
from data.images.download.url_guard import Guard
from data.images.fetch_outcome import FetchOutcome, Reason, Revalidation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    import requests

    from data.images.store.image_store import ImageStore
    from data.settings import FetchSettings


@dataclass(frozen=True, slots=True, eq=False)  # told apart by identity: an address may be asked for by two
class _Job:
    url: str
    known: Revalidation | None
    future: Future[FetchOutcome] = field(default_factory=Future)


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
        self._turns: Turns[_Job] = Turns(settings.threads_per_host, settings.requests_per_host_s)
        downloader = Downloader(settings, self._guard, self._session, store, hold=self._turns.hold)
        self._threads = [
            threading.Thread(target=_work, args=(self._turns, downloader), name=f"fetch-{number}", daemon=True)
            for number in range(settings.threads)
        ]
        self._starting = threading.Lock()
        self._close = weakref.finalize(self, _end, self._turns, self._session)

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
            self._turns.withdraw(jobs.values())
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
            self._turns.put(parse_url(url).host or "", job)
        else:
            job.future.set_result(FetchOutcome(url, reason, _REFUSED[reason]))
        return job


def _work(turns: Turns[_Job], downloader: Downloader) -> None:
    """Download until there are no more turns; no thread knows its fetcher, or that would never be let go."""
    while (turn := turns.take()) is not None:
        host, job = turn
        try:
            job.future.set_result(downloader.download(job.url, host, job.known))
        except BaseException as error:  # noqa: BLE001  handed to whoever waits for the outcome
            job.future.set_exception(error)
        finally:
            turns.done(host)


def _end(turns: Turns[_Job], session: requests.Session) -> None:
    for job in turns.close():
        job.future.cancel()
    session.close()


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
