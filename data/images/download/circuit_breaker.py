"""Hosts that do not answer: a dead one costs a few waits, not one for each of its ten thousand pictures."""

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


class SilentHostError(Exception):
    """A host is not asked, since it did not answer several times in a row."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"Not asked: the host did not answer {FAILURES_IN_A_ROW} times in a row.")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Silence:
    failures: int
    last: Reason
    at_s: float


class SilentHosts:
    """Remembers which hosts do not answer; may be shared by threads.

    Scheme and port tell hosts apart too. Any answer, however bad, clears a host's failures.

    Parameters
    ----------
    clock
        Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._silences: dict[str, _Silence] = {}
        self._lock = threading.Lock()

    def check(self, url: str) -> None:
        """Pass if the host of an address may be asked.

        Raises
        ------
        SilentHostError
            With the reason of the host's last failure.
        """
        silence = self._silences.get(_host(url))
        if silence is None or silence.failures < FAILURES_IN_A_ROW:
            return
        if self._clock() < silence.at_s + FORGIVEN_AFTER_S:
            raise SilentHostError(silence.last)

    def note(self, url: str, failure: Reason | None) -> None:
        """Note how asking an address went; ``None`` is an answer."""
        host = _host(url)
        with self._lock:
            if failure is None or failure not in _NO_ANSWER:
                self._silences.pop(host, None)
                return
            before = self._silences.get(host)
            failures = 1 if before is None else before.failures + 1
            self._silences[host] = _Silence(failures, failure, self._clock())


def _host(url: str) -> str:
    parts = parse_url(url)
    return f"{parts.scheme}://{parts.netloc}"
