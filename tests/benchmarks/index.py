"""Time the index beside other ways to search 64-bit keys by Hamming distance, on the same keys in one run.

    python tests/benchmarks/index.py --keys 1000000 10000000

One core. Times are CPU microseconds a query, the middle of several rounds in which the ways take turns, so that other
work on the machine weighs on all of them alike. Slow ways are given fewer queries, and how many stands beside the
figure. What is not installed (faiss-cpu, usearch) is left out with a word.

ours          the index, mapped from its file
brute force   our compiled comparison with all keys: XOR and popcount of sixteen keys at a time
Flat          faiss IndexBinaryFlat, range search
MultiHash     faiss IndexBinaryMultiHash, 4 x 16 bits, as many flips as make it exact
Hash          faiss IndexBinaryHash, 16 bits, as many flips as make it exact
usearch       exact search for the ten nearest: it knows no radius
"""

from __future__ import annotations

import argparse
import importlib
import resource
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.segments.segment_store import SegmentStore
from features.hamming.brute_force import Hits, within
from features.hamming.bucket_scan import compare_all
from features.hamming.hamming_index import Index, merge, warmup
from features.hamming.index_segment import FORMAT, build, everything

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Ask = Callable[[Keys, int], int]

SEED = 4
NEAR_SHARE = 0.1
"""Of the queries: copies of keys with a few bits flipped, so that there is something to find."""
MOST_RADIUS_BITS = 12
APPENDED = 100_000
TRIAL_QUERIES = 4
SECONDS_A_WAY = 3.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way to search.

    Parameters
    ----------
    name
        Short.
    ask
        Takes queries and a radius, and returns how many hits there are.
    counts_hits
        Whether that number can be compared.
    """

    name: str
    ask: Ask
    counts_hits: bool = True


def random_keys(rng: np.random.Generator, n_keys: int) -> Keys:
    return rng.integers(0, 2**64, n_keys, dtype=np.uint64)


def flipped(rng: np.random.Generator, keys: Keys, bits: int) -> Keys:
    """Flip so many different bits of each key."""
    order = np.argsort(rng.random((keys.size, 64)), axis=1)[:, :bits].astype(np.uint64)
    return keys ^ np.bitwise_or.reduce(np.uint64(1) << order, axis=1, initial=0)


def clustered_keys(rng: np.random.Generator, n_keys: int) -> Keys:
    """Draw keys of which nine in ten lie within a few bits of a common centre."""
    centres = random_keys(rng, n_keys // 10)
    return np.concatenate([centres, *(flipped(rng, centres, bits) for bits in (0, 1, 2, 3, 4, 6, 8, 10, 12))])


def drawn_queries(rng: np.random.Generator, keys: Keys, n_queries: int) -> Keys:
    n_near = int(n_queries * NEAR_SHARE)
    near = flipped(rng, rng.choice(keys, n_near), 5)
    return rng.permutation(np.concatenate([near, random_keys(rng, n_queries - n_near)]))


def cpu_s(act: Callable[[], object]) -> float:
    began_s = time.process_time()
    act()
    return time.process_time() - began_s


def wall_s(act: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    act()
    return time.perf_counter() - began_s


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def as_bytes(keys: Keys) -> NDArray[np.uint8]:
    return keys.view(np.uint8).reshape(-1, 8)


def faiss_ways(keys: Keys) -> list[Way]:
    try:
        faiss: Any = importlib.import_module("faiss")
    except ImportError:
        print("  faiss is not installed: left out")
        return []
    faiss.omp_set_num_threads(1)
    flat, multi, single = (
        faiss.IndexBinaryFlat(64),
        faiss.IndexBinaryMultiHash(64, 4, 16),
        faiss.IndexBinaryHash(64, 16),
    )
    for index in (flat, multi, single):
        print(f"  {type(index).__name__} built in {cpu_s(partial(index.add, as_bytes(keys))):.1f} s")

    def ask(index: Any, flips: Callable[[int], int], queries: Keys, radius_bits: int) -> int:
        if index is not flat:
            index.nflip = flips(radius_bits)
        limits, _, _ = index.range_search(as_bytes(queries), radius_bits + 1)
        return int(limits[-1])

    return [
        Way("Flat", partial(ask, flat, int)),
        Way("MultiHash", partial(ask, multi, lambda radius_bits: radius_bits // 4)),
        Way("Hash", partial(ask, single, int)),
    ]


def usearch_ways(keys: Keys) -> list[Way]:
    try:
        usearch: Any = importlib.import_module("usearch.index")
    except ImportError:
        print("  usearch is not installed: left out")
        return []

    def ask(queries: Keys, _: int) -> int:
        metric = usearch.MetricKind.Hamming
        usearch.search(as_bytes(keys), as_bytes(queries), 10, metric, exact=True, threads=1)
        return 0

    return [Way("usearch", ask, counts_hits=False)]


def our_ways(index: Index) -> list[Way]:
    def compare(queries: Keys, radius_bits: int) -> int:
        names = np.arange(queries.size, dtype=np.uint64)
        return sum(compare_all(queries, names, part.tables[0], everything(radius_bits)).size for part in index.segments)

    return [
        Way("ours", lambda queries, radius_bits: index.within(queries, radius_bits).distance.size),
        Way("brute force", compare),
    ]


def affordable(way: Way, queries: Keys, radius_bits: int) -> Keys:
    """Return as many of the queries as a way answers in a few seconds."""
    few = queries[:TRIAL_QUERIES]
    way.ask(few, radius_bits)
    seconds = max(cpu_s(lambda: way.ask(few, radius_bits)), 1e-6) / few.size
    return queries[: max(TRIAL_QUERIES, int(SECONDS_A_WAY / seconds))] if way.name != "ours" else queries


def show_queries(ways: list[Way], queries: Keys, radius_bits: int, rounds: int) -> dict[str, float]:
    """Print and return the time of a query each way, and whether it finds as much as ours."""
    asked = {way.name: affordable(way, queries, radius_bits) for way in ways}
    times: dict[str, list[float]] = {way.name: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            part = asked[way.name]
            times[way.name].append(cpu_s(partial(way.ask, part, radius_bits)) / part.size * 1e6)
    middle = {name: statistics.median(values) for name, values in times.items()}
    ours = ways[0]
    for way in ways:
        part = asked[way.name]
        agrees = way.ask(part, radius_bits) == ours.ask(part, radius_bits)
        found = ("same hits" if agrees else "OTHER HITS") if way.counts_hits else "no radius"
        ratio = middle[way.name] / middle["ours"]
        print(
            f"  k {radius_bits:2}  {way.name:<12} {middle[way.name]:12.2f} us  {ratio:8.1f}x of ours  "
            f"{part.size:6} queries  {found}"
        )
    return middle


def show_join(index: Index, radius_bits: int, query_us: dict[str, float]) -> None:
    """Print the time of the self-join, beside asking with every key in the other ways."""
    pairs: list[Hits] = []
    seconds = cpu_s(lambda: pairs.append(index.pairs(radius_bits)))
    others = "  ".join(
        f"{name} {us * len(index) / 1e6:.0f} s" for name, us in query_us.items() if name not in ("ours", "usearch")
    )
    print(f"  k {radius_bits:2}  self-join {seconds:.2f} s, {pairs[0].distance.size} pairs  (reckoned: {others})")


def show_files(store: SegmentStore, keys: Keys, rng: np.random.Generator) -> Index:
    """Print sizes and times of the files, and return the index of the first segment, mapped."""
    now = datetime.now(UTC)
    items = np.arange(keys.size, dtype=np.uint32)
    arrays: list[dict[str, NDArray[Any]]] = []
    built_s = cpu_s(lambda: arrays.append(build(keys, items)))
    written_s = wall_s(lambda: store.rebuild(arrays, now=now))
    arrays.clear()
    n_bytes = sum(path.stat().st_size for path in store.folder.glob("*.segment"))
    opened: list[Index] = []
    opened_s = wall_s(lambda: opened.append(Index.of(store.open().parts)))
    first_s = wall_s(lambda: opened[0].within(keys[:1], 8))
    print(f"  built in {built_s:.1f} s, written in {written_s:.1f} s, {n_bytes / keys.size:.1f} bytes a key")
    print(f"  opened in {opened_s * 1000:.1f} ms, first query after it {first_s * 1000:.1f} ms")
    more = random_keys(rng, APPENDED)
    numbers = np.arange(APPENDED, dtype=np.uint32)
    times = [wall_s(lambda: store.append(build(more, numbers))) for _ in range(5)]
    merged_s = wall_s(lambda: store.compact(merge, now=now))
    print(
        f"  {APPENDED} keys appended in {statistics.median(times):.2f} s, five such segments merged in {merged_s:.2f} s"
    )
    return opened[0]


def show_exactness(name: str, keys: Keys, rng: np.random.Generator) -> None:
    """Compare the index with brute force for every radius, pairs at exactly the radius and one bit more included."""
    index = Index.of([build(part, np.zeros(part.size, np.uint32)) for part in np.array_split(keys, 3)])
    planted = [flipped(rng, rng.choice(keys, 20), bits) for bits in range(MOST_RADIUS_BITS + 2)]
    queries = np.concatenate([rng.choice(keys, 100), random_keys(rng, 100), *planted])
    expected = within(queries, index.keys, MOST_RADIUS_BITS)
    wrong = []
    for radius_bits in range(MOST_RADIUS_BITS + 1):
        is_hit = expected.distance <= radius_bits
        rows = zip(index.within(queries, radius_bits), expected, strict=True)
        if not all(np.array_equal(found, column[is_hit]) for found, column in rows):
            wrong.append(radius_bits)
    verdict = f"WRONG at k {wrong}" if wrong else f"the rows of brute force for every k up to {MOST_RADIUS_BITS}"
    print(f"  {name:<10} {keys.size} keys, {queries.size} queries, {expected.distance.size} hits: {verdict}")


def show_size(n_keys: int, asked: argparse.Namespace) -> None:
    rng = np.random.default_rng(SEED)
    print(f"\n{n_keys} random keys")
    keys = random_keys(rng, n_keys)
    queries = drawn_queries(rng, keys, asked.queries)
    with tempfile.TemporaryDirectory() as folder:
        index = show_files(SegmentStore(Path(folder), FORMAT), keys, rng)
        for radius_bits in (4, *asked.radii):
            index.within(queries, radius_bits)
        print(f"  most memory so far, building included: {peak_mb():.0f} MB")
        ways = [*our_ways(index), *faiss_ways(keys), *usearch_ways(keys)]
        for radius_bits in asked.radii:
            show_join(index, radius_bits, show_queries(ways, queries, radius_bits, asked.rounds))
        for radius_bits in (4, MOST_RADIUS_BITS):
            show_queries(ways[:2], queries, radius_bits, asked.rounds)
    crowded = Index.of_keys(clustered_keys(rng, n_keys))
    print("  the same number of clustered keys")
    near = drawn_queries(rng, crowded.keys, asked.queries)
    for radius_bits in asked.radii:
        show_queries(our_ways(crowded), near, radius_bits, asked.rounds)


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--queries", type=int, default=100_000)
    parser.add_argument("--radii", type=int, nargs="+", default=[8, 10])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(f"ready after {wall_s(lambda: warmup(print)):.2f} s")
    rng = np.random.default_rng(SEED)
    print("exactness")
    show_exactness("random", random_keys(rng, 1_000_000), rng)
    show_exactness("clustered", clustered_keys(rng, 1_000_000), rng)
    for n_keys in asked.keys:
        show_size(n_keys, asked)


if __name__ == "__main__":
    main()
