"""Hosts that ask us to stay away for a while: their pictures wait, but not time and again."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

WAITS_IN_A_ROW: Final = 3
"""Times the pictures of a host wait before the rest of them is left to the next run."""


@dataclass(frozen=True, slots=True)
class _Absence:
    until_s: float
    in_a_row: int


class Restraint:
    """Remembers which hosts asked us to stay away, and until when; may be shared by threads.

    Parameters
    ----------
    clock
        Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._absences: dict[str, _Absence] = {}
        self._lock = threading.Lock()

    def left_s(self, host: str) -> float:
        """Seconds for which a host is not to be asked; 0 where it may be."""
        absence = self._absences.get(host)
        return 0.0 if absence is None else max(absence.until_s - self._clock(), 0.0)

    def note(self, host: str, stay_away_s: float | None) -> float:
        """Note an answer, and the seconds that the host asked us to stay away, if it did.

        Answers to what was asked before we knew begin no new absence and end none.

        Returns
        -------
        float
            Seconds that the other pictures of the host are to wait. 0 where they need not, and where they have waited
            often enough: then they are not to be asked for while `left_s` is not over.
        """
        with self._lock:
            now_s = self._clock()
            last = self._absences.get(host, _Absence(now_s, 0))
            over = last.until_s <= now_s
            if not stay_away_s:
                if over:
                    self._absences.pop(host, None)
                return 0.0
            absence = _Absence(max(last.until_s, now_s + stay_away_s), last.in_a_row + over)
            self._absences[host] = absence
            return absence.until_s - now_s if absence.in_a_row <= WAITS_IN_A_ROW else 0.0
