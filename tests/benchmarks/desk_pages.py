"""Measure the desk's pages in a large catalog, while somebody writes to it.

    python -m tests.benchmarks.desk_pages HOME --requests 200

HOME holds a catalog filled by ``tests.benchmarks.scale``. Every listing becomes an open case. A second process writes
some thousand rows in one transaction after the other, as an ingest does. An analyst's browser asks over real HTTP for
pages of the queue, with and without filters, and for cases, which it claims: each for the first time, when its rows
lie on the disk, and once more. Times are wall clock, in milliseconds, and beside them the processor time of a page,
with that of the asking client, which lives in the same process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pandas as pd
import uvicorn
from sqlalchemy import select, text

from data.catalog.database.frames import upsert
from data.catalog.database.schema import cases, sightings
from data.settings import load_settings
from models.serving.context import open_context
from review.access.authentication import TokenAuthenticator
from review.access.roles import Role, User
from review.access.sessions import COOKIE, Sessions
from review.application import create_app

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from models.serving.context import Context

SEED = 6
ROWS_A_TRANSACTION = 2_000
PAUSE_S = 0.05
QUEUES = (
    "/",
    "/?band=high",
    "/?band=medium&page=3",
    "/?least=100&most=500",
    "/?category=bikes",
    "/?days=30",
    "/?reason=copied_photos",
    "/?edit=crop&least=100",
    "/?page=40",
)
FILL = """
INSERT INTO cases
SELECT listing_key, observed_at, 'rule-1', score, CASE WHEN score > 0.9 THEN 'high' ELSE 'medium' END, value,
       score * value, seller_key, category, price, currency, CASE WHEN score > 0.5 THEN 'crop' ELSE '' END,
       'copied_photos', 1, created_at, 0, 'open', 0, NULL
FROM (SELECT *, abs(random() % 1000000) / 1000000.0 AS score, coalesce(price, 1.0) AS value FROM listings l
      WHERE observed_at = (SELECT min(observed_at) FROM listings WHERE listing_key = l.listing_key))
"""


def fill_cases(context: Context) -> int:
    """Make every listing an open case, once; return how many there are."""
    with context.catalog.write() as connection:
        if connection.execute(select(cases.c.listing_key).limit(1)).first() is None:
            connection.execute(text(FILL))
        return int(connection.execute(text("SELECT count(*) FROM cases")).scalar_one())


def write_on(home: Path, stop: Event, written: multiprocessing.Queue[int]) -> None:
    """Write rows until told to stop, and tell how many transactions those were."""
    context, number = open_context(load_settings(home)), 0
    at = pd.Timestamp("2020-01-01", tz="UTC")
    while not stop.is_set():
        keys = np.arange(ROWS_A_TRANSACTION) - (1 << 60) + number * ROWS_A_TRANSACTION
        rows = pd.DataFrame({"image_id": "f" * 64, "listing_key": keys, "seller_key": 1, "position": 0})
        with context.catalog.write() as connection:
            upsert(connection, sightings, rows.assign(observed_at=at, created_at=at, matched=1))
        number += 1
        time.sleep(PAUSE_S)
    written.put(number)


def measured(client: httpx.Client, paths: list[str]) -> np.ndarray:
    """Return how long each page took and how much processor time, in milliseconds, shape (pages, 2)."""
    times = []
    for path in paths:
        began, worked = time.perf_counter(), time.process_time()
        answer = client.get(path)
        times.append((time.perf_counter() - began, time.process_time() - worked))
        answer.raise_for_status()
    return np.array(times) * 1e3


def report(name: str, times: np.ndarray) -> None:
    """Print the middle, the 95th percentile and the largest."""
    middle, most, largest = np.percentile(times[:, 0], [50, 95, 100])
    told = f"p50 {middle:6.1f}  p95 {most:6.1f}  largest {largest:6.1f} ms; processor {np.median(times[:, 1]):5.1f} ms"
    print(f"{name:<36} {told}", flush=True)


def main() -> None:
    """Fill, serve, write, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seed", type=int, default=SEED, help="another one opens other cases")
    given = parser.parse_args()
    context, sessions = open_context(load_settings(given.home)), Sessions(b"benchmark")
    print(f"{fill_cases(context):,} open cases")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(create_app(context, TokenAuthenticator(sessions)), port=port, log_level="warning")
    )
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    with context.catalog.read() as connection:
        some = select(cases.c.listing_key).order_by(cases.c.priority.desc()).limit(10 * given.requests)
        keys = connection.execute(some).scalars().all()
    rng = np.random.default_rng(given.seed)
    queue = [str(path) for path in rng.choice(QUEUES, given.requests)]
    opened = [f"/cases/{key}" for key in rng.choice(keys, 2 * given.requests, replace=False)]
    before, beside = opened[: given.requests], opened[given.requests :]
    cookie = {COOKIE: sessions.begin(User("ada", Role.ANALYST))}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies=cookie, timeout=60) as client:
        measured(client, queue[:5])
        report("queue, nobody writing", measured(client, queue))
        report("case first opened, nobody writing", measured(client, before))
        report("case once more, nobody writing", measured(client, before[::-1]))
        spawn = multiprocessing.get_context("spawn")
        stop, written = spawn.Event(), spawn.Queue()
        writer = spawn.Process(target=write_on, args=(given.home, stop, written))
        writer.start()
        time.sleep(3)
        report("queue, beside a writer", measured(client, queue))
        report("case first opened, beside a writer", measured(client, beside))
        report("case once more, beside a writer", measured(client, beside[::-1]))
        stop.set()
        print(f"{written.get():,} transactions of {ROWS_A_TRANSACTION:,} rows meanwhile")
        writer.join()
    server.should_exit = True


if __name__ == "__main__":
    main()
