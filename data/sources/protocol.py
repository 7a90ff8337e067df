"""What every source of rows gives: numbered batches of text, with what could not be read set aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd

MAX_EXCERPT_CHARS = 200


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
        Its beginning, made printable by `excerpt`.
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

    @property
    def is_snapshot(self) -> bool:
        """Whether an equal `digest` means equal rows: true for files, false for databases."""
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

    def digest(self) -> str:
        """Return 64 hex digits: SHA-256 of the bytes of a file, or of the address and query of a database."""
        ...


def excerpt(text: str) -> str:
    r"""Return the beginning of a text, at most 200 characters, with what cannot be printed escaped.

    Examples
    --------
    >>> excerpt("a\x00b\n")
    'a\\x00b\\n'
    """
    start = text[: MAX_EXCERPT_CHARS + 1]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in start)
    return shown if len(shown) <= MAX_EXCERPT_CHARS else shown[: MAX_EXCERPT_CHARS - 1] + "…"
