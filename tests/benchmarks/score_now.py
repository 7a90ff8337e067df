"""Measure how long it takes to score one listing now, and for how long that keeps other writers waiting.

    python -m tests.benchmarks.score_now HOME PICTURES --requests 30

HOME holds a catalog with known pictures; PICTURES is a folder of JPEG files, some of which each asked listing brings.
The desk is asked as a program asks it, with the pictures in the request: there is nothing to download. Times are wall
clock in milliseconds, and the processor time of the desk's own process.
"""

from __future__ import annotations

import argparse
import base64
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from starlette.testclient import TestClient

from data.catalog.database.engine import Catalog
from data.settings import load_settings
from models.serving.context import open_context
from models.serving.scoring.scoring_warmup import warm_up
from review.access.authentication import TokenAuthenticator
from review.access.permissions import CSRF_HEADER
from review.access.roles import Role, User
from review.access.sessions import COOKIE, Sessions
from review.application import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

SEED = 6
PICTURES_A_LISTING = 4
held_ms: list[float] = []


@contextmanager
def timed(catalog: Catalog) -> Iterator[Connection]:
    """Suppose as the catalog does, and note for how long the turn of writers is held."""
    with supposing(catalog) as connection:
        began = time.perf_counter()
        yield connection
    held_ms.append((time.perf_counter() - began) * 1e3)


supposing = Catalog.supposing


def report(name: str, times: list[float]) -> None:
    """Print the middle, the 95th percentile and the largest."""
    middle, most = np.percentile(times, [50, 95])
    print(f"{name:<34} p50 {middle:7.1f}  p95 {most:7.1f}  largest {max(times):7.1f} ms", flush=True)


def main() -> None:
    """Ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--requests", type=int, default=30)
    parser.add_argument("--cold", action="store_true", help="do not prepare: the first call pays")
    given = parser.parse_args()
    context, sessions = open_context(load_settings(given.home)), Sessions(b"benchmark")
    files, rng = sorted(given.pictures.rglob("*.jpg")), np.random.default_rng(SEED)
    Catalog.supposing = timed  # type: ignore[method-assign]
    if not given.cold:
        began = time.perf_counter()
        warm_up(context, datetime.now(UTC))
        print(f"made ready in {time.perf_counter() - began:.1f} s")
    cookie = sessions.begin(User("ada", Role.ANALYST))
    begun = sessions.read(cookie)
    assert begun is not None
    walls, cpus = [], []
    app = create_app(context, TokenAuthenticator(sessions))
    with TestClient(app, base_url="http://127.0.0.1", cookies={COOKIE: cookie}) as client:
        for number in range(given.requests):
            chosen = rng.choice(len(files), PICTURES_A_LISTING, replace=False)
            listing = {
                "listing_id": f"asked-{number}", "seller_id": f"asking-{number}", "title": "bicycle", "price": "250",
                "currency": "EUR", "category": "bikes", "created_at": "2026-03-01T12:00:00Z",
                "pictures": [base64.b64encode(files[place].read_bytes()).decode() for place in chosen],
            }  # fmt: skip
            began, worked = time.perf_counter(), time.process_time()
            answer = client.post("/api/score", json=listing, headers={CSRF_HEADER: begun.csrf_token})
            walls.append((time.perf_counter() - began) * 1e3)
            cpus.append((time.process_time() - worked) * 1e3)
            answer.raise_for_status()
    print(f"first call {walls[0]:.0f} ms")
    report("later calls", walls[1:])
    report("processor time of the desk", cpus[1:])
    report("writers wait", held_ms[1:])


if __name__ == "__main__":
    main()
