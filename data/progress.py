"""Telling whoever waits how far a long step is; scheduled runs have nobody to tell."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Listener(Protocol):
    """Somebody who wants to know."""

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Hear that ``done`` more of ``total`` are finished in a stage; ``total`` may be unknown."""

    def say(self, sentence: str) -> None:
        """Hear what a person should know who wonders why nothing happens."""


class Silence:
    """Nobody waits; what a person should know still goes where errors go."""

    def advance(self, stage: str, done: int, total: int | None) -> None:
        """Hear nothing."""

    def say(self, sentence: str) -> None:
        """Write the sentence."""
        print(sentence, file=sys.stderr)


SILENCE = Silence()
_listener: ContextVar[Listener] = ContextVar("progress_listener", default=SILENCE)


def advance(stage: str, done: int, total: int | None = None) -> None:
    """Report progress to whoever listens."""
    _listener.get().advance(stage, done, total)


def say(sentence: str) -> None:
    """Tell whoever listens a sentence."""
    _listener.get().say(sentence)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Report to somebody until the block ends."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
