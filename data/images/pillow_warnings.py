"""Keeping Pillow's remarks about strangers' files out of the log, and out of the way."""

from __future__ import annotations

import contextlib
import threading
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_lock = threading.Lock()
_inside = 0
_silence: warnings.catch_warnings[None] | None = None


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Ignore warnings that Pillow's own modules raise, while any thread is inside.

    ``warnings.catch_warnings`` alone changes and restores one list for all threads, so two of them would restore each
    other's: here the first one in changes it and the last one out restores it. Without this a remark becomes an
    exception under ``-W error``, and a readable photograph a broken one.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _silence
    with _lock:
        if _inside == 0:
            _silence = warnings.catch_warnings()
            _silence.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
        _inside += 1


def _leave() -> None:
    global _inside, _silence
    with _lock:
        _inside -= 1
        if _inside == 0 and _silence is not None:
            _silence.__exit__(None, None, None)
            _silence = None
