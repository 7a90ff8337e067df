"""What a monitor says: checks with a state, the figures behind them, and alarms that are sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    ALARM = "alarm"
    UNKNOWN = "unknown"
    """There is too little to tell by; the check says what it lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something to act on.

    Parameters
    ----------
    sentence
        What, how much and since when.
    advice
        What to do.
    """

    sentence: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Figures to draw: one mark each, with its interval or its limit.

    Parameters
    ----------
    labels, values
        Of each mark; NaN leaves a gap.
    lows, highs
        Ends of each interval; where there are none, marks have no interval.
    limits
        What each value stays below by chance; where there are any, marks are bars lying below each other.
    shares
        Whether values are shares, shown in percent.
    caption
        How to read it.
    """

    labels: Sequence[str]
    values: Sequence[float]
    lows: Sequence[float] = ()
    highs: Sequence[float] = ()
    limits: Sequence[float] = ()
    shares: bool = True
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    code
        Short name for programs.
    name
        Name for people.
    found
        What is so now, in a sentence or two.
    known
        Whether there was enough to tell.
    alarms
        Empty if all is well.
    table
        The figures, columns named for people; empty if there are none.
    chart
        The most telling of them.
    """

    code: str
    name: str
    found: str
    known: bool = True
    alarms: tuple[Alarm, ...] = ()
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    chart: Chart | None = None

    @property
    def state(self) -> State:
        """How it ended."""
        if self.alarms:
            return State.ALARM
        return State.OK if self.known else State.UNKNOWN
