"""What the tests of flows share: one Prefect server for all of them, and an environment that is put back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER_START_LIMIT_S = 120
OURS = ("SEENBEFORE_", "_SEENBEFORE_", "PREFECT_")


@pytest.fixture(autouse=True)
def _environment_put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start without settings from outside, and take back what a command under test sets for its own process."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    yield
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One Prefect server for all flows that are run in this process."""
    from flows.environment import prepare_prefect

    prepare_prefect(tmp_path_factory.mktemp("prefect"), quiet=True)
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=SERVER_START_LIMIT_S):
        yield
