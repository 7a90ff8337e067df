"""Listings a model misjudged, with their pictures beside the earlier ones they resemble."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from models.reports.page import bullets, note, picture

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_OTHER = "No earlier picture of another seller is like it."


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture of the listing as JPEG, the earlier one it resembles (``None``: there is none) and what ties them."""

    own: bytes
    earlier: bytes | None = None
    said: str = NO_OTHER


@dataclass(frozen=True, slots=True)
class Case:
    """One misjudged listing: who, the facts in a line, the reasons the model gave, and its pictures."""

    title: str
    facts: str
    reasons: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()


def cases_html(cases: Sequence[Case], nothing: str) -> str:
    """Return the cases one below the other, or a remark where there are none; all text is escaped."""
    return "\n".join(map(_case, cases)) or note(nothing)


def _case(case: Case) -> str:
    pairs = "".join(map(_pair, case.pairs))
    facts = f"<small>{escape(case.facts)}</small>"
    return (
        f'<article class="case"><h3>{escape(case.title)}</h3>{facts}{bullets(case.reasons)}'
        f'<div class="pairs">{pairs}</div></article>'
    )


def _pair(pair: Pair) -> str:
    own = picture(pair.own, "image/jpeg", "this listing's photo")
    if pair.earlier is None:
        return f'<figure class="pair"><div>{own}</div><figcaption>{escape(pair.said)}</figcaption></figure>'
    earlier = picture(pair.earlier, "image/jpeg", "the earlier photo")
    caption = f"<b>Left:</b> this listing. <b>Right:</b> {escape(pair.said)}"
    return f'<figure class="pair"><div>{own}{earlier}</div><figcaption>{caption}</figcaption></figure>'
