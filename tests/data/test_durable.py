"""What was reported as written is there after a power cut: bytes are flushed before the name, the folder after it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pandas as pd
import pytest

from data.durable import UNFINISHED, write_flushed, write_folder, write_once
from data.errors import WriteError
from data.tables.table_files import write_table

FRAME = pd.DataFrame({"listing_id": ["a"], "score": [0.5]})


def write_a_file(folder):
    write_flushed(folder / "thing", [b"some", b"thing"])


def write_a_model(folder):
    write_folder(folder / "thing", {"first": b"1", "second": b"2"})


def write_a_secret(folder):
    assert write_once(folder / "thing", b"secret", mode=0o600) == b"secret"


WRITERS = [write_a_file, write_a_model, write_a_secret]


@pytest.fixture
def events(monkeypatch):
    """What was done to the disk, in order: a path was flushed, or something got its name."""
    done = []

    def noting(name, original, path_of):
        def call(*arguments, **options):
            done.append((name, path_of(*arguments)))
            return original(*arguments, **options)

        monkeypatch.setattr(f"os.{original.__name__}", call)

    noting("flushed", os.fsync, lambda descriptor: Path(f"/proc/self/fd/{descriptor}").readlink())
    for name_giver in (os.replace, os.rename, os.link):
        noting("named", name_giver, lambda _source, target: Path(target))
    return done


def full(*_arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("write", WRITERS)
def test_bytes_are_flushed_before_they_are_named_and_the_folder_before_the_writer_returns(tmp_path, events, write):
    write(tmp_path)
    named = [event for event, _path in events].index("named")
    assert events[named] == ("named", tmp_path / "thing")
    assert all(path.name.endswith(UNFINISHED) or UNFINISHED in path.parent.name for _, path in events[:named])
    assert events[:named]
    assert events[named + 1 :] == [("flushed", tmp_path)]


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jsonl.zst", ".parquet"])
def test_the_folder_of_an_exported_table_is_flushed_before_its_rows_are_counted(tmp_path, events, suffix):
    path = tmp_path / "exports" / f"scores{suffix}"
    assert write_table([FRAME], path) == 1
    assert events[-2:] == [("named", path), ("flushed", path.parent)]
    assert events[0] == ("flushed", tmp_path), "a new folder has a name to lose, too"
    assert [event for event, _path in events[1:]] == ["flushed", "named", "flushed"]


@pytest.mark.parametrize("write", WRITERS)
def test_a_folder_that_cannot_be_flushed_is_an_error_whatever_was_named(tmp_path, monkeypatch, write):
    flush = os.fsync
    monkeypatch.setattr(
        "os.fsync",
        lambda descriptor: full() if Path(f"/proc/self/fd/{descriptor}").readlink() == tmp_path else flush(descriptor),
    )
    with pytest.raises(WriteError, match="No space left"):
        write(tmp_path)


@pytest.mark.parametrize("write", WRITERS)
def test_a_full_disk_leaves_neither_a_name_nor_an_unfinished_file(tmp_path, monkeypatch, write):
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WriteError, match="No space left"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", WRITERS)
def test_a_name_that_cannot_be_given_leaves_nothing_unfinished(tmp_path, monkeypatch, write):
    for name_giver in ("replace", "rename", "link"):
        monkeypatch.setattr(f"os.{name_giver}", full)
    with pytest.raises(WriteError, match="No space left"):
        write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_of_two_who_write_once_the_first_wins_and_only_the_owner_may_read(tmp_path):
    path = tmp_path / "desk" / "secret"
    assert [write_once(path, content, mode=0o600) for content in (b"first", b"second")] == [b"first", b"first"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [other.name for other in path.parent.iterdir()] == ["secret"]
