"""Fingerprint many pictures in a home of their own and say how much memory this process and its workers hold.

    python tests/benchmarks/flat_memory.py 100000

The pictures are a few small ones again and again, each with bytes of its own behind its end: to the store and the
catalog they are all different, to the decoder they are not.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from data.settings import Settings
from data.synthetic.drawn_pictures import Scene, draw_photo
from models.serving.context import open_context
from models.serving.pictures.fetch_pictures import fingerprint_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.serving.context import Context

DIFFERENT = 64
SIZE = (320, 240)
THREADS = 2
FIRST_REPORT = 10_000


def pictures() -> list[bytes]:
    """Draw the pictures that are different to the decoder."""
    files = []
    for number in range(DIFFERENT):
        file = io.BytesIO()
        scene = Scene(category=number % 8, setting=number, item=number, view=number)
        draw_photo(scene).resize(SIZE).save(file, "JPEG")
        files.append(file.getvalue())
    return files


def store(context: Context, files: Sequence[bytes], numbers: range) -> list[str]:
    """Keep one chunk of pictures in the store."""
    return [context.store.put(files[number % DIFFERENT] + number.to_bytes(8, "big")) for number in numbers]


def discard(context: Context, image_ids: Sequence[str]) -> None:
    """Remove one chunk of pictures from the store, so that the disk need not hold all."""
    for image_id in image_ids:
        context.store.remove(image_id)


def work(context: Context, files: Sequence[bytes], numbers: range) -> tuple[int, float]:
    """Store, fingerprint and discard a chunk; return how many were hashed, and the seconds that this took alone."""
    image_ids = store(context, files, numbers)
    began_s = time.perf_counter()
    hashed = fingerprint_pictures(context, image_ids)["hashed"]
    took_s = time.perf_counter() - began_s
    discard(context, image_ids)
    return hashed, took_s


def report(done: int, fingerprinting_s: float) -> None:
    """Print the memory of this process and of each worker."""
    process = psutil.Process()
    own = process.memory_info().rss >> 20
    workers = ", ".join(str(child.memory_info().rss >> 20) for child in process.children())
    rate = done * THREADS / fingerprinting_s
    print(f"{done:>7} pictures: this process {own} MB, workers {workers} MB; {rate:.0f} pictures/s", flush=True)


def main() -> None:
    """Print memory after the first ten thousand pictures and after every further ten thousand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(THREADS) as threads:
        context = open_context(Settings(home=Path(home)))
        chunk = context.settings.chunk_images
        chunks = [range(start, min(start + chunk, asked.count)) for start in range(0, asked.count, chunk)]
        done, fingerprinting_s, due = 0, 0.0, FIRST_REPORT
        for hashed, took_s in threads.map(partial(work, context, pictures()), chunks):
            done += hashed
            fingerprinting_s += took_s
            if done >= due or done == asked.count:
                report(done, fingerprinting_s)
                due += FIRST_REPORT
        context.catalog.close()
    if done != asked.count:
        raise SystemExit(f"{asked.count - done} pictures are not fingerprinted.")


if __name__ == "__main__":
    main()
