"""Downloading many pictures at once: threads, fairness between hosts, one outcome for every address."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from urllib3.util import parse_url

from data.images.address import Guard
from data.images.download import Downloader
from data.images.outcome import FetchOutcome, Reason, Revalidation
from data.images.session import open_session
from data.images.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from data.images.store import ImageStore
    from data.settings import FetchSettings


@dataclass(frozen=True, slots=True)
class _Job:
    url: str
    known: Revalidation | None
    future: Future[FetchOutcome] = field(default_factory=Future)


class Fetcher:
    """Downloads pictures from strangers' servers into the store; a context manager, shareable by threads.

    Limits for each host hold over all calls of one fetcher; the host of a redirect is not counted.

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
        self._downloader = Downloader(settings, self._guard, self._session, store)
        self._turns: Turns[_Job] = Turns(settings.threads_per_host, settings.requests_per_host_s)
        self._threads = [
            threading.Thread(target=self._work, name=f"fetch-{number}", daemon=True)
            for number in range(settings.threads)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for job in self._turns.close():
            job.future.cancel()
        if error is None:  # an interrupted run does not wait for slow servers: files appear whole or not at all
            for thread in self._threads:
                thread.join()
        self._session.close()

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
        futures = {url: self._start(url, earlier.get(url)) for url in dict.fromkeys(urls)}
        return [futures[url].result() for url in urls]

    def _start(self, url: str, known: Revalidation | None) -> Future[FetchOutcome]:
        job = _Job(url, known)
        reason = self._guard.refuse_url(url)
        if reason is None:
            self._turns.put(parse_url(url).host or "", job)
        else:
            job.future.set_result(FetchOutcome(url, reason, _REFUSED[reason]))
        return job.future

    def _work(self) -> None:
        while (turn := self._turns.take()) is not None:
            host, job = turn
            try:
                job.future.set_result(self._downloader.download(job.url, host, job.known))
            except BaseException as error:  # noqa: BLE001  handed to whoever waits for the outcome
                job.future.set_exception(error)
            finally:
                self._turns.done(host)


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
