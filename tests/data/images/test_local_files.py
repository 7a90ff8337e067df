"""Reading pictures from the images root, and from nowhere else."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.images.fetch_outcome import FetchStatus, Reason
from data.images.store.image_store import ImageStore
from data.images.store.local_files import read_local

PICTURE = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "shoes").mkdir(parents=True)
    (root / "shoes" / "a.jpg").write_bytes(PICTURE)
    (root / "empty.jpg").write_bytes(b"")
    (root / "page.jpg").write_bytes(b"<html>")
    (root / "large.png").write_bytes(PICTURE + bytes(200))
    (root / "inside.jpg").symlink_to(root / "shoes" / "a.jpg")
    (tmp_path / "secret.jpg").write_bytes(PICTURE)
    (root / "outside.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "up").symlink_to(tmp_path)
    (root / "circle").symlink_to(root / "circle")
    os.mkfifo(root / "pipe.jpg")
    return root


@pytest.fixture
def store(tmp_path):
    return ImageStore(str(tmp_path / "store"))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("shoes/a.jpg", Reason.FETCHED),
        ("./shoes//a.jpg", Reason.FETCHED),
        ("inside.jpg", Reason.FETCHED),
        ("", Reason.OUTSIDE_ROOT),
        ("/etc/passwd", Reason.OUTSIDE_ROOT),
        ("../secret.jpg", Reason.OUTSIDE_ROOT),
        ("shoes/../shoes/a.jpg", Reason.OUTSIDE_ROOT),
        ("outside.jpg", Reason.OUTSIDE_ROOT),
        ("up/secret.jpg", Reason.OUTSIDE_ROOT),
        ("shoes", Reason.NOT_A_FILE),
        (".", Reason.NOT_A_FILE),
        ("pipe.jpg", Reason.NOT_A_FILE),
        ("missing.jpg", Reason.MISSING_FILE),
        ("page.jpg/a.jpg", Reason.MISSING_FILE),
        ("circle", Reason.UNREADABLE_FILE),
        ("a\0b.jpg", Reason.UNREADABLE_FILE),
        ("x" * 5000, Reason.UNREADABLE_FILE),
        ("empty.jpg", Reason.EMPTY_BODY),
        ("page.jpg", Reason.NOT_AN_IMAGE),
        ("large.png", Reason.TOO_LARGE),
    ],
)
def test_each_path_ends_as_a_reason(root, store, path, reason):
    (outcome,) = read_local([path], root=root, store=store, max_bytes=100)
    assert (outcome.url, outcome.reason) == (path, reason)
    assert (outcome.image_id is not None) == (outcome.status is FetchStatus.OK)
    if outcome.image_id is not None:
        assert store.get(outcome.image_id) == PICTURE
        assert outcome.n_bytes == len(PICTURE)


def test_outcomes_come_in_the_order_of_the_paths(root, store):
    paths = ["missing.jpg", "shoes/a.jpg", "missing.jpg", "inside.jpg"]
    outcomes = read_local(paths, root=root, store=store, max_bytes=100)
    assert [outcome.url for outcome in outcomes] == paths
    store.flush(outcome.image_id for outcome in outcomes if outcome.image_id)
    assert len(list(store.ids())) == 1


def test_a_root_that_is_a_link_is_followed(root, store, tmp_path):
    (tmp_path / "link").symlink_to(root)
    (outcome,) = read_local(["shoes/a.jpg"], root=tmp_path / "link", store=store, max_bytes=100)
    assert outcome.status is FetchStatus.OK


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    path=st.text() | st.lists(st.sampled_from(["..", ".", "up", "shoes", "a.jpg", "secret.jpg", "/", ""])).map("/".join)
)
def test_no_path_raises_or_leads_out(root, store, path):
    (outcome,) = read_local([path], root=root, store=store, max_bytes=100)
    assert outcome.status is not FetchStatus.OK or (root / path).resolve().is_relative_to(root)
