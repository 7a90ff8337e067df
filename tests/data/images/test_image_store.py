"""The content-addressed store: whole files or none, equal bytes once, and safe from a power cut once flushed."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from data.errors import LostPicture, StoreError
from data.images.store.image_store import ImageStore

CONTENT = b"\xff\xd8\xff a small picture"
IMAGE_ID = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["path", "file", "memory"])
def store(request, tmp_path):
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    return ImageStore(
        {"path": str(tmp_path / "im ages"), "file": f"file://{tmp_path}/images", "memory": "memory://images"}[
            request.param
        ]
    )


def keep(store, content):
    image_id = store.put(content)
    store.flush([image_id])
    return image_id


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_bytes_come_back_under_their_hash(store):
    assert not store.exists(IMAGE_ID)
    assert store.put(CONTENT) == IMAGE_ID
    assert store.exists(IMAGE_ID)
    assert store.get(IMAGE_ID) == CONTENT
    store.flush([IMAGE_ID])
    assert store.exists(IMAGE_ID)
    assert store.get(IMAGE_ID) == CONTENT


def test_ids_are_listed_in_order_and_an_unused_store_has_none(store):
    assert list(store.ids()) == []
    put = {store.put(bytes([number])) for number in range(40)}
    store.flush(put)
    assert list(store.ids()) == sorted(put)


def test_files_lie_in_folders_named_by_their_first_digits(tmp_path):
    keep(ImageStore(str(tmp_path)), CONTENT)
    assert (tmp_path / IMAGE_ID[:2] / IMAGE_ID).read_bytes() == CONTENT


def test_what_is_there_is_not_written_again(tmp_path):
    store = ImageStore(str(tmp_path))
    store.put(CONTENT)
    (waiting,) = files(tmp_path)
    before = waiting.stat()
    keep(store, CONTENT)
    (named,) = files(tmp_path)
    assert named.stat().st_ino == before.st_ino
    keep(store, CONTENT)
    assert (named.stat().st_ino, named.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_cut_short_by_a_failing_disk_is_mended_by_the_next_put(tmp_path):
    store = ImageStore(str(tmp_path))
    keep(store, CONTENT)
    (tmp_path / IMAGE_ID[:2] / IMAGE_ID).write_bytes(b"")
    with pytest.raises(StoreError, match="other bytes"):
        store.get(IMAGE_ID)
    keep(store, CONTENT)
    assert store.get(IMAGE_ID) == CONTENT


def test_many_threads_storing_the_same_bytes_keep_one_file_and_readers_never_see_half(tmp_path):
    store = ImageStore(str(tmp_path))
    content = bytes(range(256)) * 8_000
    image_id = hashlib.sha256(content).hexdigest()
    start = threading.Barrier(8)

    def write_then_read(_number):
        start.wait()
        assert store.put(content) == image_id
        found = store.get(image_id)
        store.flush([image_id])
        return found == store.get(image_id) == content

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(write_then_read, range(8)))
    assert [path.name for path in files(tmp_path)] == [image_id]


def _put_all(url):
    return [keep(ImageStore(url), bytes([number]) * 1000) for number in range(20)]


def test_two_processes_storing_at_once_keep_each_picture_once(tmp_path):
    with multiprocessing.get_context("spawn").Pool(2) as processes:
        first, second = processes.map(_put_all, [str(tmp_path)] * 2)
    assert first == second
    assert sorted(path.name for path in files(tmp_path)) == sorted(first)


@pytest.mark.parametrize("image_id", ["", "../../etc/passwd", IMAGE_ID.upper(), IMAGE_ID + "0", IMAGE_ID + "\n"])
def test_only_image_ids_are_looked_up(tmp_path, image_id):
    store = ImageStore(str(tmp_path))
    for look_up in (store.get, store.exists):
        with pytest.raises(StoreError, match="no image_id"):
            look_up(image_id)


def test_trouble_is_told_as_a_store_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="writing"):
        ImageStore(str(tmp_path / "file")).put(CONTENT)
    with pytest.raises(StoreError, match="opening"):
        ImageStore("nosuchscheme://bucket")


def test_a_damaged_file_and_a_missing_one_are_lost_pictures_and_can_be_stored_again(tmp_path):
    store = ImageStore(str(tmp_path))
    image_id = keep(store, b"picture")
    (file,) = files(tmp_path)
    file.write_bytes(b"damaged")
    with pytest.raises(LostPicture, match="other bytes"):
        store.get(image_id)
    store.remove(image_id)
    with pytest.raises(LostPicture, match="not there"):
        store.get(image_id)
    store.remove(image_id)
    assert keep(store, b"picture") == image_id
    assert store.get(image_id) == b"picture"


def test_a_picture_can_be_removed_before_it_is_flushed(store):
    store.put(CONTENT)
    store.remove(IMAGE_ID)
    assert not store.exists(IMAGE_ID)
    with pytest.raises(LostPicture, match="not there"):
        store.get(IMAGE_ID)
