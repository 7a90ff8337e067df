"""Rows read one after another, gathered into batches."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.sources.protocol import Batch, Broken, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

UNSTORABLE = "holds half of a character pair, or bytes that are no text"


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
