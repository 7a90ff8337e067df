"""What the tests of flows share: an environment that is put back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = ("SEENBEFORE_", "_SEENBEFORE_", "PREFECT_")


@pytest.fixture(autouse=True)
def _environment_put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start without settings from outside, and take back what a command under test sets for its own process."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    yield
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
