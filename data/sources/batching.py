"""What every source of rows gives: numbered batches of text, with what could not be read set aside."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from data.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_EXCERPT_CHARS = 200
UNSTORABLE = "holds half of a character pair, or bytes that are no text"


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that could not even be read.

    Parameters
    ----------
    line
        Where it starts, counted as in `Batch.lines`.
    column
        The column at fault; empty when it is the whole row.
    reason
        One sentence saying what is wrong.
    excerpt
        Its beginning, made visible by `excerpt`.
    """

    line: int
    column: str
    reason: str
    excerpt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows of a source, every value as text.

    Parameters
    ----------
    source
        Name of the file or table, as the user knows it: no folder, no credential.
    number
        0 for the first batch of the source; the same reading gives the same numbers.
    frame
        Columns of ``str`` dtype, NA for empty, with a ``RangeIndex``.
    lines
        int64, one for each row of ``frame``: the line of the file where the row starts, the first line being 1
        (CSV, JSON Lines), or the number of the row, the first being 1 (Parquet, SQL).
    broken
        Rows that could not be read.
    """

    source: str
    number: int
    frame: pd.DataFrame
    lines: np.ndarray
    broken: tuple[Broken, ...] = ()


class Source(Protocol):
    """A table somewhere. Reading it twice gives the same batches as long as it has not changed."""

    @property
    def name(self) -> str:
        """Name of the file, folder or table, as the user knows it: no folder above it, no credential."""
        ...

    def columns(self) -> list[str]:
        """Return the names of the columns, in their order.

        Raises
        ------
        SourceError
            If the table cannot be opened, has no columns, or names one twice.
        """
        ...

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield all rows, at most ``rows`` at a time, without ever holding the whole table.

        Raises
        ------
        SourceError
            If the table cannot be read to its end.
        """
        ...


def excerpt(text: str) -> str:
    r"""Return the beginning of a text, at most 200 characters, with what would not be seen named.

    Examples
    --------
    >>> excerpt("a\x00b\n")
    'a⟨U+0000⟩b⟨U+000A⟩'
    """
    shown = visible(text[: MAX_EXCERPT_CHARS + 1])
    return shown if len(shown) <= MAX_EXCERPT_CHARS else shown[: MAX_EXCERPT_CHARS - 1] + "…"


@dataclass(frozen=True, slots=True)
class Record:
    """One row as read: its values by column; a missing or empty one means unknown."""

    line: int
    cells: dict[str, str | None]


def gather(records: Iterable[Record | Broken], source: str, columns: Sequence[str], rows: int) -> Iterator[Batch]:
    """Yield batches of at most ``rows`` rows, broken ones included.

    Columns beyond ``columns`` that a record brings along are kept, in the order of their first appearance.
    """
    stream = iter(records)
    number = 0
    while items := list(islice(stream, rows)):
        yield _batch(items, source, columns, number)
        number += 1


def _batch(items: list[Record | Broken], source: str, columns: Sequence[str], number: int) -> Batch:
    broken = [item for item in items if isinstance(item, Broken)]
    records = [item for item in items if isinstance(item, Record)]
    try:
        frame = _frame(records, columns)
    except UnicodeEncodeError:
        unstorable = {id(record): name for record in records if (name := _unstorable_column(record)) is not None}
        broken += [_unstorable(record, unstorable[id(record)]) for record in records if id(record) in unstorable]
        records = [record for record in records if id(record) not in unstorable]
        frame = _frame(records, columns)
    lines = np.fromiter((record.line for record in records), dtype=np.int64, count=len(records))
    ordered = tuple(sorted(broken, key=lambda row: row.line))
    return Batch(source=source, number=number, frame=frame, lines=lines, broken=ordered)


def _frame(records: list[Record], columns: Sequence[str]) -> pd.DataFrame:
    names = dict.fromkeys(columns) | dict.fromkeys(name for record in records for name in record.cells)
    data = {name: pd.array([r.cells.get(name) or None for r in records], dtype="str") for name in names}
    return pd.DataFrame(data, index=pd.RangeIndex(len(records)))


def _unstorable_column(record: Record) -> str | None:
    pairs = ((name, f"{name}{value or ''}") for name, value in record.cells.items())
    return next((name for name, text in pairs if not _is_storable(text)), None)


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unstorable(record: Record, column: str) -> Broken:
    return Broken(record.line, excerpt(column), UNSTORABLE, excerpt(record.cells[column] or ""))
