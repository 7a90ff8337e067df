"""How values are written for people, strangers' texts with every character visible."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd

from data.visible_text import visible

if TYPE_CHECKING:
    from jinja2 import Environment

KEPT = "\n\t"
"""Unseen characters that strangers' texts may hold: lines may break."""
MOST_CHARACTERS = 5_000
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def plain(text: object, most: int = MOST_CHARACTERS) -> str:
    r"""Return a stranger's text with every character visible: an unseen one as its number, a long text cut short.

    >>> plain("abc\u202edef")
    'abc⟨U+202E⟩def'
    """
    if _is_missing(text):
        return ""
    whole = str(text)
    shown = whole[:most] + (f" … ({len(whole):,} characters)" if len(whole) > most else "")
    return visible(shown, kept=KEPT)


def link(url: object) -> str | None:
    """Return an address that may be followed; ``None`` for any that is not plain http or https to a host."""
    text = str(url)
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname)
    except ValueError:
        return None
    if (
        parts.scheme not in {"http", "https"}
        or not has_host
        or plain(text) != text
        or "@" in parts.netloc
        or len(text.split()) != 1
    ):
        return None
    return text


def percent(share: float | None) -> str:
    """Return a share as people say it."""
    if share is None or _is_missing(share):
        return "–"
    return f"{100 * share:.0f} %" if share >= 0.1 or share == 0 else f"{100 * share:.1f} %"


def money(price: float | None, currency: object = "") -> str:
    """Return a price with its currency; a dash where none is stated."""
    if price is None or _is_missing(price):
        return "–"
    digits = 0 if price >= 100 or price == int(price) else 2
    return f"{price:,.{digits}f} {plain(currency, 8)}".rstrip()


def moment(at: datetime | None) -> str:
    """Return a time in UTC, to the minute."""
    return "–" if at is None or _is_missing(at) else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def since(at: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in the largest whole unit."""
    if at is None or _is_missing(at):
        return "–"
    return span((now - at).total_seconds()) + (" ago" if now >= at else " ahead")


def span(seconds: float) -> str:
    """Return a span of time in the largest whole unit."""
    size = abs(seconds)
    for unit_s, name in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if size >= unit_s:
            return f"{size / unit_s:,.0f} {name}"
    return f"{size:.0f} s"


def _is_missing(value: Any) -> bool:
    return bool(pd.isna(value))


def register_filters(environment: Environment) -> None:
    """Make these known to the templates."""
    filters: dict[str, Any] = {
        "plain": plain, "link": link, "percent": percent, "money": money, "moment": moment, "since": since,
        "span": span,
    }  # fmt: skip
    environment.filters.update(filters)
