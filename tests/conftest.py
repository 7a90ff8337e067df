"""What all tests share: the sample material beside the checkout, and a closed network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code, and every machine runs the same ones.
settings.register_profile("seenbefore", deadline=None, derandomize=True)
settings.load_profile("seenbefore")

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
