"""Time fingerprints beside the usual ways to make them, on the same pictures in one run.

    python tests/benchmarks/fingerprints.py ../shared/photos

Every way takes the bytes of a file. Times are CPU milliseconds a picture, the middle of several rounds in which the
ways take turns, so that other work on the machine weighs on all of them alike.

a   five times Image.open and one call of ImageHash, as tutorials do
b   Image.open once, five calls of ImageHash
c   one hash each by the encoders of imagededup and by pdqhash, where they are installed
d   decode only
e   our five hashes
e2  our five hashes, information, window hashes and thumbnail

Two cores are measured by the clock: with threads, and with worker processes that are given bytes and give back a row,
as a run has them. Other work on the machine spoils such a figure more than any other. So one core and two take turns,
the quickest round of each counts, and what other programs took of the machine meanwhile is printed beside it.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import random
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagehash
import numpy as np
import psutil
from PIL import Image
from threadpoolctl import threadpool_limits

from data.settings import DecodeSettings
from features.hashing.fingerprint import fingerprint, fingerprint_and_descriptor
from features.hashing.selfcheck import FAST, imagehash_hashes, warmup
from models.serving.decoding.worker_pool import Workers

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = (imagehash.average_hash, imagehash.phash, imagehash.dhash, imagehash.whash, imagehash.colorhash)
SEED = 3
LARGE, SMALL = (1600, 1200), (640, 480)
QUALITY = 85
WHITE_MARGIN = 0.3
"""Of each direction, on both sides: blocks of the wavelet hash tie."""
REPEATS, ROUNDS = 10, 7
"""Of the pictures, and of the comparison of one core with two."""


@dataclass(frozen=True, slots=True)
class Material:
    """Pictures of one kind, as files."""

    name: str
    files: list[bytes]


def decoded(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def only_decoded(content: bytes) -> None:
    decoded(content)


def five_times(content: bytes) -> None:
    for method in METHODS:
        method(Image.open(io.BytesIO(content)))


def once(content: bytes) -> None:
    image = decoded(content)
    for method in METHODS:
        method(image)


def our_hashes(content: bytes) -> None:
    FAST.reader(decoded(content))


def everything(content: bytes) -> None:
    fingerprint_and_descriptor(decoded(content))


def others() -> dict[str, Callable[[bytes], None]]:
    """Return the encoders of other libraries that are installed, and say which are not."""
    found = {}
    if importlib.util.find_spec("imagededup"):
        from imagededup.methods import AHash, DHash, PHash, WHash

        for method in (AHash, PHash, DHash, WHash):
            found[f"c imagededup {method.__name__.lower()}"] = imagededup_way(method(verbose=False))
    if importlib.util.find_spec("pdqhash"):
        import pdqhash

        found["c pdqhash"] = lambda content: pdqhash.compute(np.asarray(decoded(content)))
    for name in ("imagededup", "pdqhash"):
        if not any(name in way for way in found):
            print(f"{name} is not installed: left out.")
    return found


def imagededup_way(encoder: Any) -> Callable[[bytes], None]:
    return lambda content: encoder.encode_image(image_array=np.asarray(decoded(content)))


def written(image: Image.Image, kind: str) -> bytes:
    to = io.BytesIO()
    image.save(to, kind, **({} if kind == "PNG" else {"quality": QUALITY}))
    return to.getvalue()


def on_white(photo: Image.Image) -> Image.Image:
    """Put a photo on a white background, like a picture of goods cut out."""
    image = Image.new("RGB", photo.size, "white")
    inside = [round(side * (1 - 2 * WHITE_MARGIN)) for side in photo.size]
    image.paste(photo.resize(inside), tuple(round(side * WHITE_MARGIN) for side in photo.size))
    return image


def materials(folder: Path, count: int) -> list[Material]:
    """Draw photos from a folder, brought to usual sizes and formats."""
    paths = sorted(path for path in folder.rglob("*.jpg") if path.stat().st_size > 60_000)
    photos = [Image.open(path).convert("RGB") for path in random.Random(SEED).sample(paths, count)]
    large = [photo.resize(LARGE, Image.Resampling.LANCZOS) for photo in photos]
    small = [photo.resize(SMALL, Image.Resampling.LANCZOS) for photo in photos]
    return [
        Material("JPEG 1600×1200", [written(image, "JPEG") for image in large]),
        Material("JPEG 1200×1600", [written(image.transpose(Image.Transpose.ROTATE_90), "JPEG") for image in large]),
        Material("JPEG 640×480", [written(image, "JPEG") for image in small]),
        Material("PNG 640×480", [written(image, "PNG") for image in small]),
        Material("WebP 1600×1200", [written(image, "WEBP") for image in large]),
        Material("JPEG 1600×1200 on white", [written(on_white(image), "JPEG") for image in large]),
    ]


def cpu_ms(way: Callable[[bytes], None], files: list[bytes]) -> float:
    began_s = time.process_time()
    for content in files:
        way(content)
    return (time.process_time() - began_s) * 1e3 / len(files)


def middle_times_ms(ways: dict[str, Callable[[bytes], None]], files: list[bytes], rounds: int) -> dict[str, float]:
    for way in ways.values():
        way(files[0])
    times = [{name: cpu_ms(way, files) for name, way in ways.items()} for _ in range(rounds)]
    return {name: float(np.median([each[name] for each in times])) for name in ways}


def wall_s(way: Callable[[bytes], object], files: list[bytes], threads: int) -> float:
    began_s = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(way, files))
    return time.perf_counter() - began_s


def show(material: Material, ways: dict[str, Callable[[bytes], None]], rounds: int) -> None:
    """Time all ways on pictures of one kind, and compare their bits."""
    size = sum(map(len, material.files)) / len(material.files) / 1000
    print(f"\n{material.name}, {size:.0f} kB a file, {len(material.files)} files")
    times = middle_times_ms(ways, material.files, rounds)
    for name, ms in times.items():
        print(f"  {name:<28} {ms:8.2f} ms  {1000 / ms:7.1f} images/s  {times['a'] / ms:6.1f}x of a")
    print(f"  e / d  {times['e'] / times['d']:.2f}   e2 / d  {times['e2'] / times['d']:.2f}")
    exact = sum(fast_equals_imagehash(content) for content in material.files)
    print(f"  bit-identical with ImageHash: {exact} of {len(material.files)}")


def fast_equals_imagehash(content: bytes) -> bool:
    image = decoded(content)
    found, expected = fingerprint(image), imagehash_hashes(image)
    return all(getattr(found, kind) == value for kind, value in expected._asdict().items())


def used_s() -> tuple[float, float]:
    """Return the processor time used so far by everything on the machine, and by us with our workers."""
    machine = psutil.cpu_times()
    us = psutil.Process()
    ours = [process.cpu_times() for process in (us, *us.children(recursive=True))]
    idle_s = machine.idle + getattr(machine, "iowait", 0.0)
    return sum(machine) - idle_s, sum(times.user + times.system for times in ours)


def show_two_cores(files: list[bytes]) -> None:
    workers = Workers(DecodeSettings())
    ways: dict[str, Callable[[bytes], object]] = {
        "d, threads": only_decoded,
        "e, threads": our_hashes,
        "e2, threads": everything,
        "e2, worker processes": workers.fingerprint,
    }
    for name, way in ways.items():
        wall_s(way, files[:4], 2)
        machine_s, ours_s = used_s()
        one_s, two_s = np.transpose([(wall_s(way, files, 1), wall_s(way, files, 2)) for _ in range(ROUNDS)])
        machine_then_s, ours_then_s = used_s()
        others_s = machine_then_s - machine_s - (ours_then_s - ours_s)
        others_share = others_s / (one_s.sum() + two_s.sum()) / psutil.cpu_count()
        print(
            f"  {name:<21} one {len(files) / one_s.min():6.1f} images/s  two {len(files) / two_s.min():6.1f} images/s"
            f"  {one_s.min() / two_s.min():.2f}x  (middle of {ROUNDS} rounds {np.median(one_s / two_s):.2f}x,"
            f" others had {max(0.0, others_share):.0%} of the machine)"
        )
    workers.end()


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=6, help="pictures of each kind")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    began_s = time.perf_counter()
    trouble = warmup(print)
    if trouble:
        raise SystemExit(trouble)
    print(f"ready after {time.perf_counter() - began_s:.1f} s")
    ways = {"a": five_times, "b": once, **others(), "d": only_decoded, "e": our_hashes, "e2": everything}
    with threadpool_limits(1):
        kinds = materials(asked.photos, asked.count)
        for material in kinds:
            show(material, ways, asked.rounds)
        print(f"\n{kinds[0].name} on two cores")
        show_two_cores(kinds[0].files * REPEATS)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  most memory of the whole run: {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
