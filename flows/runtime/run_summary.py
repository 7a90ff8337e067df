"""One line about each run of a schedule that has ended."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data.errors import BusyError

# In the order of a run; what did not happen is not told, apart from what everybody asks for.
TOLD = {
    "listings_new": "listings new",
    "sellers_new": "sellers new",
    "labels_new": "labels new",
    "rejected": "rows rejected",
    "pictures_ok": "pictures stored",
    "pictures_failed": "pictures failed",
    "pictures_refused": "pictures refused",
    "matches": "matches",
    "scored": "scored",
    "band_high": "high",
    "band_medium": "medium",
    "band_low": "low",
    "scored_first": "scored for the first time",
    "scored_otherwise": "scored otherwise than before",
    "alarms": "alarms",
}
ALWAYS = frozenset({"listings_new", "scored"})
PREFECT_PREFACE = re.compile(r"^Flow run encountered an exception:\s*")
OVERLAPPED = "concurrency limit"  # Prefect's words when another run has the deployment's only slot
MESSAGE_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that has ended.

    Parameters
    ----------
    outcome
        Prefect's type of its last state: ``COMPLETED``, ``FAILED``, ``CRASHED`` or ``CANCELLED``.
    message
        What Prefect says about that state.
    due_at, started_at, ended_at
        Aware; a run that was left out never started.
    """

    outcome: str
    message: str
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime

    @property
    def took_s(self) -> float:
        """Seconds from start to end."""
        return 0.0 if self.started_at is None else (self.ended_at - self.started_at).total_seconds()


def summary_line(run: Ended, summaries: list[dict[str, Any]]) -> str:
    """Say in one line how a run ended.

    Parameters
    ----------
    summaries
        What its flows noted in the catalog.
    """
    due = f"{run.due_at.astimezone():%H:%M:%S} run"
    message = _plain(run.message)
    if run.outcome == "COMPLETED":
        return f"{due} done in {run.took_s:.0f} s: {_counts(ChainMap(*summaries))}"
    if BusyError.__name__ in message:
        return f"{due} left out: {message}"
    if OVERLAPPED in message:
        return f"{due} left out: the run before it was still going."
    if run.outcome == "FAILED":
        return f"{due} failed after {run.took_s:.0f} s: {message} The next run goes on from there."
    return f"{due} was ended after {run.took_s:.0f} s: {message} The next run goes on from there."


def _counts(summary: Mapping[str, Any]) -> str:
    parts = [f"{summary.get(name, 0):,} {words}" for name, words in TOLD.items() if name in ALWAYS or summary.get(name)]
    return ", ".join(parts)


def _plain(message: str) -> str:
    said = " ".join(PREFECT_PREFACE.sub("", message).split())
    return said if len(said) <= MESSAGE_CHARACTERS else said[: MESSAGE_CHARACTERS - 1] + "…"
