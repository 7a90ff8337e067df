"""Reports as pages of HTML that stand alone: one shell, templates that escape all text, no script, no link out."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from data.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

Cell = str | tuple[str, str]
"""Of a table: a text, or a text and small print below it."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a page shows it.

    Parameters
    ----------
    heads
        Column headings.
    rows
        Cells; without any row the page says that there is nothing to show.
    texts
        How many columns are words, set flush left; the others are figures.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    texts: int = 1


@dataclass(frozen=True, slots=True)
class Tile:
    """One large figure under its name, with small print below, line by line."""

    name: str
    value: str
    lines: Sequence[str] = ()


def render(template: str, **values: Any) -> str:
    """Return the page that a template of this package makes of some values; all texts among them are escaped."""
    return _TEMPLATES.get_template(template).render(values)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _sha256(text: str) -> str:
    """Return the digest by which a content security policy admits a style."""
    return _base64(hashlib.sha256(text.encode()).digest())


_TEMPLATES = Environment(
    loader=PackageLoader("models.reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"base64": _base64, "sha256": _sha256, "visible": visible}
