"""The desk as JSON, below ``/api``, for the same users, roles and CSRF tokens; ``/api/openapi.json`` describes it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyCookie, APIKeyHeader
from pydantic import ValidationError

from data.catalog.cases.case_views import titles_of
from data.catalog.cases.cases import MOST_COUNTED, page_of
from data.catalog.cases.claims import claim_on, claims_on
from data.catalog.cases.transitions import Decision
from data.catalog.database.frames import records
from data.errors import ModelError, SourceError
from models.serving.pictures.query_pictures import Address, Upload
from models.serving.scoring.score_one_listing import Posting, score_listing
from review.access.permissions import CSRF_HEADER, Analyst, Form, Viewer
from review.access.sessions import COOKIE
from review.case_view import CaseView, case_view
from review.desk import desk_of
from review.pages.search_page import MOST_HITS, similar, uploaded
from review.pages.verdict_page import write_verdict
from review.queue_filter import Key, QueueFilter
from review.schemas import (
    CaseResponse,
    ErrorResponse,
    HealthResponse,
    ListingRequest,
    PictureUrlRequest,
    QueuePage,
    ScoreResponse,
    SearchResponse,
    ValidationErrorResponse,
    VerdictRequest,
    VerdictResponse,
)

if TYPE_CHECKING:
    from models.serving.scoring.score_one_listing import ListingScore

PAGE_ROWS = 25
NAMELESS = dict.fromkeys(("listing_id", "seller_id", "title"))
LARGEST_PAGE = 200
DESCRIPTIONS = {
    400: "What was sent cannot be read.",
    401: "Nobody has signed in.",
    403: f"Not for this role, or without the session's CSRF token in {CSRF_HEADER}.",
    404: "There is no such listing.",
    409: "Somebody was faster; nothing was written.",
    413: "Too large.",
    415: "Neither JSON nor a form.",
    503: "The catalog, the picture store, the model or a process of ours cannot do it now.",
}
KINDS: dict[int, Any] = {413: {"content": {"text/plain": {}}}}
CSRF_TOKEN = APIKeyHeader(name=CSRF_HEADER, scheme_name="csrf_token", auto_error=False)
SESSION = APIKeyCookie(name=COOKIE, scheme_name="session", auto_error=False)
BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": PictureUrlRequest.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["picture"],
                    "properties": {"picture": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


def _responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the refusals that a route may give, for the schema."""
    refusals: dict[int | str, dict[str, Any]] = {
        status: {"model": ErrorResponse, "description": DESCRIPTIONS[status]} | KINDS.get(status, {})
        for status in statuses
    }
    return refusals | {422: {"model": ValidationErrorResponse, "description": "What was sent cannot be understood."}}


router = APIRouter(tags=["desk"])
READING, CHANGING = (401, 403, 503), (400, 401, 403, 413, 503)
# For the schema alone: it is `Viewer`, `Analyst` and `Lead` that let people in.
BY_COOKIE = [Depends(SESSION)]
BY_COOKIE_AND_TOKEN = [Depends(SESSION), Depends(CSRF_TOKEN)]


@router.get("/health", responses={503: {"model": ErrorResponse, "description": DESCRIPTIONS[503]}})
def health(request: Request) -> HealthResponse:
    """Tell that the desk answers, and its catalog too."""
    with desk_of(request).context.catalog.read():
        return HealthResponse()


@router.get("/openapi.json", include_in_schema=False)
def schema(request: Request, session: Viewer) -> JSONResponse:
    """Describe all this; like every page only to who has signed in."""
    return JSONResponse(request.app.openapi())


@router.get("/queue", responses=_responses(*READING), dependencies=BY_COOKIE)
def queue(
    request: Request,
    session: Viewer,
    queue_filter: Annotated[QueueFilter, Depends()],
    page: Annotated[int, Query(ge=1, le=MOST_COUNTED)] = 1,
    size: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = PAGE_ROWS,
) -> QueuePage:
    """Tell what waits, the most at stake first."""
    desk = desk_of(request)
    now = desk.clock()
    with desk.context.catalog.read() as connection:
        waiting = page_of(connection, queue_filter.filter(now), now, number=page, size=size)
        keys = [row["listing_key"] for row in waiting.rows]
        titles, claimed = titles_of(connection, keys), claims_on(connection, keys, now)
    cases = [
        row
        | {name: titles.get(row["listing_key"], NAMELESS)[name] for name in NAMELESS}
        | {"claimed_by": claimed.get(row["listing_key"])}
        for row in waiting.rows
    ]
    pages = max(1, math.ceil(waiting.total / size))
    return QueuePage.model_validate({"total": waiting.total, "page": page, "pages": pages, "cases": cases})


@router.get("/cases/{key}", responses=_responses(*READING, 404), dependencies=BY_COOKIE)
def case(request: Request, session: Viewer, key: Key) -> CaseResponse:
    """Tell all that is known for deciding on a listing; it is kept for nobody by that."""
    desk = desk_of(request)
    with desk.context.catalog.read() as connection:
        view = case_view(connection, key, session.user.name)
        current = claim_on(connection, key, desk.clock())
    return CaseResponse.model_validate(_case(view) | {"claimed_by": None if current is None else current.actor})


@router.post("/cases/{key}/verdict", responses=_responses(*CHANGING, 404, 409), dependencies=BY_COOKIE_AND_TOKEN)
def verdict(request: Request, session: Analyst, key: Key, given: VerdictRequest) -> VerdictResponse:
    """Write a verdict, if nothing was written about the case since it was looked at."""
    decision = Decision(
        listing_key=key,
        actor=session.user.name,
        **given.model_dump(exclude={"second_reading"}),
    )
    recorded = write_verdict(desk_of(request), decision, second_review=given.second_reading)
    return VerdictResponse.model_validate(asdict(recorded))


@router.post("/score", responses=_responses(*CHANGING), dependencies=BY_COOKIE_AND_TOKEN)
def score(request: Request, session: Analyst, listing: ListingRequest) -> ScoreResponse:
    """Score a listing now, by its pictures and all that is known, and keep nothing of it."""
    desk = desk_of(request)
    try:
        judged = score_listing(desk.context, _posting(listing), desk.clock())
    except ModelError as error:  # not the caller's mistake: theirs is only the listing
        raise HTTPException(503, str(error)) from error
    return ScoreResponse.model_validate(_scored_now(judged))


async def query_picture(request: Request, form: Form) -> Address | Upload:
    """Return the picture that a request brings or names."""
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        picture = uploaded(form)
        if picture is None:
            raise SourceError("the form", "no file in the field picture", "Send one, or JSON with a url.")
        return picture
    try:
        return Address(PictureUrlRequest.model_validate_json(await request.body()).url)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise SourceError("the JSON", faults, 'Expected {"url": "https://…"}.') from error


@router.post("/similar", responses=_responses(*CHANGING), dependencies=BY_COOKIE_AND_TOKEN, openapi_extra=BODIES)
def similar_pictures(
    request: Request,
    session: Viewer,
    picture: Annotated[Address | Upload, Depends(query_picture)],
    min_probability: Annotated[float | None, Query(ge=0, le=1)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_HITS)] = MOST_HITS,
) -> SearchResponse:
    """Look up the known pictures like one that is uploaded or stands at an address, and keep nothing of it."""
    result = similar(desk_of(request), picture, min_probability, limit)
    return SearchResponse.model_validate({"compared": result.known, "hits": records(result.rows)})


def _case(view: CaseView) -> dict[str, Any]:
    return {
        "listing_key": view.key,
        "version": view.version,
        "listing": {name: _plain(name, value) for name, value in view.listing.items()},
        "state": None if view.case is None else view.case["state"],
        "score": _score(view.scores[0]) if view.scores else None,
        "pictures": view.pictures,
        "matches": view.matches,
        "ruling": view.ruling,
        "history": view.history,
        "second_reading": view.second_review,
    }


def _score(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"reasons": json.loads(row["reasons"])}


def _posting(listing: ListingRequest) -> Posting:
    given = listing.model_dump(exclude={"pictures", "image_urls"}, exclude_none=True)
    columns = {name: str(value) for name, value in given.items()} | {"image_urls": json.dumps(listing.image_urls)}
    return Posting(columns, tuple(Upload(f"picture {n}", content) for n, content in enumerate(listing.pictures, 1)))


def _scored_now(judged: ListingScore) -> dict[str, Any]:
    unread = [{"picture": name, "why": why} for name, why in judged.unread]
    return _score(judged.score) | {"matches": records(judged.evidence), "unread": unread}


def _plain(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if name.endswith("_key") else value
