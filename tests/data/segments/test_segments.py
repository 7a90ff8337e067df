"""Segments survive whatever ends a process, and readers never notice."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import BusyError, SegmentsError, WriteError
from data.segments.segment_file import NAME
from data.segments.segment_store import FEWEST, GRACE, LOCK, SegmentStore, run_to_merge

NOW = datetime.now(UTC)
LATER = NOW + GRACE + timedelta(days=1)
"""Behind whatever this run of the tests writes."""
FORMAT = "numbers-1"


class PowerCut(BaseException):
    """The machine is off: nothing that comes later happens, cleaning up included."""


class Power:
    """Cuts the power before the n-th step that touches the disk."""

    STEPS = ((os, "fsync"), (os, "replace"), (os, "utime"), (Path, "unlink"), (Path, "open"))

    def __init__(self, monkeypatch, steps_left=10**9):
        self.steps_left = steps_left
        self.steps = 0
        for owner, name in self.STEPS:
            monkeypatch.setattr(owner, name, self._watched(getattr(owner, name)))

    def _watched(self, act):
        def step(*args, **options):
            if self.steps >= self.steps_left:
                raise PowerCut
            self.steps += 1
            return act(*args, **options)

        return step


def numbers(*values):
    return {"numbers": np.array(values, np.int64), "flags": np.array([True] * 3), "none": np.empty(0, np.uint32)}


def merge(parts):
    return numbers(*np.concatenate([part["numbers"] for part in parts]).tolist())


def content(store):
    return [number for part in store.open().parts for number in part["numbers"].tolist()]


@pytest.fixture
def store(tmp_path):
    """Five segments of two numbers each."""
    store = SegmentStore(tmp_path / "index", FORMAT)
    store.rebuild([numbers(0, 1)], now=NOW)
    for second in range(2, 10, 2):
        store.append(numbers(second, second + 1))
    return store


def compact(store):
    return store.compact(merge, now=NOW)


def test_what_was_written_is_mapped_as_it_was(store):
    part = store.open().parts[0]
    for name, array in numbers(0, 1).items():
        assert np.array_equal(part[name], array)
        assert part[name].dtype == array.dtype
        assert part[name].ctypes.data % 64 == 0
        assert not part[name].flags.writeable
    assert content(store) == [*range(10)]


def test_what_continues_one_generation_is_not_added_to_another(store):
    store.append(numbers(10), onto=store.open().generation)
    assert content(store) == [*range(11)]
    opened = store.generation()
    store.rebuild([numbers(0, 1)], now=NOW)
    with pytest.raises(SegmentsError, match=f"instead of {opened}"):
        store.append(numbers(11), onto=opened)
    assert content(store) == [0, 1]


def test_merging_changes_files_and_not_content(store):
    generation = store.generation()
    assert compact(store) == 5
    assert store.generation() == generation + 1
    assert content(store) == [*range(10)]
    assert len(store.open().parts) == 1
    assert compact(store) == 0


def test_a_reader_keeps_what_it_has_mapped(store):
    snapshot = store.open()
    compact(store)
    assert store.sweep(now=LATER) == 5
    assert [number for part in snapshot.parts for number in part["numbers"].tolist()] == [*range(10)]


def test_a_reader_that_comes_between_manifest_and_files_looks_again(store, monkeypatch):
    from data.segments import segment_store as module

    read, seen = module.read_manifest, []

    def read_late(folder, expected_format):
        manifest = read(folder, expected_format)
        if not seen:
            seen.append(manifest)
            compact(store)
            store.sweep(now=LATER)
        return manifest

    monkeypatch.setattr(module, "read_manifest", read_late)
    assert content(store) == [*range(10)]
    assert len(seen[0].entries) == 5


def test_files_that_stopped_counting_are_kept_for_a_while(store):
    old = {entry.name for entry in store.folder.glob("*.segment")}
    compact(store)
    assert store.sweep(now=NOW + GRACE / 2) == 0
    assert old < {entry.name for entry in store.folder.glob("*.segment")}
    assert store.sweep(now=LATER) == 5
    assert content(store) == [*range(10)]


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        (lambda store: store.append(numbers(10)), [*range(10)], [*range(11)]),
        (compact, [*range(10)], [*range(10)]),
        (lambda store: store.rebuild([numbers(7), numbers(8)], now=NOW), [*range(10)], [7, 8]),
        (lambda store: (compact(store), store.sweep(now=LATER)), [*range(10)], [*range(10)]),
    ],
    ids=["append", "compact", "rebuild", "sweep"],
)
def test_a_power_cut_at_any_step_leaves_what_was_or_what_was_to_be(tmp_path, act, before, after):
    outcomes = []
    for steps_left in range(10**6):
        store = SegmentStore(tmp_path / str(steps_left), FORMAT)
        store.rebuild([numbers(0, 1)], now=NOW)
        for second in range(2, 10, 2):
            store.append(numbers(second, second + 1))
        with pytest.MonkeyPatch.context() as monkeypatch:
            power = Power(monkeypatch, steps_left)
            try:
                act(store)
                is_finished = True
            except PowerCut:
                is_finished = False
        outcomes.append(content(store))
        assert outcomes[-1] in (before, after), f"after {power.steps} steps"
        assert store.damaged() == []
        store.append(numbers(99))
        assert content(store) == [*outcomes[-1], 99]
        store.sweep(now=LATER)
        assert len([*store.folder.iterdir()]) == len(store.open().parts) + len({NAME, LOCK})
        if is_finished:
            break
    assert len(outcomes) > 6
    assert outcomes[0] == before
    assert outcomes[-1] == after


def test_a_full_disk_is_told_and_changes_nothing(store, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for act in (lambda: store.append(numbers(10)), lambda: compact(store)):
        with pytest.raises(WriteError, match="No space left"):
            act()
    monkeypatch.undo()
    assert content(store) == [*range(10)]
    assert [path for path in store.folder.iterdir() if path.suffix == ".unfinished"] == []


def test_what_was_never_built_says_so(tmp_path):
    store = SegmentStore(tmp_path / "nowhere", FORMAT)
    for act in (store.open, store.generation, store.damaged, lambda: store.append(numbers(1))):
        with pytest.raises(SegmentsError, match=r"there is none\. Rebuild it"):
            act()


def test_another_format_must_be_rebuilt(store):
    other = SegmentStore(store.folder, "numbers-2")
    with pytest.raises(SegmentsError, match="it has format 'numbers-1', this version reads 'numbers-2'"):
        other.open()
    other.rebuild([numbers(5)], now=NOW)
    assert content(other) == [5]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:50],
        lambda text: b"",
        lambda text: b"[]",
        lambda text: text.replace(b"numbers", b"Numbers"),
        lambda text: text.replace(b'mark\\": 0', b'mark\\": 6'),
    ],
    ids=["cut", "empty", "a list", "another format", "another mark"],
)
def test_a_damaged_manifest_is_noticed_and_can_be_rebuilt(store, damage):
    path = store.folder / NAME
    text = path.read_bytes()
    assert damage(text) != text
    path.write_bytes(damage(text))
    with pytest.raises(SegmentsError, match="Rebuild it"):
        store.open()
    store.rebuild([numbers(3)], now=NOW)
    assert content(store) == [3]
    assert store.sweep(now=LATER) == 5


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda raw: raw[:-1], "instead of"),
        (lambda raw: b"", "instead of"),
        (lambda raw: b"X" + raw[1:], "header is damaged"),
        (lambda raw: raw[:30] + b"?" + raw[31:], "header is damaged"),
    ],
    ids=["cut", "empty", "another kind", "changed header"],
)
def test_a_damaged_segment_is_noticed_on_opening(store, damage, found):
    path = sorted(store.folder.glob("*.segment"))[0]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SegmentsError, match=found):
        store.open()
    assert store.damaged() == [path.name]


def test_a_lost_segment_is_noticed(store):
    path = sorted(store.folder.glob("*.segment"))[0]
    path.unlink()
    with pytest.raises(SegmentsError, match="is gone"):
        store.open()
    with pytest.raises(SegmentsError, match="is gone"):
        compact(store)
    assert store.damaged() == [path.name]


def test_one_changed_bit_is_found_by_reading_everything(store):
    path = sorted(store.folder.glob("*.segment"))[0]
    raw = bytearray(path.read_bytes())
    raw[-100] ^= 1
    path.write_bytes(raw)
    assert len(store.open().parts) == 5
    assert store.damaged() == [path.name]


def test_whoever_waits_too_long_to_add_is_told(store):
    impatient = SegmentStore(store.folder, FORMAT, patience_s=0)
    with store._lock(), pytest.raises(BusyError):
        impatient.append(numbers(10))
    assert content(store) == [*range(10)]


def test_what_is_added_during_a_merge_is_not_lost(store):
    def merge_slowly(parts):
        store.append(numbers(10, 11))
        return merge(parts)

    assert store.compact(merge_slowly, now=NOW) == 5
    assert content(store) == [*range(12)]


def test_a_merge_that_was_overtaken_changes_nothing(store):
    def overtaken(parts):
        compact(store)
        return merge(parts)

    assert store.compact(overtaken, now=NOW) == 0
    assert content(store) == [*range(10)]


def test_adding_merging_and_reading_go_on_at_once(store):
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            seen.append(content(store))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(10, 40):
        store.append(numbers(number))
        compact(store)
        store.sweep(now=LATER)
    stop.set()
    for reader in readers:
        reader.join()
    assert content(store) == [*range(40)]
    assert seen
    assert all(numbers_seen == [*range(len(numbers_seen))] for numbers_seen in seen)


@given(st.lists(st.integers(1, 1000), max_size=300))
def test_segments_stay_few_and_are_seldom_written_again(sizes):
    segments, written = [], 0
    for size in sizes:
        segments.append(size)
        chosen = run_to_merge(segments)
        if chosen:
            merged = sum(segments[chosen.start :])
            written += merged
            segments[chosen.start :] = [merged]
    total = sum(sizes)
    assert sum(segments) == total
    assert len(segments) <= np.log2(total + 1) + FEWEST
    assert written <= total * (np.log2(total + 1) + 1)
