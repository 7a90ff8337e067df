"""One verdict, from its request to the end of the next training."""

from __future__ import annotations

import re
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, ProxyHandler, build_opener

import numpy as np
import pandas as pd

from .calls import read
from .checkout import Checkout

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from .calls import Walk

SEED = 8
START = datetime(2025, 1, 1, tzinfo=UTC)
LISTINGS, DAYS, SELLERS = 900, 180, 150
DESK, TRAINING = "verdict", "training"
OPENS_WITHIN_S = 300.0
IDLE_S = 5.0


def market(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return listings without pictures, in which frauds are cheap and urge, and labels of most of them."""
    seller = rng.integers(0, SELLERS, LISTINGS)
    fraud = (seller % 7 == 0) & (rng.random(LISTINGS) < 0.9)
    created = START + pd.to_timedelta(np.sort(rng.random(LISTINGS)) * DAYS, unit="D").floor("s")
    told = np.where(fraud, "Urgent, pay first, contact me by mail only.", "Little used, to be fetched in person.")
    kinds = rng.choice(["table", "bicycle", "camera", "sofa"], LISTINGS)
    listings = pd.DataFrame(
        {
            "listing_id": [f"L{row}" for row in range(LISTINGS)],
            "seller_id": [f"S{number}" for number in seller],
            "created_at": [moment.isoformat() for moment in created],
            "image_urls": "[]",
            "title": [f"{kind} no. {row}" for row, kind in enumerate(kinds)],
            "description": told,
            "category": kinds,
            "price": np.round(rng.uniform(80, 120, LISTINGS) * np.where(fraud, 0.5, 1.0), 2),
            "currency": "EUR",
        }
    )
    labels = listings[["listing_id"]].assign(
        label=np.where(fraud, "fraud", "legit"),
        labelled_at=[(moment + timedelta(days=3)).isoformat() for moment in created],
    )
    return listings, labels.iloc[: LISTINGS * 5 // 6]


def walk_verdict(root: Path, work: Path) -> Walk:
    """Walk a verdict to the next training."""
    checkout = Checkout(root, work / "verdict")
    listings, labels = market(np.random.default_rng(SEED))
    listings.to_csv(checkout.work / "listings.csv", index=False)
    labels.to_csv(checkout.work / "labels.csv", index=False)
    checkout.run("run", "listings.csv", "--labels", "labels.csv")
    asked_ns, answered_ns = decide_one(checkout)
    desk = [call for call in read(checkout.traces).calls if asked_ns <= call.at_ns <= answered_ns]
    verdicts = checkout.table("verdicts")
    if len(verdicts) != 1:
        raise SystemExit(f"{root}: one verdict was given, {len(verdicts)} were kept.\n{verdicts.T}")
    checkout.forget_traces()
    checkout.run("train", "--promote", "never", watched=True)
    return [(DESK, call) for call in desk] + [(TRAINING, call) for call in read(checkout.traces).calls]


class NoFurther(HTTPRedirectHandler):
    """Takes an answer that leads on for the answer."""

    def redirect_request(self, *_: object) -> None:
        return None


def decide_one(checkout: Checkout) -> tuple[int, int]:
    """Decide the first case at the desk; return when the verdict was sent and when it was answered, in ns."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with checkout.start("review", "--port", str(port), watched=True) as desk:
        try:
            cookies = HTTPCookieProcessor(CookieJar())
            browser = build_opener(ProxyHandler({}), cookies)
            browser.open(greeted(desk)).close()
            with browser.open(f"http://127.0.0.1:{port}/next") as case:
                address, page = case.geturl(), case.read().decode()
            way = re.search(r'<form[^>]*action="([^"]*/verdict)"', page)
            if way is None:
                raise SystemExit(f"{checkout.root}: {address} shows no case to decide.\n{page}")
            form = dict(re.findall(r'name="(csrf|seen_version)" value="([^"]*)"', page))
            wait_until_idle(checkout)
            asked_ns = time.monotonic_ns()
            try:
                sent = urlencode(form | {"verdict": "fraud"}).encode()
                build_opener(ProxyHandler({}), cookies, NoFurther()).open(urljoin(address, way[1]), sent)
            except HTTPError as error:
                if error.code != HTTPStatus.SEE_OTHER:
                    raise
            answered_ns = time.monotonic_ns()
        finally:
            desk.terminate()
    return asked_ns, answered_ns


def wait_until_idle(checkout: Checkout) -> None:
    """Wait until the desk is done with what it does at its start: for some seconds it called nothing of ours."""
    before = -1
    while before != (before := sum(file.stat().st_size for file in checkout.traces.iterdir())):
        time.sleep(IDLE_S)


def greeted(desk: subprocess.Popen[str]) -> str:
    """Wait for the address that opens the desk."""
    watchdog = threading.Timer(OPENS_WITHIN_S, desk.terminate)
    watchdog.start()
    assert desk.stdout
    try:
        for line in desk.stdout:
            if found := re.search(r"http://\S+token=\S+", line):
                return found[0]
    finally:
        watchdog.cancel()
    raise SystemExit("The desk did not open.")
