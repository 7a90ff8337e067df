"""The market's pictures are served as a marketplace would serve them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from data.synthetic.picture_server import serve_pictures

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for number in range(20):
        (tmp_path / "images" / f"{number}.jpg").write_bytes(bytes([number]) * 5_000)
    return tmp_path


def connect(base_url: str) -> HTTPConnection:
    return HTTPConnection(urlsplit(base_url).netloc, timeout=10)


def test_pictures_come_over_one_kept_connection_with_their_type_and_length(folder: Path) -> None:
    with serve_pictures(folder) as base_url:
        connection = connect(base_url)
        for number in range(20):
            connection.request("GET", f"/images/{number}.jpg")
            answer = connection.getresponse()
            assert (answer.status, answer.version, answer.will_close) == (200, 11, False)
            assert answer.headers["Content-Type"] == "image/jpeg"
            assert answer.headers["Content-Length"] == "5000"
            assert answer.read() == bytes([number]) * 5_000
        connection.close()


@pytest.mark.parametrize("path", ["/images/none.jpg", "/images/", "/", "/../secret.txt", "/images/%2e%2e/%2e%2e/x"])
def test_what_is_not_a_picture_is_not_found(folder: Path, path: str) -> None:
    with serve_pictures(folder) as base_url:
        connection = connect(base_url)
        connection.request("GET", path)
        assert connection.getresponse().status == 404
        connection.close()


def test_files_written_later_are_served_too(folder: Path) -> None:
    with serve_pictures(folder) as base_url:
        (folder / "images" / "late.jpg").write_bytes(b"late")
        connection = connect(base_url)
        connection.request("GET", "/images/late.jpg")
        assert connection.getresponse().read() == b"late"
        connection.close()


def test_many_ask_at_once_and_nothing_is_printed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def fetched(number: int) -> bytes:
        connection = connect(base_url)
        connection.request("GET", f"/images/{number % 20}.jpg")
        body = connection.getresponse().read()
        connection.close()
        return body

    with serve_pictures(folder) as base_url, ThreadPoolExecutor(16) as pool:
        bodies = list(pool.map(fetched, range(100)))
    assert bodies == [bytes([number % 20]) * 5_000 for number in range(100)]
    assert capfd.readouterr() == ("", "")


def test_the_server_is_gone_after_the_block(folder: Path) -> None:
    with serve_pictures(folder) as base_url:
        pass
    with pytest.raises(ConnectionRefusedError):
        connect(base_url).request("GET", "/")
