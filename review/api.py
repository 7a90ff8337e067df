"""The desk as JSON, below ``/api``, for the same people, roles and marks; ``/api/openapi.json`` describes it."""

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

from data.catalog.cases.case_events import history, ruling
from data.catalog.cases.case_views import matches_of, pictures_of, scores_of, titles_of, versions_of
from data.catalog.cases.cases import MOST_COUNTED, case_of, page_of
from data.catalog.cases.claims import claim_on, claims_on
from data.catalog.cases.transitions import Decision
from data.catalog.database.frames import records
from data.errors import ModelError, SourceError
from models.serving.pictures.query_pictures import Address, Upload
from models.serving.scoring.score_one_listing import Posting, score_listing
from review.access.permissions import CSRF_HEADER, Analyst, Form, Viewer
from review.access.sessions import COOKIE
from review.desk import desk_of
from review.pages.case_page import is_second_reading
from review.pages.search_page import MOST_HITS, similar, uploaded
from review.pages.verdict_page import write_verdict
from review.queue_filter import Asked, Key
from review.schemas import (
    Case,
    Decided,
    Faults,
    Health,
    Listing,
    PictureAddress,
    QueuePage,
    Refusal,
    ScoredNow,
    Similar,
    Written,
)

if TYPE_CHECKING:
    from data.catalog.database.engine import Connection
    from models.serving.scoring.score_one_listing import ListingScore
    from review.access.sessions import Session

PAGE_ROWS = 25
NAMELESS = dict.fromkeys(("listing_id", "seller_id", "title"))
LARGEST_PAGE = 200
WORDS = {
    400: "What was sent cannot be read.",
    401: "Nobody has signed in.",
    403: f"Not for this role, or without the session's mark in {CSRF_HEADER}.",
    404: "There is no such listing.",
    409: "Somebody was faster; nothing was written.",
    413: "Too large.",
    415: "Neither JSON nor a form.",
    503: "The catalog, the picture store, the model or a process of ours cannot do it now.",
}
KINDS: dict[int, Any] = {413: {"content": {"text/plain": {}}}}
MARK = APIKeyHeader(name=CSRF_HEADER, scheme_name="mark", auto_error=False)
SIGNED_IN = APIKeyCookie(name=COOKIE, scheme_name="session", auto_error=False)
BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": PictureAddress.model_json_schema()},
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


def _answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the refusals that a route may give, for the schema."""
    told: dict[int | str, dict[str, Any]] = {
        status: {"model": Refusal, "description": WORDS[status]} | KINDS.get(status, {}) for status in statuses
    }
    return told | {422: {"model": Faults, "description": "What was sent cannot be understood."}}


router = APIRouter(tags=["desk"])
ASKING, CHANGING = (401, 403, 503), (400, 401, 403, 413, 503)
# For the schema alone: it is `Viewer`, `Analyst` and `Lead` that let people in.
BY_COOKIE = [Depends(SIGNED_IN)]
BY_COOKIE_AND_MARK = [Depends(SIGNED_IN), Depends(MARK)]


@router.get("/health", responses={503: {"model": Refusal, "description": WORDS[503]}})
def health(request: Request) -> Health:
    """Tell that the desk answers, and its catalog too."""
    with desk_of(request).context.catalog.read():
        return Health()


@router.get("/openapi.json", include_in_schema=False)
def schema(request: Request, session: Viewer) -> JSONResponse:
    """Describe all this; like every page only to who has signed in."""
    return JSONResponse(request.app.openapi())


@router.get("/queue", responses=_answers(*ASKING), dependencies=BY_COOKIE)
def queue(
    request: Request,
    session: Viewer,
    asked: Annotated[Asked, Depends()],
    page: Annotated[int, Query(ge=1, le=MOST_COUNTED)] = 1,
    size: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = PAGE_ROWS,
) -> QueuePage:
    """Tell what waits, the most at stake first."""
    desk = desk_of(request)
    now = desk.clock()
    with desk.context.catalog.read() as connection:
        found = page_of(connection, asked.filter(now), now, number=page, size=size)
        keys = [row["listing_key"] for row in found.rows]
        titles, claimed = titles_of(connection, keys), claims_on(connection, keys, now)
    cases = [
        row
        | {name: titles.get(row["listing_key"], NAMELESS)[name] for name in NAMELESS}
        | {"claimed_by": claimed.get(row["listing_key"])}
        for row in found.rows
    ]
    pages = max(1, math.ceil(found.total / size))
    return QueuePage.model_validate({"total": found.total, "page": page, "pages": pages, "cases": cases})


@router.get("/cases/{key}", responses=_answers(*ASKING, 404), dependencies=BY_COOKIE)
def case(request: Request, session: Viewer, key: Key) -> Case:
    """Tell all that is known for deciding on a listing; it is kept for nobody by that."""
    desk = desk_of(request)
    with desk.context.catalog.read() as connection:
        versions = versions_of(connection, key)
        if not versions:
            raise HTTPException(404, "There is no such listing.")
        held = claim_on(connection, key, desk.clock())
        told = _case(connection, key, versions[0], session)
    return Case.model_validate(told | {"claimed_by": None if held is None else held.actor})


@router.post("/cases/{key}/verdict", responses=_answers(*CHANGING, 404, 409), dependencies=BY_COOKIE_AND_MARK)
def verdict(request: Request, session: Analyst, key: Key, given: Decided) -> Written:
    """Write a verdict, if nothing was written about the case since it was looked at."""
    decision = Decision(
        listing_key=key,
        actor=session.person.name,
        **given.model_dump(exclude={"second_reading"}),
    )
    recorded = write_verdict(desk_of(request), decision, again=given.second_reading)
    return Written.model_validate(asdict(recorded))


@router.post("/score", responses=_answers(*CHANGING), dependencies=BY_COOKIE_AND_MARK)
def score(request: Request, session: Analyst, listing: Listing) -> ScoredNow:
    """Score a listing now, by its pictures and all that is known, and keep nothing of it."""
    desk = desk_of(request)
    try:
        judged = score_listing(desk.context, _posting(listing), desk.clock())
    except ModelError as error:  # not the caller's mistake: theirs is only the listing
        raise HTTPException(503, str(error)) from error
    return ScoredNow.model_validate(_scored_now(judged))


async def asked_picture(request: Request, form: Form) -> Address | Upload:
    """Return the picture that a request brings or names."""
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        picture = uploaded(form)
        if picture is None:
            raise SourceError("the form", "no file in the field picture", "Send one, or JSON with a url.")
        return picture
    try:
        return Address(PictureAddress.model_validate_json(await request.body()).url)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
        raise SourceError("the JSON", faults, 'Expected {"url": "https://…"}.') from error


@router.post("/similar", responses=_answers(*CHANGING), dependencies=BY_COOKIE_AND_MARK, openapi_extra=BODIES)
def similar_pictures(
    request: Request,
    session: Viewer,
    picture: Annotated[Address | Upload, Depends(asked_picture)],
    min_probability: Annotated[float | None, Query(ge=0, le=1)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_HITS)] = MOST_HITS,
) -> Similar:
    """Look up the known pictures like one that is uploaded or stands at an address, and keep nothing of it."""
    found = similar(desk_of(request), picture, min_probability, limit)
    return Similar.model_validate({"compared": found.known, "hits": records(found.rows)})


def _case(connection: Connection, key: int, listing: dict[str, Any], session: Session) -> dict[str, Any]:
    past = history(connection, key)
    waiting = case_of(connection, key)
    second = is_second_reading(waiting, past, session.person.name)
    holding = ruling(past)
    scores = scores_of(connection, key)
    return {
        "listing_key": key,
        "version": len(past),
        "listing": {name: _plain(name, value) for name, value in listing.items()},
        "state": None if waiting is None else waiting["state"],
        "score": _score(scores[0]) if scores else None,
        "pictures": pictures_of(connection, [key]),
        "matches": matches_of(connection, key),
        # Whoever reads again is not told what was found the first time.
        "ruling": None if second or holding["verdict_id"] is None else holding,
        "history": [] if second else past,
        "second_reading": second,
    }


def _score(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"reasons": json.loads(row["reasons"])}


def _posting(listing: Listing) -> Posting:
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
