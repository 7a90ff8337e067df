"""From the texts of a column to its typed values; what cannot be typed gets a reason instead."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.tables.amounts import read_currency, read_number
from data.tables.columns import LABELS_ALLOWED, MAX_URL_CHARS, MAX_URLS, Column
from data.tables.timestamps import parse_moments

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

NUL_CHARACTER = "holds a NUL character, which no database keeps"


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
        return Cleaned(*parse_moments(texts, timezone))
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


def _json_list(text: str) -> list[str] | None:
    try:
        parts = [part for part in json.loads(text) if part is not None]
        "".join(parts).encode()
    except (ValueError, TypeError, RecursionError):
        return None
    return parts


def reason_where(faulty: pd.Series, reason: str) -> pd.Series:
    """Return ``reason`` where ``faulty`` is true, NA elsewhere."""
    return pd.Series(None, index=faulty.index, dtype="str").mask(faulty.fillna(False).astype(bool), reason)
