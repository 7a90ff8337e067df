"""Descriptions of many pictures by several methods: every file is opened once, in parallel, and arrays are kept."""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from .edits import displayed
from .methods import method_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from .photos import Photo

    Described = tuple[dict[str, object], dict[str, float]]
    """By the methods' names: descriptions, and seconds they took."""

method_of_worker = cache(method_named)


def describe(source: Photo | Path, names: Sequence[str]) -> Described:
    """Describe one picture by each method."""
    picture = displayed(source.read_bytes()) if isinstance(source, Path) else source.picture()
    timed = {name: timed_description(picture, name) for name in names}
    return {name: value for name, (value, _) in timed.items()}, {name: seconds for name, (_, seconds) in timed.items()}


def timed_description(picture: Image.Image, name: str) -> tuple[object, float]:
    method = method_of_worker(name)
    started = perf_counter()
    return method.describe(picture), perf_counter() - started


class Descriptions:
    """Describes a list of pictures, keeping in ``folder`` what methods allow to keep.

    Parameters
    ----------
    sources
        Photos or posted files.
    folder, label
        Where arrays are kept, and what the list is called there; a label never stands for two lists.
    workers
        Processes.
    """

    def __init__(self, sources: Sequence[Photo | Path], folder: Path, label: str, workers: int) -> None:
        self.sources, self.folder, self.label, self.workers = sources, folder, label, workers
        self.median_ms: dict[str, float] = {}

    def by_method(self, names: Sequence[str]) -> dict[str, list[object]]:
        """Return the descriptions of all pictures by the methods' names."""
        kept = {name: load_ragged(path) for name in names if (path := self.kept_at(name)) and path.exists()}
        missing = [name for name in names if name not in kept]
        if not missing:
            return kept
        with ProcessPoolExecutor(self.workers) as pool:
            described = list(pool.map(partial(describe, names=missing), self.sources, chunksize=8))
        for name in missing:
            kept[name] = [values[name] for values, _ in described]
            self.median_ms[name] = 1000 * float(np.median([seconds[name] for _, seconds in described]))
            if path := self.kept_at(name):
                save_ragged(path, kept[name])
        return kept

    def kept_at(self, name: str) -> Path | None:
        recipe = method_named(name).recipe
        return None if recipe is None else self.folder / f"{self.label}-{name}-{recipe}.npz"


def save_ragged(path: Path, arrays: Sequence[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [np.asarray(array) for array in arrays]
    np.savez(path, rows=np.concatenate(rows), lengths=[len(part) for part in rows])


def load_ragged(path: Path) -> list[object]:
    with np.load(path) as kept:
        return list(np.split(kept["rows"], np.cumsum(kept["lengths"])[:-1]))


def digest_of(parts: Sequence[object]) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]
