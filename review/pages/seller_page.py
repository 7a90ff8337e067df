"""A seller: the account, everything it lists, what was decided, and whom it took photos from."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import Response

from data.catalog.cases.case_events import verdicts_holding
from data.catalog.cases.case_views import (
    accounts_of,
    count_of_copying,
    count_of_seller,
    first_pictures_of,
    listings_of_seller,
    names_of_sellers,
    takings_of,
)
from data.catalog.cases.cases import Filter, State, page_of
from data.catalog.database.frames import records
from data.catalog.market.photo_ties import taken_around
from features.point_in_time.ring_features import TIE_LIMITS
from review.access.permissions import Viewer
from review.desk import desk_of
from review.labels import VERDICT_LABELS, edit_label, reason_label
from review.queue_filter import Key
from review.ring_diagram import HEIGHT, WIDTH, ring_of

PAGE_ROWS = 30
MOST_CASES = 50
router = APIRouter()


@router.get("/sellers/{key}")
def seller(request: Request, session: Viewer, key: Key, page: Annotated[int, Query(ge=1, le=1_000)] = 1) -> Response:
    """Show a seller."""
    desk = desk_of(request)
    now = desk.clock()
    with desk.context.catalog.read() as connection:
        names = names_of_sellers(connection, [key])
        if key not in names:
            raise HTTPException(404, "There is no such seller.")
        taken = taken_around(connection, [key], TIE_LIMITS)
        listings = listings_of_seller(connection, key, PAGE_ROWS, skip=(page - 1) * PAGE_ROWS)
        keys = listings["listing_key"].tolist()
        pictures = first_pictures_of(connection, keys)
        takings = takings_of(connection, key, TIE_LIMITS.same_photo)
        tied = pd.concat([taken["seller_key"], taken["other_seller_key"], takings["other_seller_key"]])
        known = names | names_of_sellers(connection, tied.unique().tolist())
        cases = {
            row["listing_key"]: row
            for state in State
            for row in page_of(connection, Filter(seller_key=key, state=state), now, number=1, size=MOST_CASES).rows
        }
        values = {
            "key": key,
            "name": names[key],
            "accounts": accounts_of(connection, key),
            "count": count_of_seller(connection, key),
            "copying": count_of_copying(connection, key, TIE_LIMITS.same_photo),
            "listings": [row | {"image_id": pictures.get(row["listing_key"])} for row in records(listings)],
            "cases": cases,
            "decided": verdicts_holding(connection, listings["listing_key"]),
            "takings": records(takings),
            "ring": ring_of(key, taken, known),
        }
    values |= {"session": session, "page": page, "rows": PAGE_ROWS, "now": now, "width": WIDTH, "height": HEIGHT}
    values |= {"verdicts": VERDICT_LABELS, "edit_label": edit_label, "reason_label": reason_label, "names": known}
    return desk.templates.TemplateResponse(request, "seller.html", values)
