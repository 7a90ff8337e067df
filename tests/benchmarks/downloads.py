"""Time downloads beside the usual ways to make them, from one loopback server in one run.

    python tests/benchmarks/downloads.py
    python tests/benchmarks/downloads.py --img2dataset-python /somewhere/venv/bin/python

The server is a process of its own and makes its files up: each begins like a JPEG, no two are equal, none can be
packed. Every way runs in a fresh process, several rounds in which the ways take turns; the figures are the middle of
the rounds. CPU is the client's alone. Before each way the disk has written what the one before left to it, and all
files stay until the end: for half a minute after files are removed, ext4 is many times slower at making new ones.

a   requests, one session, 32 threads, bytes dropped
b   requests, one session, 32 threads, bytes written to files
c   ours, every guard on, stored under their SHA-256 and flushed to the disk
d   ours, every guard on, SHA-256 taken, bytes dropped
e   img2dataset, bytes left as they are, written to files
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import json
import os
import random
import resource
import socketserver
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from data.images.store.image_store import ImageStore

JPEG_MAGIC = b"\xff\xd8\xff\xe0"
SEED = 3
THREADS = 32
CHUNK = 256
"""Addresses that are fetched and then flushed together, as runs do."""
NAMES = {
    "a": "requests, 32 threads, dropped",
    "b": "requests, 32 threads, files",
    "c": "ours, stored and flushed",
    "d": "ours, dropped",
    "e": "img2dataset, files",
}


@dataclass(frozen=True, slots=True)
class Task:
    """What one way is to download."""

    base_url: str
    files: int
    file_bytes: int
    folder: str
    per_host: int

    @property
    def urls(self) -> list[str]:
        return [f"{self.base_url}/{number}.jpg" for number in range(self.files)]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one way took; ``exact`` tells whether every byte came as it was sent."""

    seconds: float
    cpu_s: float
    peak_mib: float
    exact: bool


class Material:
    """Files that are made up when they are asked for: one random text, begun at another byte by each."""

    def __init__(self, files: int, file_bytes: int) -> None:
        self._random = memoryview(random.Random(SEED).randbytes(files + file_bytes))
        self._file_bytes = file_bytes

    def parts(self, number: int) -> list[bytes | memoryview]:
        return [JPEG_MAGIC, self._random[number : number + self._file_bytes - len(JPEG_MAGIC)]]

    def sha256(self, number: int) -> str:
        return hashlib.sha256(b"".join(self.parts(number))).hexdigest()


def serve(files: int, file_bytes: int) -> None:
    """Serve until the parent closes our standard input; print the port."""
    material = Material(files, file_bytes)

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                while request := self.rfile.readline():
                    while self.rfile.readline() not in {b"\r\n", b""}:
                        pass
                    self._answer(int(request.split()[1].removeprefix(b"/").removesuffix(b".jpg")))

        def _answer(self, number: int) -> None:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {file_bytes}\r\n\r\n".encode()
            first, *rest = [head, *material.parts(number)]
            self.connection.sendall(first + rest[0])
            self.connection.sendall(rest[1])

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 256

    with Server(("127.0.0.1", 0), Handler) as server, ThreadPoolExecutor(1) as waiting:
        print(server.server_address[1], flush=True)
        waiting.submit(lambda: (sys.stdin.read(), server.shutdown()))
        server.serve_forever()


def plain_requests(task: Task, keep: Callable[[str, bytes], object]) -> bool:
    """Download as most scripts do."""
    import requests

    with requests.Session() as session, ThreadPoolExecutor(THREADS) as threads:
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))

        def download(url: str) -> int:
            content = session.get(url, timeout=20).content
            keep(url, content)
            return len(content)

        return set(threads.map(download, task.urls)) == {task.file_bytes}


def requests_dropped(task: Task) -> bool:
    return plain_requests(task, lambda _url, _content: None)


def requests_files(task: Task) -> bool:
    return plain_requests(task, lambda url, content: Path(task.folder, url.rpartition("/")[2]).write_bytes(content))


class Dropping:
    """A store that keeps nothing."""

    def put(self, content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    def exists(self, _image_id: str) -> bool:
        return False

    def flush(self, _image_ids: Iterable[str]) -> None:
        """There is nothing to flush."""


def fetched(task: Task, store: ImageStore | Dropping) -> bool:
    """Download as runs do: chunk by chunk, as many chunks at once as there are cores, all with one fetcher."""
    from data.images.download.fetcher import Fetcher
    from data.settings import FetchSettings

    settings = FetchSettings(
        allow_hosts=(task.base_url.removeprefix("http://"),), threads=THREADS, threads_per_host=task.per_host
    )
    urls = task.urls
    with Fetcher(settings, store) as fetcher, ThreadPoolExecutor(os.cpu_count()) as chunks:

        def fetch_chunk(start: int) -> list[str]:
            outcomes = fetcher.fetch(urls[start : start + CHUNK])
            image_ids = [outcome.image_id for outcome in outcomes if outcome.image_id]
            store.flush(image_ids)
            return image_ids

        found = list(chain.from_iterable(chunks.map(fetch_chunk, range(0, len(urls), CHUNK))))
    (Path(task.folder) / "found.json").write_text(json.dumps(found))
    return len(found) == task.files


def ours_stored(task: Task) -> bool:
    from data.images.store.image_store import ImageStore

    return fetched(task, ImageStore(str(Path(task.folder, "images"))))


def ours_dropped(task: Task) -> bool:
    return fetched(task, Dropping())


def img2dataset(task: Task) -> bool:
    from img2dataset import download

    listed = Path(task.folder, "urls.txt")
    listed.write_text("\n".join(task.urls))
    download(
        url_list=str(listed),
        output_folder=str(Path(task.folder, "out")),
        output_format="files",
        processes_count=os.cpu_count() or 1,
        thread_count=THREADS,
        number_sample_per_shard=1000,
        resize_mode="no",
        disable_all_reencoding=True,
        enable_wandb=False,
    )
    return True


OURS = ("data.images.download.fetcher", "data.images.store.image_store", "data.settings")
NEEDS = {"a": ("requests",), "b": ("requests",), "c": OURS, "d": OURS, "e": ("img2dataset",)}
WAYS = {"a": requests_dropped, "b": requests_files, "c": ours_stored, "d": ours_dropped, "e": img2dataset}


def measure(way: str, task: Task) -> Measured:
    """Run one way in this process; imports are not timed."""
    for name in NEEDS[way]:
        importlib.import_module(name)
    cpu_before_s = cpu_s()
    began_s = time.perf_counter()
    complete = WAYS[way](task)
    seconds = time.perf_counter() - began_s
    peak_kib = max(usage.ru_maxrss for usage in usages())
    return Measured(seconds, cpu_s() - cpu_before_s, peak_kib / 1024, complete)


def usages() -> list[resource.struct_rusage]:
    """What this process and its ended children have used."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def cpu_s() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in usages())


def measure_apart(python: str, way: str, task: Task) -> Measured:
    """Run one way in a process of its own, on a disk with nothing left to write, and check every byte it kept."""
    os.sync()
    command = [python, __file__, "--measure", way, json.dumps(asdict(task))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured = Measured(**json.loads(done.stdout.splitlines()[-1]))
    exact = measured.exact and kept_exactly(way, task)
    return Measured(measured.seconds, measured.cpu_s, measured.peak_mib, exact)


def kept_exactly(way: str, task: Task) -> bool:
    """Whether what a way left is, byte for byte, what was served; untimed."""
    material = Material(task.files, task.file_bytes)
    expected = [material.sha256(number) for number in range(task.files)]
    files = [path for path in Path(task.folder).rglob("*") if path.is_file()]
    if way in {"c", "d"} and json.loads(Path(task.folder, "found.json").read_text()) != expected:
        return False
    if way in {"a", "d"}:
        return True
    pictures = [path for path in files if path.suffix not in {".json", ".txt", ".parquet"}]
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in pictures} == set(expected)


@contextlib.contextmanager
def served(files: int, file_bytes: int) -> Iterator[str]:
    """Run the server in a process of its own; yields its base URL."""
    command = [sys.executable, __file__, "--serve", str(files), str(file_bytes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.communicate()


def report(runs: dict[str, list[Measured]], files: int) -> None:
    """Print the middle of the rounds; speeds also as parts of that of plain requests in the same round."""
    plain = [way for way in "ab" if way in runs]
    print(f"{'':36}{'images/s':>9}" + "".join(f"{'of ' + way:>7}" for way in plain) + f"{'CPU ms':>8}{'MiB':>6}  exact")
    for way, rounds in runs.items():
        speed = statistics.median(files / run.seconds for run in rounds)
        parts = "".join(f"{_part(rounds, runs[beside]):7.2f}" for beside in plain)
        cpu_ms = statistics.median(1000 * run.cpu_s / files for run in rounds)
        peak_mib = max(run.peak_mib for run in rounds)
        exact = "yes" if all(run.exact for run in rounds) else "NO"
        print(f"{way}  {NAMES[way]:33}{speed:9.0f}{parts}{cpu_ms:8.2f}{peak_mib:6.0f}  {exact}")


def _part(rounds: list[Measured], beside: list[Measured]) -> float:
    return statistics.median(base.seconds / run.seconds for base, run in zip(beside, rounds, strict=True))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time downloads beside the usual ways to make them.")
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--file-bytes", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", default="abcd", help="which to run, a always among them")
    parser.add_argument("--per-host", type=int, default=THREADS, help="our downloads under way at once at the server")
    parser.add_argument("--folder", type=Path, help="where files are written; default: a temporary folder")
    parser.add_argument("--img2dataset-python", help="an interpreter that has img2dataset; it is left out without")
    parser.add_argument("--serve", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Run all ways and print the figures."""
    arguments = parsed()
    if arguments.serve:
        serve(*arguments.serve)
        return
    if arguments.measure:
        way, task = arguments.measure
        print(json.dumps(asdict(measure(way, Task(**json.loads(task))))))
        return
    compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    pythons = dict.fromkeys(arguments.ways, sys.executable)
    if arguments.img2dataset_python:
        pythons["e"] = arguments.img2dataset_python
    else:
        print("e is left out: no --img2dataset-python")
    runs: dict[str, list[Measured]] = {way: [] for way in pythons}
    with (
        served(arguments.files, arguments.file_bytes) as base_url,
        tempfile.TemporaryDirectory(dir=arguments.folder) as folder,
    ):
        for number in range(arguments.rounds):
            for way, python in pythons.items():
                own = Path(folder, f"{way}{number}")
                own.mkdir()
                task = Task(base_url, arguments.files, arguments.file_bytes, str(own), arguments.per_host)
                runs[way].append(measure_apart(python, way, task))
    print(f"{arguments.files:,} files of {arguments.file_bytes:,} bytes, {arguments.rounds} rounds")
    report(runs, arguments.files)


if __name__ == "__main__":
    main()
