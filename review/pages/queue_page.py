"""The queue: what waits, the most at stake first."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from data.catalog.cases.case_views import first_pictures_of, titles_of
from data.catalog.cases.cases import MOST_COUNTED, choices, counters, page_of
from data.catalog.cases.claims import claims_on
from review.access.permissions import Analyst, Viewer
from review.assignment import next_case
from review.desk import desk_of
from review.labels import PROBLEM_LABELS, edit_label, reason_label
from review.queue_filter import AGES, QueueFilter

PAGE_ROWS = 25
router = APIRouter()


@router.get("/")
def queue(
    request: Request,
    session: Viewer,
    queue_filter: Annotated[QueueFilter, Depends()],
    page: Annotated[int, Query(ge=1, le=MOST_COUNTED)] = 1,
) -> Response:
    """Show a page of the queue."""
    desk = desk_of(request)
    now = desk.clock()
    with desk.context.catalog.read() as connection:
        cases = page_of(connection, queue_filter.filter(now), now, number=page, size=PAGE_ROWS)
        keys = [row["listing_key"] for row in cases.rows]
        titles = titles_of(connection, keys)
        pictures = first_pictures_of(connection, keys)
        claimed = claims_on(connection, keys, now)
        values: dict[str, Any] = {
            "counters": counters(connection, now),
            "rows": [
                {
                    **row,
                    "listing": titles.get(row["listing_key"], {}),
                    "image_id": pictures.get(row["listing_key"]),
                    "claimed_by": claimed.get(row["listing_key"]),
                    "reason_label": reason_label(row["reason"]),
                    "edit_label": edit_label(row["edit"]),
                }
                for row in cases.rows
            ],
        }
        chosen = choices(connection)
    last = max(1, math.ceil(cases.total / PAGE_ROWS))
    values |= {
        "queue_filter": queue_filter,
        "page": page,
        "last": last,
        "total": cases.total,
        "most": MOST_COUNTED,
        "now": now,
    }
    values |= {
        "reasons": [(code, reason_label(code)) for code in chosen["reason"]],
        "categories": [(name, name) for name in chosen["category"]],
        "edits": [(code, edit_label(code)) for code in chosen["edit"]],
        "problems": list(PROBLEM_LABELS.items()),
        "ages": AGES,
        "session": session,
    }
    return desk.templates.TemplateResponse(request, "queue.html", values)


@router.get("/next")
def take_next(
    request: Request,
    session: Analyst,
    queue_filter: Annotated[QueueFilter, Depends()],
    after: Annotated[int | None, Query()] = None,
) -> Response:
    """Lead to the first case that nobody else has; back to the queue when there is none."""
    desk = desk_of(request)
    key = next_case(desk, session.user.name, queue_filter.filter(desk.clock()), after)
    return RedirectResponse("/" + queue_filter.query() if key is None else f"/cases/{key}{queue_filter.query()}", 303)
