"""Validation of batches of listings, sellers and labels: typed rows, and a reason for every row that is none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.errors import TableError
from data.sources.batching import Batch, excerpt
from data.tables.column_mapping import Mapping, as_json, check_columns
from data.tables.columns import (
    DEFAULT_MARKETPLACE,
    LABELS,
    LABELS_ALLOWED,
    LISTINGS,
    MAX_ATTRIBUTES_CHARS,
    MAX_URL_CHARS,
    MAX_URLS,
    SELLERS,
    TABLES,
    Column,
    Table,
)
from data.tables.value_parsing import (
    NO_ZONE,
    currency_in_price,
    parse_timestamps,
    parse_timezone,
    read_currency,
    read_number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo
    from pathlib import Path

__all__ = [
    "LABELS",
    "LISTINGS",
    "SELLERS",
    "TABLES",
    "Column",
    "Mapping",
    "Table",
    "Valid",
    "check_columns",
    "parse_timezone",
    "validate",
]
REJECT_COLUMNS = ("source", "table_name", "line", "column_name", "reason", "value")
EMPTY = "is empty"
NUL_CHARACTER = "holds a NUL character, which no database keeps"


def validate(
    batch: Batch,
    table: Table,
    *,
    mapping: Mapping,
    timezone: tzinfo | None,
    images_root: Path | None = None,
) -> Valid:
    """Type the rows of a batch, and set aside those that do not fit with all their faults.

    Parameters
    ----------
    batch
        As a source gives it; `check_columns` has passed its source.
    table
        Which table it is of.
    mapping
        What the source calls our columns.
    timezone
        Of times that name none.
    images_root
        The folder below which pictures lie, if addresses may be paths.

    Raises
    ------
    TableError
        If in the first batch every time lacks a zone, or every picture is a path below no folder: each row to come
        would be lost for the want of an option.
    """
    own, others = mapping.apply(batch.frame, table)
    cleaned = {column.name: clean(column, own[column.name], timezone) for column in table.columns}
    if batch.number == 0:
        _refuse_hopeless(batch, table, cleaned, images_root)
    values = pd.DataFrame({name: column.typed for name, column in cleaned.items()}, index=own.index)
    values["marketplace"] = values["marketplace"].fillna(DEFAULT_MARKETPLACE)
    if table is LISTINGS:
        values["currency"] = values["currency"].fillna(by_distinct(own["price"], currency_in_price))
    values["attributes"] = as_json(others)
    values["_line"] = batch.lines
    problems = {column.name: _with_empty(column, cleaned[column.name]) for column in table.columns}
    problems["attributes"] = _oversized(values["attributes"])
    faulty = np.logical_or.reduce([column.notna().to_numpy() for column in problems.values()])
    texts = own.assign(attributes=values["attributes"])
    faults = (_faults(batch, table, name, column, texts[name]) for name, column in problems.items())
    return Valid(values[~faulty].reset_index(drop=True), _rejects(batch, table, faults))


@dataclass(frozen=True, slots=True)
class Valid:
    """What became of a batch.

    Parameters
    ----------
    rows
        The table's columns in their order, typed (see `data.tables.validation.clean`), then ``attributes`` (a JSON
        object of all
        other columns, ``str``, NA for none) and ``_line`` (int64). Optional columns the source lacks are missing
        throughout, but for ``marketplace``, which is then ``default``.
    rejects
        Columns ``source, table_name, line, column_name, reason, value``: one for each fault, so a row may have several.
        ``column_name`` is empty where the row could not be read at all; ``value`` is a printable excerpt.
    """

    rows: pd.DataFrame
    rejects: pd.DataFrame

    @property
    def rejected_rows(self) -> int:
        """How many rows were rejected, however many faults each has."""
        return int(self.rejects["line"].nunique())


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A column's values and, where there is none because the text cannot be understood, why.

    Parameters
    ----------
    typed
        Typed by the column's kind; missing where the text is empty or not understood.
    problems
        ``str``, NA where all is well; same index.
    """

    typed: pd.Series
    problems: pd.Series


def clean(column: Column, texts: pd.Series, timezone: tzinfo | None) -> Cleaned:
    """Type the texts of a column.

    Parameters
    ----------
    texts
        ``str`` dtype, NA for empty.
    timezone
        Of times that name none; ``None`` makes these a problem.

    Returns
    -------
    Values of dtype ``str``, ``datetime64[us, UTC]`` (kind ``time``), ``float64`` (``number``), or ``object`` holding
    lists of ``str`` (``urls``).
    """
    if column.kind == "time":
        return Cleaned(*parse_timestamps(texts, timezone))
    if column.kind == "number":
        return _numbers(column, texts)
    if column.kind == "urls":
        return _urls(texts)
    if column.kind == "label":
        return _labels(texts)
    return _texts(column, texts)


def by_distinct(texts: pd.Series, read: Callable[[str], str | None]) -> pd.Series:
    """Apply ``read`` to each distinct text once; NA stays NA."""
    codes, distinct = pd.factorize(texts)
    results = pd.array([*map(read, distinct), None], dtype="str")
    return pd.Series(results.take(codes), index=texts.index)


def read_urls(text: str) -> list[str] | str:
    """Read picture addresses: a JSON list of texts, or texts separated by ``|``.

    Returns
    -------
    The addresses, each once, in their order; or one sentence saying why they cannot be read.

    Examples
    --------
    >>> read_urls('["a.jpg", "b.jpg", "a.jpg", null]'), read_urls("a.jpg| |b.jpg")
    (['a.jpg', 'b.jpg'], ['a.jpg', 'b.jpg'])
    """
    if "\0" in text:
        return NUL_CHARACTER
    listed = _json_list(text) if text.lstrip().startswith("[") else text.split("|")
    if listed is None:
        return "begins like a JSON list of texts and is none"
    urls = list(dict.fromkeys(url for part in listed if (url := part.strip())))
    if len(urls) > MAX_URLS:
        return f"{len(urls):,} addresses, more than {MAX_URLS}"
    if any(len(url) > MAX_URL_CHARS for url in urls):
        return f"an address longer than {MAX_URL_CHARS:,} characters"
    return urls


def reason_where(faulty: pd.Series, reason: str) -> pd.Series:
    """Return ``reason`` where ``faulty`` is true, NA elsewhere."""
    return pd.Series(None, index=faulty.index, dtype="str").mask(faulty.fillna(False).astype(bool), reason)


def _with_empty(column: Column, cleaned: Cleaned) -> pd.Series:
    if column.may_be_empty:
        return cleaned.problems
    return cleaned.problems.mask(cleaned.problems.isna() & cleaned.typed.isna(), EMPTY)


def _oversized(attributes: pd.Series) -> pd.Series:
    reason = f"the columns we have no name for are longer than {MAX_ATTRIBUTES_CHARS:,} characters together"
    return reason_where(attributes.str.len() > MAX_ATTRIBUTES_CHARS, reason)


def _refuse_hopeless(batch: Batch, table: Table, cleaned: dict[str, Cleaned], images_root: Path | None) -> None:
    problems = [
        f"no {column.name} {NO_ZONE}".replace("names no", "names a")
        for column in table.columns
        if column.kind == "time" and _all_lack_a_zone(cleaned[column.name])
    ]
    if table is LISTINGS and images_root is None and _all_are_paths(cleaned["image_urls"].typed):
        problems.append("all image_urls are paths: say below which folder they lie with --images-root")
    if problems:
        raise TableError(batch.source, problems, "docs/tables.md explains both options.")


def _all_lack_a_zone(cleaned: Cleaned) -> bool:
    given = cleaned.typed.notna() | cleaned.problems.notna()
    return bool(given.any()) and bool((cleaned.problems[given] == NO_ZONE).all())


def _all_are_paths(urls: pd.Series) -> bool:
    addresses = urls.explode().dropna().astype("str")
    return len(addresses) > 0 and not addresses.str.contains("://", regex=False).any()


def _faults(batch: Batch, table: Table, name: str, problems: pd.Series, texts: pd.Series) -> pd.DataFrame:
    faulty = problems.notna().to_numpy()
    return pd.DataFrame(
        {
            "source": batch.source,
            "table_name": table.name,
            "line": batch.lines[faulty],
            "column_name": name,
            "reason": problems[faulty].array,
            "value": texts[faulty].fillna("").map(excerpt).array,
        }
    )


def _rejects(batch: Batch, table: Table, faults: Iterable[pd.DataFrame]) -> pd.DataFrame:
    broken = pd.DataFrame(
        [(batch.source, table.name, row.line, row.column, row.reason, row.excerpt) for row in batch.broken],
        columns=list(REJECT_COLUMNS),
    )
    every = pd.concat([broken.astype({"line": "int64"}), *faults], ignore_index=True)
    texts = {name: "str" for name in REJECT_COLUMNS if name != "line"}
    return every.astype(texts).sort_values("line", kind="stable", ignore_index=True)


def _texts(column: Column, texts: pd.Series) -> Cleaned:
    values = texts
    if column.kind != "text":
        stripped = texts.str.strip()
        values = stripped.mask(stripped == "", None)
    if column.kind == "currency":
        values = by_distinct(values, read_currency)
    problems = reason_where(values.str.contains("\0", regex=False, na=False), NUL_CHARACTER)
    too_long = reason_where(values.str.len() > column.max_chars, f"longer than {column.max_chars:,} characters")
    return Cleaned(values, problems.fillna(too_long))


def _labels(texts: pd.Series) -> Cleaned:
    values = texts.str.strip().str.lower()
    allowed = values.isin(LABELS_ALLOWED)
    reason = f"neither {' nor '.join(LABELS_ALLOWED)}"
    return Cleaned(values.where(allowed, None), reason_where(~allowed & texts.notna(), reason))


def _numbers(column: Column, texts: pd.Series) -> Cleaned:
    codes, distinct = pd.factorize(texts)
    read = [read_number(text) for text in distinct]
    numbers = np.array([*(np.nan if isinstance(result, str) else result for result in read), np.nan])
    reasons = pd.array([*(result if isinstance(result, str) else None for result in read), None], dtype="str")
    values = pd.Series(numbers[codes], index=texts.index)
    problems = pd.Series(reasons.take(codes), index=texts.index)
    too_small = reason_where(values < column.minimum, f"less than {column.minimum:g}")
    return Cleaned(values, problems.fillna(too_small))


def _urls(texts: pd.Series) -> Cleaned:
    read = [read_urls(text) for text in texts.fillna("")]
    values = pd.Series([[] if isinstance(result, str) else result for result in read], texts.index, dtype="object")
    reasons = pd.array([result if isinstance(result, str) else None for result in read], dtype="str")
    return Cleaned(values, pd.Series(reasons, index=texts.index))


def _json_list(text: str) -> list[str] | None:
    try:
        parts = [part for part in json.loads(text) if part is not None]
        "".join(parts).encode()
    except (ValueError, TypeError, RecursionError):
        return None
    return parts
