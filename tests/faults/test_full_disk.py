"""A disk that is full ends a run with a clear word, and once there is room the next run ends it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from data import durable
from data.errors import ExitCode
from tests.faults.interrupted import Market, digest, pictures

if TYPE_CHECKING:
    from pathlib import Path


class Disk:
    """Stands in for ``os.fsync``: room for some flushes, then for none, until somebody makes room."""

    def __init__(self, room: float, refusals: float = float("inf")) -> None:
        self.room = room
        self.refusals = refusals
        self.refused = 0

    def fsync(self, _descriptor: int) -> None:
        """Keep a file, or say that it does not fit."""
        self.room -= 1
        if self.room < 0 and self.refused < self.refusals:
            self.refused += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def market(tmp_path: Path) -> Market:
    """A small market."""
    return Market.drawn(tmp_path)


@pytest.fixture(autouse=True)
def _impatient(prefect_server: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once, and flush one by one on every system."""
    from flows.ingest import download

    monkeypatch.setattr(durable, "flushes_as_a_whole", lambda _descriptor: False)
    monkeypatch.setattr(download, "retry_delay_seconds", [0.0] * len(download.retry_delay_seconds))


def test_a_full_disk_ends_the_run_with_three_and_a_word_and_the_next_run_completes_it(
    tmp_path: Path, market: Market, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.cli.app import answer

    monkeypatch.setenv("SEENBEFORE_CHUNK_IMAGES", "40")
    undisturbed, home = tmp_path / "undisturbed", tmp_path / "home"
    assert answer(["--home", str(undisturbed), *market.command]) == ExitCode.DONE
    disk = Disk(room=50)
    monkeypatch.setattr(os, "fsync", disk.fsync)
    assert answer(["--home", str(home), *market.command]) == ExitCode.OUTSIDE
    assert os.strerror(errno.ENOSPC) in capsys.readouterr().err
    assert disk.refused
    assert list((home / "images" / "incoming").iterdir()) == [], "what did not fit was left lying around"
    disk.room = float("inf")
    assert answer(["--home", str(home), *market.command]) == ExitCode.DONE
    assert digest(home) == digest(undisturbed)
    assert pictures(home) == pictures(undisturbed)


def test_a_disk_that_is_full_for_a_moment_does_not_end_the_run(
    tmp_path: Path, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.cli.app import answer

    disk = Disk(room=10, refusals=1)
    monkeypatch.setattr(os, "fsync", disk.fsync)
    assert answer(["--home", str(tmp_path / "home"), *market.command]) == ExitCode.DONE
    assert disk.refused == 1
