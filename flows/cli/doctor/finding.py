"""What a check found, how bad that is, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from data.errors import ExitCode


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's table.

    Parameters
    ----------
    check
        What was looked at.
    state
        ``bad`` keeps runs from ending well; ``warn`` does not.
    found
        What is the case.
    advice
        What to do; empty where there is nothing to do.
    whose
        Whose it is to mend, if it is bad: the caller's settings, or the world outside.
    """

    check: str
    state: State
    found: str
    advice: str = ""
    whose: ExitCode = ExitCode.OUTSIDE


def ok(check: str, found: str) -> Finding:
    """Return a finding that nothing needs to be done about."""
    return Finding(check, State.OK, found)


def exit_code(findings: Sequence[Finding]) -> ExitCode:
    """Return how the doctor ends: 0 if nothing is bad, 2 if a setting is, else 3."""
    bad = [finding.whose for finding in findings if finding.state is State.BAD]
    return min(bad, default=ExitCode.DONE)
