"""What all tests share: the sample material beside the checkout, servers, fresh databases, and a closed network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

from tests.postgres import fresh_schema, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

# How long an example takes says more about the machine than about the code, and every machine runs the same ones. What
# fails is told at once, as it was drawn; a smaller example may take minutes to find, and is looked for when asked.
FULL = os.environ.get("SEENBEFORE_FULL") == "1"
PHASES = tuple(Phase) if FULL else (Phase.explicit, Phase.reuse, Phase.generate)
settings.register_profile("seenbefore", deadline=None, derandomize=True, print_blob=True, phases=PHASES)
settings.load_profile("seenbefore")

PREFECT_START_LIMIT_S = 120
CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photographs, tables and hostile files that lies beside the checkout."""
    folder = Path(os.environ.get("SEENBEFORE_SHARED", CHECKOUT.parent / "shared"))
    if not (folder / "photos").is_dir():
        pytest.skip(f"sample photographs are not here ({folder.name}/photos beside the checkout)")
    return folder


@pytest.fixture(autouse=True)
def _loopback_only(socket_enabled: None) -> None:
    """Close the network, loopback excepted."""
    import pytest_socket

    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """A PostgreSQL server: the one the environment names, or a private one behind a socket in a folder of its own."""
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'catalog.sqlite'}"
        return
    with fresh_schema(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One Prefect server for all flows that are run in this process."""
    from flows.runtime.environment import prepare_prefect

    prepare_prefect(tmp_path_factory.mktemp("prefect"), quiet=True)
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=PREFECT_START_LIMIT_S):
        yield
