"""How far a long step is, shown at a terminal or in a log."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.progress import SILENCE, heard_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from data.progress import Listener


class Bars:
    """A person at a terminal: one bar a stage."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._stage = ""
        self._bar: TaskID | None = None

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Move the stage's bar; a stage that comes again gets another one."""
        if self._bar is None or stage != self._stage or self._bars.tasks[self._bar].finished:
            self.end_stage()
            self._stage, self._bar = stage, self._bars.add_task(stage, total=total)
        self._bars.update(self._bar, advance=done, total=total)

    def say(self, sentence: str) -> None:
        """Write the sentence above the bars."""
        self._bars.console.print(sentence, markup=False, highlight=False)

    def end_stage(self) -> None:
        """Fill the bar of a stage whose total was not known until now."""
        if self._bar is not None:
            self._bars.update(self._bar, total=self._bars.tasks[self._bar].completed)


@dataclass(slots=True)
class Stage:
    """A stage under way: since when, and how much of it is done."""

    name: str
    since_s: float
    done: int = 0


class Lines:
    """A log file or a pipe: a line when a stage begins, and one when it has ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage: Stage | None = None

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Count, and say so at the stage's beginning and end."""
        if self._stage is None or self._stage.name != stage:
            self.end_stage()
            self._stage = Stage(stage, time.monotonic())
            self.say(stage if total is None else f"{stage}: {total:,} to do")
        self._stage.done += done
        if self._stage.done == total:
            self.end_stage()

    def end_stage(self) -> None:
        """Say that the stage under way has ended, if there is one."""
        if self._stage is not None:
            seconds = time.monotonic() - self._stage.since_s
            done = f"{self._stage.done:,} " if self._stage.done else ""
            self.say(f"{self._stage.name}: {done}done in {seconds:.1f} s")
        self._stage = None

    def say(self, sentence: str) -> None:
        """Write a line."""
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def bars(console: Console, *, quiet: bool = False) -> Iterator[None]:
    """Show progress on a console until the block ends: bars at a terminal, lines elsewhere, nothing if ``quiet``."""
    with _listening(console, quiet=quiet) as listener, heard_by(listener):
        yield


@contextmanager
def _listening(console: Console, *, quiet: bool) -> Iterator[Listener]:
    if quiet:
        yield SILENCE
    elif console.is_terminal:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as shown:
            listener = Bars(shown)
            yield listener
            listener.end_stage()
    else:
        lines = Lines(console)
        yield lines
        lines.end_stage()
