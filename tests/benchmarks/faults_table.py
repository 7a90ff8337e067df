"""Show how downloads end at servers and addresses that mean harm.

    python -m tests.benchmarks.faults_table [../shared/hostile/strings]

Three tables: every fault of the fault server with the reason that is stored, the seconds it took and the most it may
take; every spelling of an address that is not public, refused before any name is resolved; and every address that a
name may lead to, refused before anything is dialled. With a folder of collected attacks, these too. The command fails
if a line is not as it should be.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from data.images.download.fetcher import Fetcher
from data.images.fetch_outcome import FetchStatus
from data.images.store.image_store import ImageStore
from data.settings import FetchSettings
from tests.data.images.fault_server import BOUND_S, FAULTS, TIMEOUT_S, FaultServer, some_settings
from tests.data.images.private_addresses import RESOLVED, SPELLINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.images.fetch_outcome import FetchOutcome

NEXT_RUN = {FetchStatus.FAILED: "tries again", FetchStatus.REFUSED: "never asks", FetchStatus.GONE: "never asks"}
NAME = "photos.example.com"


class Network:
    """Notes what is resolved and dialled; one name leads where it is told to, and nothing can be reached."""

    def __init__(self) -> None:
        self.resolved: list[str] = []
        self.dialled: list[object] = []
        self.address = "127.0.0.1"

    def resolve(self, host: str, port: int, *_args: object, **_options: object) -> list[tuple]:
        self.resolved.append(host)
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        place = (self.address, port or 0, 0, 0) if ":" in self.address else (self.address, port or 0)
        return [(family, socket.SOCK_STREAM, 6, "", place)]

    def dial(self, address: object, *_args: object, **_options: object) -> socket.socket:
        self.dialled.append(address)
        raise ConnectionRefusedError


@contextmanager
def pretended_network() -> Iterator[Network]:
    network = Network()
    with (
        patch.object(socket, "getaddrinfo", network.resolve),
        patch("urllib3.util.connection.create_connection", network.dial),
    ):
        yield network


def faults(store: ImageStore) -> bool:
    """Print what every fault ends as; tell whether all end as they should."""
    print(f"{'fault':36}{'stored reason':20}{'seconds':>8}{'bound':>7}  next run")
    fine = True
    for name, (play, expected) in FAULTS.items():
        with closing(FaultServer()) as server, Fetcher(some_settings(server), store) as fetcher:
            url = server.play("/fault", play)
            began_s = time.monotonic()
            (outcome,) = fetcher.fetch([url])
            seconds = time.monotonic() - began_s
        as_it_should = outcome.reason is expected and seconds < BOUND_S
        fine &= as_it_should
        end = NEXT_RUN[outcome.status] + ("" if as_it_should else f"  WRONG: expected {expected}")
        print(f"{name:36}{outcome.reason:20}{seconds:8.2f}{BOUND_S:7.1f}  {end}")
    stored = list(store.ids())
    print(f"{len(FAULTS)} faults; a download may take {TIMEOUT_S} s in all; pictures stored: {len(stored)}\n")
    return fine and not stored


def spellings(store: ImageStore) -> bool:
    """Print why every spelling is refused; tell whether all are, with nothing resolved or dialled."""
    with pretended_network() as network:
        outcomes = ask([f"http://{host}/" for host in SPELLINGS], store)
    for outcome in outcomes:
        print(f"{outcome.url:44}{outcome.reason}")
    refused = sum(outcome.status is FetchStatus.REFUSED for outcome in outcomes)
    print(
        f"{refused} of {len(outcomes)} spellings refused; names resolved: {len(network.resolved)}, "
        f"dialled: {len(network.dialled)}\n"
    )
    return refused == len(outcomes) and not network.resolved and not network.dialled


def resolved(store: ImageStore) -> bool:
    """Print why every address a name leads to is refused; tell whether all are, with nothing dialled."""
    fine = True
    for address, expected in RESOLVED:
        with pretended_network() as network:
            network.address = address
            (outcome,) = ask([f"http://{NAME}/"], store)
        fine &= outcome.reason is expected and not network.dialled
        print(f"{NAME} → {address:22}{outcome.reason:20}dialled: {len(network.dialled)}")
    print()
    return fine


def attacks(folder: Path, store: ImageStore) -> bool:
    """Print how collected attacks end while every name leads to this machine; tell whether all are refused."""
    texts = [(folder / name).read_text("utf-8") for name in ("ssrf_urls.txt", "ssrf_cloud_metadata.txt")]
    lines = dict.fromkeys(line for text in texts for line in text.splitlines() if line and not line.startswith("#"))
    with pretended_network() as network:
        outcomes = ask(list(lines), store)
    for reason in sorted({outcome.reason for outcome in outcomes}):
        print(f"{reason:20}{sum(outcome.reason is reason for outcome in outcomes):5}")
    refused = sum(outcome.status is FetchStatus.REFUSED for outcome in outcomes)
    print(f"{refused} of {len(outcomes)} collected attacks refused; dialled: {len(network.dialled)}")
    return refused == len(outcomes) and not network.dialled


def ask(urls: list[str], store: ImageStore) -> list[FetchOutcome]:
    with Fetcher(FetchSettings(), store) as fetcher:
        return fetcher.fetch(urls)


def main() -> int:
    """Print all tables; the number of those with a wrong line is the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        store = ImageStore(folder)
        fine = [faults(store), spellings(store), resolved(store)]
        fine += [attacks(Path(given), store) for given in sys.argv[1:]]
    return fine.count(False)


if __name__ == "__main__":
    sys.exit(main())
