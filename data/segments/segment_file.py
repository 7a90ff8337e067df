"""The two kinds of files: a segment, which is named one-dimensional arrays, and the manifest of those that count.

A segment begins with eight bytes that tell what it is, the length of its header and the header's checksum (two 32-bit
numbers), and the header: names, types, lengths and places of the arrays, as JSON. Arrays begin at multiples of 64
bytes, where a cache line begins; their places are counted from the first such place behind the header. The manifest is
JSON and is replaced as a whole.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.durable import write_flushed
from data.errors import SegmentsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[np.generic]]

MAGIC = b"SEGMENT1"
START = struct.Struct("<8sII")
ALIGNMENT = 64
READ_BYTES = 1 << 20
NAME = "manifest.json"
MARK = "mark"
"""Nothing counts by it any more; earlier versions do not read a manifest without it."""


def write_segment(path: Path, arrays: Arrays) -> Entry:
    """Write arrays to a new file; it counts once a manifest names it.

    Raises
    ------
    WriteError
        The disk is full or refuses.
    """
    checksum, n_bytes = hashlib.sha256(), 0

    def noted() -> Iterator[memoryview]:
        nonlocal n_bytes
        for piece in _pieces(arrays):
            checksum.update(piece)
            n_bytes += len(piece)
            yield piece

    write_flushed(path, noted())
    return Entry(path.name, n_bytes, checksum.hexdigest())


@dataclass(frozen=True, slots=True)
class Entry:
    """What the manifest knows of a segment.

    Parameters
    ----------
    name
        Of its file.
    n_bytes
        Size of its file.
    sha256
        Checksum of the whole file, in hex.
    """

    name: str
    n_bytes: int
    sha256: str


def open_segment(path: Path, entry: Entry) -> dict[str, NDArray[np.generic]]:
    """Map a segment into memory, checking its size and its header but not its arrays.

    Raises
    ------
    FileNotFoundError
        It is gone.
    SegmentsError
        It is not what the manifest says.
    """
    raw = np.asarray(np.memmap(path, np.uint8, mode="r")) if path.stat().st_size else np.empty(0, np.uint8)
    if raw.size != entry.n_bytes:
        raise SegmentsError(str(path), f"it has {raw.size} bytes instead of {entry.n_bytes}")
    header, content = _header(path, raw)
    return {
        array["name"]: content[array["at"] : array["at"] + array["n_bytes"]].view(array["dtype"]) for array in header
    }


def is_whole(path: Path, entry: Entry) -> bool:
    """Read all of a segment, and tell whether it is what was written."""
    checksum = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            checksum.update(piece)
    return checksum.hexdigest() == entry.sha256


@dataclass(frozen=True, slots=True)
class Manifest:
    """The segments that count.

    Parameters
    ----------
    format
        Names what the arrays are; those of another format are not read.
    generation
        Rises with every change.
    entries
        The segments, oldest first.
    """

    format: str
    generation: int
    entries: tuple[Entry, ...]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Have another manifest count from now on.

    Raises
    ------
    WriteError
        The disk is full or refuses; the one before still counts.
    """
    content = json.dumps(asdict(manifest) | {MARK: 0}, indent=1)
    write_flushed(folder / NAME, [json.dumps({"sha256": _checksum(content), "content": content}).encode()])


def read_manifest(folder: Path, expected_format: str) -> Manifest:
    """Return the manifest that counts.

    Raises
    ------
    SegmentsError
        There is none, or it is damaged, or of another format.
    """
    try:
        outer = json.loads((folder / NAME).read_bytes())
        is_right = outer["sha256"] == _checksum(outer["content"])
    except FileNotFoundError as error:
        raise SegmentsError(str(folder), "there is none") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SegmentsError(str(folder), f"{NAME} is damaged ({error})") from error
    if not is_right:
        raise SegmentsError(str(folder), f"{NAME} is damaged (its checksum differs)")
    content = json.loads(outer["content"])
    content.pop(MARK, None)
    if content["format"] != expected_format:
        raise SegmentsError(str(folder), f"it has format {content['format']!r}, this version reads {expected_format!r}")
    return Manifest(**content | {"entries": tuple(Entry(**entry) for entry in content["entries"])})


def _pieces(arrays: Arrays) -> Iterator[memoryview]:
    """Yield the content of a file."""
    places, at = [], 0
    for array in arrays.values():
        places.append(at)
        at += _aligned(array.nbytes)
    header = [
        {"name": name, "dtype": array.dtype.str, "n_bytes": array.nbytes, "at": place}
        for (name, array), place in zip(arrays.items(), places, strict=True)
    ]
    text = json.dumps(header).encode()
    start = START.pack(MAGIC, len(text), zlib.crc32(text)) + text
    yield memoryview(start.ljust(_aligned(len(start)), b"\0"))
    for array in arrays.values():
        yield np.ascontiguousarray(array).view(np.uint8).data
        yield memoryview(bytes(_aligned(array.nbytes) - array.nbytes))


def _header(path: Path, raw: NDArray[np.uint8]) -> tuple[list[dict[str, Any]], NDArray[np.uint8]]:
    """Return what the header says of the arrays, once its checksum is right, and the bytes behind it."""
    if raw.size >= START.size:
        magic, length, checksum = START.unpack(raw[: START.size].tobytes())
        text = raw[START.size : START.size + length].tobytes()
        if magic == MAGIC and zlib.crc32(text) == checksum:
            return json.loads(text), raw[_aligned(START.size + length) :]
    raise SegmentsError(str(path), "its header is damaged, or of another version")


def _aligned(n_bytes: int) -> int:
    return -(-n_bytes // ALIGNMENT) * ALIGNMENT


def _checksum(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
