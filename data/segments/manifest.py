"""Which segments count, in one small file that is replaced as a whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from data.durable import write_flushed
from data.errors import SegmentsError
from data.segments.segment_file import Entry

if TYPE_CHECKING:
    from pathlib import Path

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The segments that count.

    Parameters
    ----------
    format
        Names what the arrays are; those of another format are not read.
    generation
        Rises with every change.
    mark
        How far whoever adds has come, in its own counting: it changes together with the segments.
    entries
        The segments, oldest first.
    """

    format: str
    generation: int
    mark: int
    entries: tuple[Entry, ...]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Have another manifest count from now on.

    Raises
    ------
    WriteError
        The disk is full or refuses; the one before still counts.
    """
    content = json.dumps(asdict(manifest), indent=1)
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
    if content["format"] != expected_format:
        raise SegmentsError(str(folder), f"it has format {content['format']!r}, this version reads {expected_format!r}")
    return Manifest(**content | {"entries": tuple(Entry(**entry) for entry in content["entries"])})


def _checksum(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
