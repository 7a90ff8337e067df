"""Hosts that are not asked for a while: those that do not answer, and those that asked us to stay away.

A dead host costs a few waits, not one for each of its ten thousand pictures.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from urllib3.util import parse_url

from data.images.fetch_outcome import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES_IN_A_ROW: Final = 5
FORGIVEN_AFTER_S: Final = 600.0
"""A host may come back while a run lasts: then its silence costs a few waits again."""
_NO_ANSWER = frozenset({Reason.CONNECT, Reason.CONNECT_TIMEOUT, Reason.DNS})
WAITS_IN_A_ROW: Final = 3
"""Times the pictures of a host wait before the rest of them is left to the next run."""


class CircuitOpenError(Exception):
    """A host is not asked, since it did not answer several times in a row."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"Not asked: the host did not answer {FAILURES_IN_A_ROW} times in a row.")
        self.reason = reason


class CircuitBreaker:
    """Remembers which hosts do not answer; may be shared by threads.

    Scheme and port tell hosts apart too. Any answer, however bad, clears a host's failures.

    Parameters
    ----------
    clock
        Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._outages: dict[str, _Outage] = {}
        self._lock = threading.Lock()

    def check(self, url: str) -> None:
        """Pass if the host of an address may be asked.

        Raises
        ------
        CircuitOpenError
            With the reason of the host's last failure.
        """
        outage = self._outages.get(_host(url))
        if outage is None or outage.failures < FAILURES_IN_A_ROW:
            return
        if self._clock() < outage.at_s + FORGIVEN_AFTER_S:
            raise CircuitOpenError(outage.last)

    def note(self, url: str, failure: Reason | None) -> None:
        """Note how asking an address went; ``None`` is an answer."""
        host = _host(url)
        with self._lock:
            if failure is None or failure not in _NO_ANSWER:
                self._outages.pop(host, None)
                return
            before = self._outages.get(host)
            failures = 1 if before is None else before.failures + 1
            self._outages[host] = _Outage(failures, failure, self._clock())


class RetryAfter:
    """Remembers which hosts asked us to stay away, and until when; may be shared by threads.

    Parameters
    ----------
    clock
        Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waits: dict[str, _Wait] = {}
        self._lock = threading.Lock()

    def left_s(self, host: str) -> float:
        """Seconds for which a host is not to be asked; 0 where it may be."""
        wait = self._waits.get(host)
        return 0.0 if wait is None else max(wait.until_s - self._clock(), 0.0)

    def note(self, host: str, stay_away_s: float | None) -> float:
        """Note an answer, and the seconds that the host asked us to stay away, if it did.

        Answers to what was asked before we knew begin no new wait and end none.

        Returns
        -------
        float
            Seconds that the other pictures of the host are to wait. 0 where they need not, and where they have waited
            often enough: then they are not to be asked for while `left_s` is not over.
        """
        with self._lock:
            now_s = self._clock()
            last = self._waits.get(host, _Wait(now_s, 0))
            over = last.until_s <= now_s
            if not stay_away_s:
                if over:
                    self._waits.pop(host, None)
                return 0.0
            wait = _Wait(max(last.until_s, now_s + stay_away_s), last.in_a_row + over)
            self._waits[host] = wait
            return wait.until_s - now_s if wait.in_a_row <= WAITS_IN_A_ROW else 0.0


@dataclass(frozen=True, slots=True)
class _Outage:
    failures: int
    last: Reason
    at_s: float


def _host(url: str) -> str:
    parts = parse_url(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class _Wait:
    until_s: float
    in_a_row: int
