"""Hosts that do not answer: a dead one costs a few waits, not one for each of its ten thousand pictures."""

from __future__ import annotations

import threading
from typing import Final

from urllib3.util import parse_url

from data.images.outcome import Reason

FAILURES_IN_A_ROW: Final = 5
_NO_ANSWER = frozenset({Reason.CONNECT, Reason.CONNECT_TIMEOUT, Reason.DNS})


class SilentHostError(Exception):
    """A host is not asked, since it did not answer several times in a row."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"Not asked: the host did not answer {FAILURES_IN_A_ROW} times in a row.")
        self.reason = reason


class SilentHosts:
    """Remembers which hosts do not answer; may be shared by threads.

    Scheme and port tell hosts apart too. Any answer, however bad, clears a host's failures.
    """

    def __init__(self) -> None:
        self._failures: dict[str, list[Reason]] = {}
        self._lock = threading.Lock()

    def check(self, url: str) -> None:
        """Pass if the host of an address may be asked.

        Raises
        ------
        SilentHostError
            With the reason of the host's last failure.
        """
        failures = self._failures.get(_host(url), [])
        if len(failures) >= FAILURES_IN_A_ROW:
            raise SilentHostError(failures[-1])

    def note(self, url: str, failure: Reason | None) -> None:
        """Note how asking an address went; ``None`` is an answer."""
        host = _host(url)
        with self._lock:
            if failure is None or failure not in _NO_ANSWER:
                self._failures.pop(host, None)
            else:
                self._failures.setdefault(host, []).append(failure)


def _host(url: str) -> str:
    parts = parse_url(url)
    return f"{parts.scheme}://{parts.netloc}"
