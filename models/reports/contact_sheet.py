"""A self-contained HTML sheet of pictures in strips, each with what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.reports.html_page import render

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture (a JPEG of ours, or ``None`` where it cannot be shown) and what is known of it, line by line."""

    picture: bytes | None
    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Strip:
    """Pictures side by side.

    Parameters
    ----------
    heading
        What they have to do with each other.
    photos
        The pictures.
    query
        The picture the others are compared with, if there is one; it stands first.
    note
        What is not shown.
    """

    heading: str
    photos: tuple[Photo, ...]
    query: Photo | None = None
    note: str = ""


def contact_sheet(title: str, summary: str, strips: Sequence[Strip]) -> str:
    """Return the page; all text is escaped, made visible and cut to a few lines."""
    return render("contact_sheet.html", title=title, summary=summary, strips=strips)
