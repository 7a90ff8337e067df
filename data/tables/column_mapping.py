"""Tables whose columns have other names than ours: ``--map THEIRS=ours``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.errors import TableError
from data.tables.columns import LISTINGS, SELLERS, TABLES, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

ROW_DIGEST = "@row_digest"
EMPTY = "@empty"
CONSTANT = "@const:"
ADVICE = (
    "Rename columns, or say what they are called with --map THEIRS=ours; for what the table lacks: "
    f"{ROW_DIGEST}=ours, {EMPTY}=ours or {CONSTANT}TEXT=ours. docs/tables.md explains every column."
)
SEPARATOR = ", "


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column of the caller's tables is which of ours; one list serves all of the tables.

    Parameters
    ----------
    pairs
        ``(theirs, ours)``. Instead of a column, ``theirs`` may say how to fill what a table lacks: ``@row_digest``
        (32 hex digits of the SHA-256 of the row's content), ``@empty``, or ``@const:`` and a text.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Mapping:
        """Read ``THEIRS=ours`` arguments.

        Raises
        ------
        TableError
            With every problem: no ``=``, a column none of our tables has, one of ours named twice.
        """
        pairs = tuple(_split(argument) for argument in arguments)
        problems = [
            problem for argument, pair in zip(arguments, pairs, strict=True) for problem in _faults(argument, pair)
        ]
        ours = [name for _, name in pairs]
        problems += [f"{name} is mapped twice" for name in dict.fromkeys(ours) if name and ours.count(name) > 1]
        if problems:
            raise TableError("A table mapped like this", problems, ADVICE)
        return cls(pairs)

    def chosen(self, table: Table, columns: Sequence[str]) -> dict[str, str]:
        """Return, for each of a table's columns that can be had, where it comes from.

        A filling (``@…``) yields to a column of the same name. So does a mapped column that is not there, if ``ours``
        is a column of several tables: it was meant for another of them.
        """
        own = {column.name: column.name for column in table.columns if column.name in columns}
        mapped = {ours: theirs for theirs, ours in self.pairs if ours in table.names}
        return own | {
            ours: theirs for ours, theirs in mapped.items() if theirs in columns or (_fills(theirs) and ours not in own)
        }

    def missing(self, table: Table, columns: Sequence[str]) -> list[tuple[str, str]]:
        """Return the pairs whose ``theirs`` this table should have and has not."""
        return [
            (theirs, ours)
            for theirs, ours in self.pairs
            if ours in table.names
            and theirs not in columns
            and not _fills(theirs)
            and not (ours in columns and _tables_with(ours) > 1)
        ]

    def unknown(self, columns: Collection[str]) -> list[tuple[str, str]]:
        """Return the pairs whose ``theirs`` is not among the columns of all given tables together."""
        return [(theirs, ours) for theirs, ours in self.pairs if theirs not in columns and not _fills(theirs)]

    def apply(self, frame: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Split a batch into the table's own columns, renamed and in order, and all others.

        A table of listings that also serves as the table of sellers tells of listings in its other columns: they are
        not kept with the seller.
        """
        chosen = self.chosen(table, list(frame.columns))
        own = pd.DataFrame({ours: _taken(frame, theirs) for ours, theirs in chosen.items()}, index=frame.index)
        own = own.reindex(columns=[column.name for column in table.columns]).astype("str")
        used = set(chosen.values()) | {theirs for theirs, _ in self.pairs}
        describes_listings = table is SELLERS and self._describes_listings(list(frame.columns))
        others = [] if describes_listings else [name for name in frame.columns if name not in used]
        return own, frame[others]

    def _describes_listings(self, columns: Sequence[str]) -> bool:
        chosen = self.chosen(LISTINGS, columns)
        return LISTINGS.required <= chosen.keys() and chosen["created_at"] in columns


def check_columns(columns: Sequence[str], table: Table, *, mapping: Mapping, source: str) -> None:
    """Check that a table has what it must have.

    Parameters
    ----------
    columns
        As `data.sources.Source.columns` gives them.
    source
        Name of the table in messages.

    Raises
    ------
    TableError
        With every problem, and what might have been meant.
    """
    chosen = mapping.chosen(table, columns)
    absent = mapping.missing(table, columns)
    lacking = table.required - chosen.keys() - {ours for _, ours in absent}
    free = [name for name in columns if name not in chosen.values()]
    problems = [
        *(f"--map {theirs}={ours}: there is no column {theirs}{_meant(theirs, columns)}" for theirs, ours in absent),
        *(
            f"column {column.name} is missing ({column.meaning}){_meant(column.name, free)}"
            for column in table.columns
            if column.name in lacking
        ),
    ]
    if problems:
        raise TableError(f"{source} as table of {table.name}", problems, f"It has: {', '.join(columns)}. {ADVICE}")


def as_json(frame: pd.DataFrame) -> pd.Series:
    """Return each row as a JSON object with sorted keys and without unknown values.

    Parameters
    ----------
    frame
        Columns of ``str`` dtype.

    Returns
    -------
    Series of ``str``, NA where a row has no value at all.

    Examples
    --------
    >>> as_json(pd.DataFrame({"b": ["x", None], "a": ["1", None]}, dtype="str")).tolist()
    ['{"a": "1", "b": "x"}', nan]
    """
    anchor = pa.array([""] * len(frame), pa.large_string())  # Arrow drops rows in which every member is null
    members = [_members(frame[name]) for name in sorted(frame.columns)]
    joined = pc.binary_join_element_wise(
        anchor, *members, pa.scalar(SEPARATOR, pa.large_string()), null_handling="skip"
    )
    inner = pd.Series(joined.to_pandas().array, index=frame.index, dtype="str").str.removeprefix(SEPARATOR)
    return "{" + inner.mask(inner == "", None) + "}"


def _split(argument: str) -> tuple[str, str]:
    theirs, _, ours = argument.rpartition("=")
    return theirs.strip(), ours.strip()


def _faults(argument: str, pair: tuple[str, str]) -> list[str]:
    theirs, ours = pair
    if not theirs or not ours:
        return [f"--map {argument!r} is not THEIRS=ours"]
    known = sorted({column.name for table in TABLES.values() for column in table.columns})
    if ours not in known:
        return [f"--map {argument}: none of our tables has a column {ours}{_meant(ours, known)}"]
    return []


def _meant(name: str, candidates: Sequence[str]) -> str:
    plain = {_plain(candidate): candidate for candidate in candidates}
    close = get_close_matches(_plain(name), plain, n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(plain[match] for match in close)}?" if close else ""


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _tables_with(ours: str) -> int:
    return sum(ours in table.names for table in TABLES.values())


def _fills(theirs: str) -> bool:
    return theirs in {ROW_DIGEST, EMPTY} or theirs.startswith(CONSTANT)


def _taken(frame: pd.DataFrame, theirs: str) -> pd.Series | str | None:
    if theirs in frame.columns:
        return frame[theirs]
    if theirs.startswith(CONSTANT):
        return theirs.removeprefix(CONSTANT)
    if theirs == EMPTY:
        return None
    rows = as_json(frame).fillna("{}")
    return pd.Series([hashlib.sha256(row.encode()).hexdigest()[:32] for row in rows], index=frame.index, dtype="str")


def _members(column: pd.Series) -> pa.Array:
    """``"name": "value"`` for each row; values are encoded once for each distinct one."""
    codes, distinct = pd.factorize(column)
    key = json.dumps(str(column.name), ensure_ascii=False)
    encoded = pa.array([f"{key}: {json.dumps(value, ensure_ascii=False)}" for value in distinct], pa.large_string())
    return encoded.take(pa.array(codes, mask=np.asarray(codes) < 0))
