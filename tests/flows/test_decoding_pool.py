"""Pictures that would take the run down are remembered as poison, and nothing else happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest
from sqlalchemy import select

from data.catalog.frames import read_frame
from data.catalog.images import pending_pictures
from data.catalog.tables import images
from data.errors import WorkerError
from data.images.decode import decode
from data.settings import DecodeSettings
from features.hashing import RECIPE, fingerprint
from flows.decoding import pool
from flows.decoding.pool import Workers
from flows.steps import pictures
from tests.flows import poisonous_worker as poison
from tests.flows.filled import as_file, fill, photo, posted

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = (sys.executable, "-P", poison.__file__)
TIMEOUT_S = 3.0
PATIENCE_S = 20.0
HASHES = ("ahash", "phash", "dhash", "whash", "colorhash")


@pytest.fixture(scope="module")
def settings() -> DecodeSettings:
    return DecodeSettings(timeout_s=TIMEOUT_S)


@pytest.fixture(scope="module")
def workers(settings: DecodeSettings) -> Iterator[Workers]:
    started = Workers(settings, COMMAND)
    yield started
    started.end()


@pytest.fixture(scope="module")
def good() -> bytes:
    return as_file(photo(1).resize((160, 120)))


def gone(pid: int) -> bool:
    """Whether a process ends in good time."""
    try:
        psutil.Process(pid).wait(PATIENCE_S)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_a_worker_gives_what_decoding_and_hashing_in_this_process_give(workers, good):
    here = fingerprint(decode(good, DecodeSettings()).image)
    row = workers.read(good)
    assert {name: row[name] for name in HASHES} == {name: getattr(here, name) for name in HASHES}
    assert row["information"] == here.information
    assert (row["reason"], row["format"], row["orientation"]) == (None, "JPEG", 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (poison.TIME, "poison_time"),
        (poison.MEMORY, "poison_memory"),
        (poison.SEGFAULT, "poison_crash"),
        (poison.KILLED, "poison_crash"),
        (poison.BUG, "poison_crash"),
        (b"no picture at all", "unknown_format"),
    ],
)
def test_what_ends_two_workers_is_poison_and_the_next_picture_is_read(workers, good, content, reason):
    assert workers.read(content) == {"reason": reason}
    assert workers.read(good)["reason"] is None


def test_a_crash_that_does_not_happen_again_is_not_the_pictures_fault(workers, tmp_path):
    assert workers.read(poison.ONCE + os.fsencode(tmp_path / "mark")) == {"reason": None}
    assert (tmp_path / "mark").exists()


def test_threads_that_read_at_once_each_get_the_answer_to_their_own_picture(workers, good):
    contents = [good, poison.SEGFAULT, b"", poison.MEMORY, good, b"no picture at all"] * 2
    with ThreadPoolExecutor(3) as threads:
        reasons = [row["reason"] for row in threads.map(workers.read, contents)]
    assert reasons == [None, "poison_crash", "empty", "poison_memory", None, "unknown_format"] * 2


def test_a_stop_that_is_meant_for_all_does_not_end_a_worker(workers, good):
    workers.read(good)
    worker = workers._idle[-1]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        worker.process.send_signal(number)
    assert worker.read(good)["reason"] is None


def test_a_worker_that_died_idle_is_replaced(workers, good):
    workers.read(good)
    for worker in workers._idle:
        worker.process.kill()
        worker.process.wait()
    assert workers.read(good)["reason"] is None


def test_a_worker_that_the_system_has_stopped_is_ended_from_outside(settings, good, monkeypatch):
    monkeypatch.setattr(pool, "GRACE_S", 0.0)
    worker = pool.Worker(COMMAND, settings)
    worker.process.send_signal(signal.SIGSTOP)
    assert worker.read(good) == "poison_time"
    assert not worker.alive


def test_workers_that_cannot_start_are_nobodys_poison(settings, good):
    with pytest.raises(WorkerError, match="ended with 1"):
        Workers(settings, (sys.executable, "-c", "raise SystemExit(1)")).read(good)


def test_a_run_goes_on_after_poison_and_does_not_try_it_again(tmp_path, settings, workers, good, monkeypatch):
    monkeypatch.setattr(pictures, "workers_for", lambda _: workers)
    context = fill(
        tmp_path,
        posted("a", "s", 1, good, poison.MEMORY, as_file(photo(2).resize((160, 120))), poison.SEGFAULT, poison.TIME),
    )
    with context.catalog.read() as connection:
        rows = read_frame(connection, select(images.c.status, images.c.reason, images.c.recipe, images.c.ahash))
        assert pending_pictures(connection, RECIPE) == []
        assert len(pending_pictures(connection, "another recipe")) == len(rows)
    hashed = rows["status"] == "hashed"
    assert hashed.sum() == 2
    assert rows.loc[hashed, "ahash"].notna().all()
    assert set(rows.loc[~hashed, "reason"]) == {"poison_memory", "poison_crash", "poison_time"}
    assert set(rows["recipe"]) == {RECIPE}


STARTS_ONE = """
    import sys
    from data.settings import DecodeSettings
    from flows.decoding.pool import Worker
    from tests.flows import poisonous_worker as poison
    worker = Worker((sys.executable, "-P", poison.__file__), DecodeSettings(timeout_s=2))
    print(worker.process.pid, flush=True)
    {then}
"""


@pytest.mark.parametrize("then", ["worker.read(poison.TIME)", "sys.stdin.read()"], ids=["busy", "idle"])
def test_a_killed_run_leaves_no_worker_behind(then):
    program = textwrap.dedent(STARTS_ONE.format(then=then))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    run_it = [sys.executable, "-c", program]
    with subprocess.Popen(run_it, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as run:
        worker = int(run.stdout.readline())
        time.sleep(0.2)  # until the picture has been sent
        run.kill()
    assert gone(worker)


def test_memory_stays_flat_over_many_pictures(workers, good):
    process = psutil.Process()
    for number in range(100):
        workers.read(good + bytes([number]))
    before = process.memory_info().rss, psutil.Process(workers._idle[-1].process.pid).memory_info().rss
    for number in range(600):
        workers.read(good + bytes([number % 256, number // 256]))
    after = process.memory_info().rss, psutil.Process(workers._idle[-1].process.pid).memory_info().rss
    assert all(late - early < 10 << 20 for early, late in zip(before, after, strict=True))
