"""Pictures that would take the run down are remembered as poison, and nothing else happens."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select

from data.catalog.database.frames import read_frame
from data.catalog.database.schema import images
from data.catalog.market.pictures import descriptors_of, pending_pictures
from data.errors import WorkerError
from data.images.decode import decode
from data.settings import DecodeSettings
from features.hashing.fingerprint import RECIPE, fingerprint_and_descriptor
from features.keypoints.descriptor import BLOBS, pack
from models.serving.decoding import worker_pool
from models.serving.decoding.worker import Late, Wanted, hear, tell
from models.serving.decoding.worker_pool import Workers
from models.serving.pictures import fetch_pictures
from tests.flows.filled import as_file, fill, photo, posted
from tests.models.serving.decoding import poisonous_worker as poison

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
COMMAND = (sys.executable, "-P", poison.__file__)
TIMEOUT_S = 3.0
PATIENCE_S = 20.0
RECORDED = ("image_id", "status", "reason", "recipe", "ahash")
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
    here, sketch = fingerprint_and_descriptor(decode(good, DecodeSettings()).image)
    row = workers.fingerprint(good)
    assert {name: row[name] for name in HASHES} == {name: getattr(here, name) for name in HASHES}
    assert {name: row[name] for name in BLOBS} == pack(sketch)
    assert (row["information"], row["untransposed_phash"]) == (here.information, None)
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
    answer = workers.fingerprint(content)
    assert set(answer) == {"reason", "detail"}
    assert answer["reason"] == reason
    assert answer["detail"].endswith(".")
    assert workers.fingerprint(good)["reason"] is None


@pytest.mark.parametrize("content", [poison.SEGFAULT, b"no picture at all", b""])
def test_what_is_no_picture_has_no_thumbnail(workers, good, content):
    assert workers.thumbnail(content, 320) is None
    assert workers.thumbnail(good, 320) is not None


@pytest.mark.parametrize("size", [(1600, 400), (90, 60), (1, 1)])
def test_a_thumbnail_is_the_picture_made_small_and_nothing_else_of_its_file(workers, size):
    image = photo(3).resize(size)
    secret = b"from a stranger"
    exif = Image.Exif()
    exif[0x010E] = secret.decode()
    jpeg = workers.thumbnail(as_file(image, quality=95, comment=secret, icc_profile=secret, exif=exif), 320)
    assert secret not in jpeg
    with Image.open(io.BytesIO(jpeg)) as small:
        assert (small.format, small.mode, max(small.size)) == ("JPEG", "RGB", min(320, max(size)))
        levels = np.asarray(small, np.int16)
    expected = np.asarray(image.resize((levels.shape[1], levels.shape[0])), np.int16)
    assert np.abs(levels - expected).mean() < 8


def test_a_crash_that_does_not_happen_again_is_not_the_pictures_fault(workers, tmp_path):
    assert workers.fingerprint(poison.ONCE + os.fsencode(tmp_path / "mark")) == {"reason": None}
    assert (tmp_path / "mark").exists()


def test_threads_that_read_at_once_each_get_the_answer_to_their_own_picture(workers, good):
    contents = [good, poison.SEGFAULT, b"", poison.MEMORY, good, b"no picture at all"] * 2
    with ThreadPoolExecutor(3) as threads:
        reasons = [row["reason"] for row in threads.map(workers.fingerprint, contents)]
    assert reasons == [None, "poison_crash", "empty", "poison_memory", None, "unknown_format"] * 2


def test_a_stop_that_is_meant_for_all_does_not_end_a_worker(workers, good):
    workers.fingerprint(good)
    worker = workers._idle[-1]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        worker.process.send_signal(number)
    assert worker.ask(Wanted.FINGERPRINT, good)["reason"] is None


def test_a_worker_that_died_idle_is_replaced(workers, good):
    workers.fingerprint(good)
    for worker in workers._idle:
        worker.process.kill()
        worker.process.wait()
    assert workers.fingerprint(good)["reason"] is None


def test_a_worker_that_the_system_has_stopped_is_ended_from_outside(settings, good, monkeypatch):
    monkeypatch.setattr(worker_pool, "GRACE_S", 0.0)
    worker = worker_pool.Worker(COMMAND, settings)
    worker.process.send_signal(signal.SIGSTOP)
    assert worker.ask(Wanted.FINGERPRINT, good) == "poison_time"
    assert not worker.alive


@given(
    st.dictionaries(st.text(), st.none() | st.integers(0, 2**64 - 1) | st.floats(allow_nan=False) | st.text()),
    st.dictionaries(st.text(), st.binary()),
)
def test_a_message_arrives_as_it_was_sent(plain, octets):
    ours, theirs = Pipe()
    with ours, theirs:
        tell(ours, plain | octets)
        assert hear(theirs) == plain | octets


def test_a_message_of_which_only_the_beginning_comes_is_late_and_one_that_is_cut_off_is_lost():
    ours, theirs = Pipe()
    with theirs:
        ours.send_bytes(b'[{"reason": null}, ["thumbnail"]]')
        with pytest.raises(Late):
            hear(theirs, patience_s=0.01)
        ours.send_bytes(b'[{"reason": null}, ["thumbnail"]]')
        ours.close()
        with pytest.raises(EOFError):
            hear(theirs)


def test_workers_that_cannot_start_are_nobodys_poison(settings, good):
    with pytest.raises(WorkerError, match="ended with 1"):
        Workers(settings, (sys.executable, "-c", "raise SystemExit(1)")).fingerprint(good)


def test_a_run_goes_on_after_poison_and_does_not_try_it_again(tmp_path, settings, workers, good, monkeypatch):
    monkeypatch.setattr(fetch_pictures, "workers_for", lambda _: workers)
    context = fill(
        tmp_path,
        posted("a", "s", 1, good, poison.MEMORY, as_file(photo(2).resize((160, 120))), poison.SEGFAULT, poison.TIME),
    )
    with context.catalog.read() as connection:
        rows = read_frame(connection, select(*(images.c[name] for name in RECORDED)))
        assert pending_pictures(connection, RECIPE) == []
        assert len(pending_pictures(connection, "another recipe")) == len(rows)
    hashed = rows["status"] == "hashed"
    assert hashed.sum() == 2
    assert rows.loc[hashed, "ahash"].notna().all()
    assert set(rows.loc[~hashed, "reason"]) == {"poison_memory", "poison_crash", "poison_time"}
    assert set(rows["recipe"]) == {RECIPE}
    with context.catalog.read() as connection:
        sketched = descriptors_of(connection, rows["image_id"], RECIPE)
    assert set(sketched.image_id) == set(rows.loc[hashed, "image_id"])


STARTS_ONE = """
    import sys
    from data.settings import DecodeSettings
    from models.serving.decoding.worker_pool import Wanted, Worker
    from tests.models.serving.decoding import poisonous_worker as poison
    worker = Worker((sys.executable, "-P", poison.__file__), DecodeSettings(timeout_s=2))
    print(worker.process.pid, flush=True)
    {then}
"""


@pytest.mark.parametrize(
    "then", ["worker.ask(Wanted.FINGERPRINT, poison.TIME)", "sys.stdin.read()"], ids=["busy", "idle"]
)
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
        workers.fingerprint(good + bytes([number]))
    before = process.memory_info().rss, psutil.Process(workers._idle[-1].process.pid).memory_info().rss
    for number in range(600):
        workers.fingerprint(good + bytes([number % 256, number // 256]))
    after = process.memory_info().rss, psutil.Process(workers._idle[-1].process.pid).memory_info().rss
    assert all(late - early < 10 << 20 for early, late in zip(before, after, strict=True))
