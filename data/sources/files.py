"""Where rows come from: a file by its suffix, a folder of such files, or a database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import SourceError
from data.sources.parquet import ParquetFile
from data.sources.sql import SqlTable
from data.sources.streams import COMPRESSIONS
from data.sources.text_files import DelimitedFile, JsonLinesFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from data.sources.batching import Batch, Source

DEFAULT_ENCODING = "utf-8-sig"
KINDS: dict[str, Callable[[Path, str, str], Source]] = {
    ".csv": DelimitedFile,
    ".tsv": partial(DelimitedFile, delimiter="\t"),
    ".jsonl": JsonLinesFile,
    ".ndjson": JsonLinesFile,
    ".parquet": lambda path, name, _encoding: ParquetFile(path, name),
}
WRITE_ONE_OF = f"Give {', '.join(KINDS)} (also with {' or '.join(COMPRESSIONS)}), a folder of them, or a database URL."


@dataclass(frozen=True, slots=True)
class Folder:
    """Several files with the same columns, read in the order of their names as if they were one."""

    name: str
    parts: tuple[Source, ...]

    def columns(self) -> list[str]:
        """Return the columns of the first file, which all others must have too, in whatever order."""
        first, *others = self.parts
        columns = first.columns()
        for part in others:
            if differing := sorted(set(columns) ^ set(part.columns())):
                found = f"{part.name} and {first.name} differ in the columns {', '.join(differing)}"
                raise SourceError(self.name, found, "Load them one by one.")
        return columns

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield the rows of all files; no batch spans two of them."""
        every = (batch for part in self.parts for batch in part.batches(rows))
        for number, batch in enumerate(every):
            yield replace(batch, number=number)


def open_source(address: str, *, encoding: str = DEFAULT_ENCODING) -> Source:
    """Find out what an address names; nothing is read yet.

    Parameters
    ----------
    address
        A file (``.csv``, ``.tsv``, ``.jsonl``, ``.ndjson``, ``.parquet``, each also ``.gz`` or ``.zst``), a folder of
        such files, or ``sqlalchemy-url#table-or-query``.
    encoding
        Of text files; any name Python knows.

    Raises
    ------
    SourceError
        If it is none of these.
    """
    if "://" in address:
        return SqlTable.parse(address)
    path = Path(address)
    if path.is_dir():
        return _folder(path, encoding)
    return _file(path, path.name, encoding)


def _folder(path: Path, encoding: str) -> Folder:
    name = path.resolve().name
    inside = sorted(entry for entry in path.iterdir() if not entry.name.startswith((".", "_")))
    if not inside:
        raise SourceError(name, "the folder is empty", WRITE_ONE_OF)
    return Folder(name, tuple(_file(entry, f"{name}/{entry.name}", encoding) for entry in inside))


def _file(path: Path, name: str, encoding: str) -> Source:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    make = KINDS.get(suffixes[-1]) if suffixes else None
    if not path.exists():
        raise SourceError(name, "there is no such file or folder", "Check the path.")
    if make is None or path.is_dir():
        raise SourceError(name, "its name does not say what kind of table it is", WRITE_ONE_OF)
    return make(path, name, encoding)
