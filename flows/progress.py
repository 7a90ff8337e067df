"""Telling a person how far a long step is; scheduled runs have nobody to tell."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console


class Listener(Protocol):
    """Somebody who wants to know."""

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Hear that ``done`` more of ``total`` are finished in a stage; ``total`` may be unknown."""


class Silence:
    """Nobody."""

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Hear nothing."""


class Bars:
    """A person at a terminal: one bar a stage."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._stages: dict[str, TaskID] = {}

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Move the stage's bar."""
        if stage not in self._stages:
            self._stages[stage] = self._bars.add_task(stage, total=total)
        bar = self._stages[stage]
        self._bars.update(bar, advance=done, total=total)


_SILENCE = Silence()
_listener: ContextVar[Listener] = ContextVar("progress_listener", default=_SILENCE)


def advance(stage: str, done: int, total: int | None = None) -> None:
    """Report progress to whoever listens."""
    _listener.get().advance(stage, done, total)


@contextmanager
def bars(console: Console) -> Iterator[None]:
    """Show progress bars on a console until the block ends; a console that is no terminal stays quiet."""
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        token = _listener.set(Bars(shown))
        try:
            yield
        finally:
            _listener.reset(token)
