"""Files get their names when their bytes are safe from a power cut, whatever ends the writer in between."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import resource
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data import durable
from data.durable import Disk, flushes_as_a_whole
from data.errors import StoreError
from data.images.store.image_store import ImageStore

CONTENTS = [bytes([number]) * 5000 for number in range(3)]
IDS = [hashlib.sha256(content).hexdigest() for content in CONTENTS]
LATER = datetime(2100, 1, 1, tzinfo=UTC)
spawn = multiprocessing.get_context("spawn")


@pytest.fixture(params=[True, False], ids=["flushed as a whole", "flushed one by one"])
def whole(request, monkeypatch):
    """Whether the system can flush all at once; where it cannot, that way is left to machines where it can."""
    if request.param and not _can_be_flushed_as_a_whole():
        pytest.skip("this file system is flushed one by one")
    monkeypatch.setattr(durable, "flushes_as_a_whole", lambda _descriptor: request.param)
    return request.param


def _can_be_flushed_as_a_whole():
    descriptor = os.open(Path(__file__).parent, os.O_RDONLY)
    try:
        return flushes_as_a_whole(descriptor)
    finally:
        os.close(descriptor)


@pytest.fixture
def events(monkeypatch):
    """What was done to the disk, in order: a path was flushed, all was (``None``), or a file got its name."""
    done = []
    flush, call, replace = os.fsync, durable._call, os.replace

    def note_flush(descriptor):
        done.append(("flushed", Path(f"/proc/self/fd/{descriptor}").readlink()))
        flush(descriptor)

    def note_call(name, *arguments):
        if name == "syncfs":
            done.append(("flushed", None))
        call(name, *arguments)

    def note_replace(source, target):
        done.append(("named", Path(source)))
        replace(source, target)

    monkeypatch.setattr("os.fsync", note_flush)
    monkeypatch.setattr("os.replace", note_replace)
    monkeypatch.setattr(durable, "_call", note_call)
    return done


def named(folder):
    return sorted(path.name for path in folder.glob("??/*"))


def waiting(folder):
    return list((folder / "incoming").glob("*"))


def put_all(store):
    return [store.put(content) for content in CONTENTS]


def folders_of(root):
    return {root, *(root / image_id[:2] for image_id in IDS)}


def test_bytes_are_flushed_before_they_are_named_and_names_before_the_flush_ends(tmp_path, whole, events):
    store = ImageStore(str(tmp_path))
    put_all(store)
    asides = set(waiting(tmp_path))
    assert events == []
    store.flush(IDS)
    names = [number for number, (event, _path) in enumerate(events) if event == "named"]
    before, between, after = events[: names[0]], events[names[0] : names[-1] + 1], events[names[-1] + 1 :]
    assert {path for _event, path in between} == asides
    assert {event for event, _path in [*before, *after]} == {"flushed"}
    assert {path for _event, path in before} == ({None} if whole else asides)
    assert {path for _event, path in after} == ({None} if whole else folders_of(tmp_path))


def test_names_that_another_process_gave_are_flushed_too_and_nothing_is_named_again(tmp_path, whole, events):
    other = ImageStore(str(tmp_path))
    other.flush(put_all(other))
    events.clear()
    store = ImageStore(str(tmp_path))
    store.flush(put_all(store))
    assert {event for event, _path in events} == {"flushed"}
    assert {path for _event, path in events} == ({None} if whole else folders_of(tmp_path))


def test_nothing_to_flush_touches_nothing(tmp_path, events):
    ImageStore(str(tmp_path / "images")).flush([])
    assert events == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_flushed_is_there_for_its_writer_only(tmp_path):
    store, other = ImageStore(str(tmp_path)), ImageStore(str(tmp_path))
    first, second, _third = put_all(store)
    assert store.get(first) == CONTENTS[0]
    assert not other.exists(first)
    assert named(tmp_path) == []
    store.flush([first])
    assert other.get(first) == CONTENTS[0]
    assert not other.exists(second)
    assert named(tmp_path) == [first]


@pytest.mark.parametrize("fails", ["before", "after"])
def test_a_flush_that_fails_is_told_and_forgets_all_that_waits(tmp_path, whole, fails, monkeypatch):
    store = ImageStore(str(tmp_path))
    put_all(store)
    flush, calls = Disk.flush, []

    def full(disk, paths):
        calls.append(paths)
        if len(calls) == (1 if fails == "before" else 2):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(disk, paths)

    monkeypatch.setattr(Disk, "flush", full)
    with pytest.raises(StoreError, match="No space left"):
        store.flush(IDS[:2])
    assert waiting(tmp_path) == []
    assert not store.exists(IDS[2]), "another thread's bytes may be lost as well"
    with pytest.raises(StoreError, match="flushing"):
        store.flush(IDS[2:])
    store.flush(put_all(store))
    assert named(tmp_path) == sorted(IDS)


def test_a_picture_that_nobody_put_cannot_be_flushed_and_takes_no_other_with_it(tmp_path):
    store = ImageStore(str(tmp_path))
    store.put(CONTENTS[0])
    with pytest.raises(StoreError, match="flushing"):
        store.flush(IDS[1:])
    store.flush(IDS[:1])
    assert named(tmp_path) == IDS[:1]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path):
    store = ImageStore(str(tmp_path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(CONTENTS[0]) // 2, before[1]))
    try:
        with pytest.raises(StoreError, match="File too large"):
            store.put(CONTENTS[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not store.exists(IDS[0])
    assert waiting(tmp_path) == []
    assert store.get(store.put(CONTENTS[0])) == CONTENTS[0]


def test_an_object_that_goes_takes_along_what_it_never_flushed(tmp_path):
    store = ImageStore(str(tmp_path))
    store.flush([store.put(CONTENTS[0])])
    store.put(CONTENTS[1])
    del store
    assert waiting(tmp_path) == []
    assert named(tmp_path) == IDS[:1]


def _store_and_be_killed(root, flushes, names):
    """Put and flush, and be killed as soon as some flushes and some names are through."""
    left = {"flushes": flushes, "names": names}

    def counted(what, act):
        def count_and_act(*arguments):
            if left[what] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            act(*arguments)
            left[what] -= 1

        return count_and_act

    Disk.flush, os.replace = counted("flushes", Disk.flush), counted("names", os.replace)
    store = ImageStore(root)
    store.flush(put_all(store))


@pytest.mark.parametrize(
    ("flushes", "names", "visible"),
    [(0, 0, 0), (1, 0, 0), (1, 1, 1), (1, 3, 3)],
    ids=["before anything is flushed", "before a name", "between names", "before names are flushed"],
)
def test_a_killed_writer_leaves_whole_pictures_and_what_a_sweep_removes(tmp_path, flushes, names, visible):
    writer = spawn.Process(target=_store_and_be_killed, args=(str(tmp_path), flushes, names))
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    store = ImageStore(str(tmp_path))
    assert len(list(store.ids())) == visible
    assert all(store.get(image_id) in CONTENTS for image_id in store.ids())
    store.flush(put_all(store))
    assert list(store.ids()) == sorted(IDS)
    assert len(waiting(tmp_path)) == len(CONTENTS) - visible
    assert store.sweep(LATER) == len(CONTENTS) - visible
    assert waiting(tmp_path) == []
    assert named(tmp_path) == sorted(IDS)


def test_a_sweep_leaves_what_is_young(tmp_path):
    store = ImageStore(str(tmp_path))
    put_all(store)
    assert store.sweep(datetime.now(UTC) - timedelta(hours=1)) == 0
    store.flush(IDS)
    assert named(tmp_path) == sorted(IDS)


def test_a_failure_of_the_system_is_told_with_its_number(tmp_path, whole, monkeypatch):
    disk = Disk(str(tmp_path))
    monkeypatch.setattr(disk, "_descriptor", -1)
    with pytest.raises(OSError) as caught:
        disk.flush([str(tmp_path / "missing")])
    assert caught.value.errno == (errno.EBADF if whole else errno.ENOENT)


def test_only_systems_that_tell_of_every_failure_are_flushed_as_a_whole(tmp_path, monkeypatch):
    with Path("/proc/self/status").open("rb") as not_a_disk:
        assert not flushes_as_a_whole(not_a_disk.fileno())
    monkeypatch.setattr(durable, "_kernel", lambda: (5, 7))
    with (tmp_path / "file").open("wb") as file:
        assert not flushes_as_a_whole(file.fileno())
