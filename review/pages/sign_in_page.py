"""How somebody comes in and leaves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from review.access.authentication import OidcAuthenticator, TokenAuthenticator
from review.access.permissions import Viewer
from review.access.sessions import COOKIE, LASTS_S
from review.desk import address_of, desk_of

PATH = "/sign-in"
router = APIRouter()


@router.get(PATH)
async def sign_in(request: Request, token: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Exchange the token for a session, or say how to come in."""
    desk = desk_of(request)
    cookie = (
        desk.authenticator.exchange(token) if isinstance(desk.authenticator, TokenAuthenticator) and token else None
    )
    if cookie is not None:
        return begin_session(request, cookie)
    methods = {TokenAuthenticator: "token", OidcAuthenticator: "provider"}
    values = {"method": methods.get(type(desk.authenticator), "proxy"), "was_given": bool(token), "session": None}
    return desk.templates.TemplateResponse(request, "sign_in.html", values, status_code=401)


@router.post("/sign-out")
async def sign_out(session: Viewer) -> Response:
    """Let the browser forget the session."""
    answer = RedirectResponse(PATH, 303)
    answer.delete_cookie(COOKIE)
    return answer


def begin_session(request: Request, cookie: str) -> Response:
    """Begin a session in the browser, and show the queue."""
    answer = RedirectResponse("/", 303)
    secure = address_of(request).startswith("https:")
    answer.set_cookie(COOKIE, cookie, max_age=LASTS_S, httponly=True, samesite="lax", secure=secure)
    return answer
