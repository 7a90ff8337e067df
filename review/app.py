"""The web application: what holds for all pages, and the pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from data.errors import CaseChanged, OutsideError, SeenbeforeError
from review import api, formatting
from review.access.authentication import ProviderDoor
from review.access.middleware import BoundedBodies, OwnPagesOnly, SafeAnswers
from review.access.permissions import NotAllowed, NotSignedIn
from review.desk import Desk
from review.pages import PAGES, sign_in_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.settings import DeskSettings
    from models.serving.context import Context
    from review.access.authentication import Door

HERE = Path(__file__).parent
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
WORDS = {
    403: "Not for you",
    404: "Nothing is here",
    409: "Somebody was faster",
    413: "Too large",
    422: "That cannot be understood",
    503: "Not now",
}


def create_app(context: Context, door: Door, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> FastAPI:
    """Build the desk.

    Parameters
    ----------
    context
        Catalog, image store, models and settings.
    door
        Who comes in.
    clock
        Returns what time it is, aware UTC.
    """
    app = FastAPI(title="Seenbefore", summary="The analysts' desk", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = Desk(context, door, _templates(), clock)
    for page in PAGES:
        app.include_router(page.router, include_in_schema=False)
    if isinstance(door, ProviderDoor):
        from review.pages import provider_page

        provider_page.add_to(app, door, context.settings.desk)
    app.include_router(api.router, prefix="/api")
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    _answer_errors(app)
    largest = context.settings.fetch.max_bytes + 100_000
    app.add_middleware(BoundedBodies, uploads=dict.fromkeys(("/search", "/api/similar", "/api/score"), largest))
    app.add_middleware(OwnPagesOnly)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_names(context.settings.desk))
    app.add_middleware(SafeAnswers)
    return app


def _names(settings: DeskSettings) -> list[str]:
    public = urlsplit(settings.public_url).hostname
    return [*OWN_NAMES, *settings.hosts, *([public] if public else [])]


def _templates() -> Jinja2Templates:
    environment = Environment(
        loader=PackageLoader("review"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    formatting.teach(environment)
    return Jinja2Templates(env=environment)


def _answer_errors(app: FastAPI) -> None:
    """Let every error end in a sentence: a page for people, JSON below ``/api``."""

    async def sign_in(request: Request, _: Exception) -> Response:
        if _is_api(request):
            return JSONResponse({"detail": "Sign in first."}, 401)
        return RedirectResponse(sign_in_page.PATH, 303)

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotAllowed)  # noqa: S101  for the type checker
        return explain(request, 403, error.why)

    async def by_status(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  for the type checker
        return explain(request, error.status_code, str(error.detail))

    async def by_field(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  for the type checker
        if _is_api(request):
            return _faults(error)
        return explain(request, 422, " ".join(f"{found['loc'][-1]}: {found['msg']}." for found in error.errors()))

    async def by_kind(request: Request, error: Exception) -> Response:
        status = {OutsideError: 503, CaseChanged: 409}
        found = (code for kind, code in status.items() if isinstance(error, kind))
        return explain(request, next(found, 422), str(error))

    handlers: dict[type[Exception], Any] = {
        NotSignedIn: sign_in, NotAllowed: refuse, HTTPException: by_status, RequestValidationError: by_field,
        SeenbeforeError: by_kind,
    }  # fmt: skip
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def explain(request: Request, status: int, sentence: str) -> Response:
    """Answer that something cannot be, and why."""
    if _is_api(request):
        return JSONResponse({"detail": sentence}, status)
    desk: Desk = request.app.state.desk
    told = {"heading": WORDS.get(status, "That did not work"), "sentence": sentence, "session": None}
    return desk.templates.TemplateResponse(request, "error.html", told, status_code=status)


def _faults(error: RequestValidationError) -> Response:
    """Name every value that is wrong, but repeat none: it may hold what no text can, and is not ours to send back."""
    named = [{name: fault[name] for name in ("loc", "msg", "type")} for fault in error.errors()]
    return Response(json.dumps({"detail": named}), 422, media_type="application/json")


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")
