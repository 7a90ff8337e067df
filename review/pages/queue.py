"""The queue: what waits, the most at stake first."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from data.catalog.cases import MOST_COUNTED, Filter, State, choices, counters, next_open, page_of
from data.catalog.claims import claims_on
from data.catalog.frames import records
from data.catalog.showing import pictures_of, titles_of
from review.desk import Desk, desk_of
from review.permissions import Analyst, Viewer
from review.words import PROBLEM_WORDS, edit_words, reason_words

PAGE_ROWS = 25
AGES = {"1": "1 day", "7": "a week", "30": "a month", "365": "a year"}
router = APIRouter()


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as it stands in the URL: texts, empty where nothing is asked for."""

    band: Annotated[Literal["", "high", "medium", "low"], Query()] = ""
    reason: Annotated[str, Query(max_length=80)] = ""
    category: Annotated[str, Query(max_length=200)] = ""
    edit: Annotated[str, Query(max_length=80)] = ""
    seller: Annotated[int | None, Query()] = None
    days: Annotated[Literal["", "1", "7", "30", "365"], Query()] = ""
    least: Annotated[float | None, Query(ge=0, allow_inf_nan=False)] = None
    most: Annotated[float | None, Query(ge=0, allow_inf_nan=False)] = None
    state: Annotated[State, Query()] = State.OPEN

    def filter(self, now: datetime) -> Filter:
        """Return what the catalog is asked for."""
        return Filter(
            band=self.band or None,
            reason=self.reason or None,
            category=self.category or None,
            edit=self.edit or None,
            seller_key=self.seller,
            posted_since_at=now - timedelta(days=int(self.days)) if self.days else None,
            least_price=self.least,
            most_price=self.most,
            state=self.state,
        )

    def query(self, **more: Any) -> str:
        """Return the filter as the query of a URL, with what is given added; empty if nothing is asked for."""
        named = {name: value for name, value in {**asdict(self), **more}.items() if value not in ("", None)}
        if named.get("state") == State.OPEN:
            del named["state"]
        return "?" + urlencode(named) if named else ""


@router.get("/")
def queue(
    request: Request,
    session: Viewer,
    asked: Annotated[Asked, Depends()],
    page: Annotated[int, Query(ge=1, le=MOST_COUNTED)] = 1,
) -> Response:
    """Show a page of the queue."""
    desk = desk_of(request)
    now = desk.clock()
    with desk.context.catalog.read() as connection:
        found = page_of(connection, asked.filter(now), now, number=page, size=PAGE_ROWS)
        keys = found.rows["listing_key"]
        titles = titles_of(connection, keys).set_index("listing_key")
        pictures = pictures_of(connection, keys).drop_duplicates("listing_key").set_index("listing_key")["image_id"]
        claimed = claims_on(connection, keys, now)
        told = {
            "counters": counters(connection, now),
            "rows": [
                {
                    **row,
                    "listing": titles.loc[row["listing_key"]].to_dict() if row["listing_key"] in titles.index else {},
                    "image_id": pictures.get(row["listing_key"]),
                    "claimed_by": claimed.get(row["listing_key"]),
                    "reason_words": reason_words(row["reason"]),
                    "edit_words": edit_words(row["edit"]),
                }
                for row in records(found.rows)
            ],
        }
        chosen = choices(connection)
    last = max(1, math.ceil(found.total / PAGE_ROWS))
    told |= {"asked": asked, "page": page, "last": last, "total": found.total, "most": MOST_COUNTED, "now": now}
    told |= {
        "reasons": [(code, reason_words(code)) for code in chosen["reason"]],
        "categories": [(name, name) for name in chosen["category"]],
        "edits": [(code, edit_words(code)) for code in chosen["edit"]],
        "problems": list(PROBLEM_WORDS.items()),
        "ages": AGES,
        "session": session,
    }
    return desk.templates.TemplateResponse(request, "queue.html", told)


@router.get("/next")
def take_next(
    request: Request,
    session: Analyst,
    asked: Annotated[Asked, Depends()],
    after: Annotated[int | None, Query()] = None,
) -> Response:
    """Lead to the first case that nobody else has; back to the queue when there is none."""
    key = next_key(desk_of(request), session.person.name, asked, after)
    return RedirectResponse("/" + asked.query() if key is None else f"/cases/{key}{asked.query()}", 303)


def next_key(desk: Desk, actor: str, asked: Asked, after: int | None = None) -> int | None:
    """Return the case that somebody is given next; ``None`` if none waits."""
    now = desk.clock()
    with desk.context.catalog.read() as connection:
        return next_open(connection, asked.filter(now), actor, now, after)
