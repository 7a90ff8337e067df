"""Search: listings by what they are called, and known pictures by one that somebody drops or names the address of."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from data.catalog.cases.case_views import find_listings, first_pictures_of
from data.catalog.database.frames import joined_keys, records
from data.errors import SourceError
from models.serving.pictures.query_pictures import Address, Upload, read_query
from models.serving.pictures.search_pictures import SearchOptions, SearchResult, find_similar
from review.access.permissions import Form, Viewer
from review.desk import Desk, desk_of
from review.labels import edit_label

if TYPE_CHECKING:
    import pandas as pd

    from review.access.sessions import Session

MOST_LISTINGS = 50
MOST_HITS = 60
UNSURE = 0.1
"""Least probability of what is shown to somebody who wants to see unsure hits too."""
LONGEST_TEXT = 2_000
NO_PICTURE = "Choose a picture file, or paste the address of a picture."
router = APIRouter()


@router.get("/search")
def by_text(request: Request, session: Viewer, q: Annotated[str, Query(max_length=LONGEST_TEXT)] = "") -> Response:
    """Show the search, and the listings that are called what somebody looks for."""
    desk = desk_of(request)
    text = q.replace("\0", "").strip()
    with desk.context.catalog.read() as connection:
        listings = find_listings(connection, text, MOST_LISTINGS) if text else None
        pictures = {} if listings is None else first_pictures_of(connection, listings["listing_key"].tolist())
    rows = None if listings is None else _with_pictures(listings, pictures)
    return _page(request, session, text=text, listings=rows)


@router.post("/search")
def by_picture(request: Request, session: Viewer, form: Form) -> Response:
    """Show the known pictures like one that was uploaded, or that stands at an address."""
    desk = desk_of(request)
    url, unsure = str(form.get("url", "")).strip(), bool(form.get("unsure"))
    values: dict[str, Any] = {"url": url, "unsure": unsure}
    picture = uploaded(form) or (Address(url) if url else None)
    if picture is None:
        return _page(request, session, problem=NO_PICTURE, status=422, **values)
    values["query"] = picture.url if isinstance(picture, Address) else picture.name
    try:
        result = similar(desk, picture, UNSURE if unsure else None, MOST_HITS)
    except SourceError as error:
        return _page(request, session, problem=str(error), status=422, **values)
    return _page(request, session, hits=_hits(result.rows), known=result.known, **values)


def uploaded(form: FormData) -> Upload | None:
    """Return the picture file in a form; ``None`` if nobody chose one."""
    file = form.get("picture")
    if not isinstance(file, UploadFile):
        return None
    with closing(file.file) as file_content:
        content = file_content.read()
    # A browser sends the field of a file that was not chosen too: without a name, and empty.
    return Upload(file.filename or "upload", content) if file.filename or content else None


def similar(desk: Desk, picture: Address | Upload, least: float | None, limit: int) -> SearchResult:
    """Look one picture up among the known ones that stand in listings; `SourceError` if it cannot be read."""
    with read_query(desk.context, picture) as queries:
        result = find_similar(
            desk.context, queries, SearchOptions(min_probability=least, limit=limit), datetime.now(UTC)
        )
    rows = result.rows[result.rows["listing_id"].notna()].reset_index(drop=True)
    keys = {
        "listing_key": joined_keys(rows["marketplace"], rows["listing_id"]),
        "seller_key": joined_keys(rows["marketplace"], rows["seller_id"]),
    }
    return SearchResult(rows.assign(**keys), result.known)


def _hits(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{**row, "edit_label": edit_label(row["edit"])} for row in records(rows)]


def _with_pictures(listings: pd.DataFrame, pictures: dict[int, str]) -> list[dict[str, Any]]:
    """Add each listing's first readable picture."""
    return [row | {"image_id": pictures.get(row["listing_key"])} for row in records(listings)]


def _page(request: Request, session: Session, *, status: int = 200, **values: Any) -> Response:
    desk = desk_of(request)
    defaults = {"text": "", "listings": None, "url": "", "unsure": False, "query": "", "hits": None, "known": 0}
    context = {**defaults, "problem": "", "most": MOST_LISTINGS, "now": desk.clock(), "session": session, **values}
    return desk.templates.TemplateResponse(request, "search.html", context, status_code=status)
