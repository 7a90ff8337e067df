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
from review.access.authentication import OidcAuthenticator
from review.access.middleware import BodyLimitMiddleware, SameOriginMiddleware, SecurityHeadersMiddleware
from review.access.permissions import NotAllowed, NotSignedIn
from review.desk import Desk
from review.pages import PAGES, sign_in_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.settings import DeskSettings
    from models.serving.context import Context
    from review.access.authentication import Authenticator

HERE = Path(__file__).parent
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
HEADINGS = {
    403: "Not for you",
    404: "Nothing is here",
    409: "Somebody was faster",
    413: "Too large",
    422: "That cannot be understood",
    503: "Not now",
}


def create_app(
    context: Context, authenticator: Authenticator, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> FastAPI:
    """Build the desk.

    Parameters
    ----------
    context
        Catalog, image store, models and settings.
    authenticator
        Says whose request it is.
    clock
        Returns what time it is, aware UTC.
    """
    app = FastAPI(title="Seenbefore", summary="The analysts' desk", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = Desk(context, authenticator, _templates(), clock)
    for page in PAGES:
        app.include_router(page.router, include_in_schema=False)
    if isinstance(authenticator, OidcAuthenticator):
        from review.pages import provider_page

        provider_page.add_to(app, authenticator, context.settings.desk)
    app.include_router(api.router, prefix="/api")
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    _add_error_handlers(app)
    largest = context.settings.fetch.max_bytes + 100_000
    app.add_middleware(BodyLimitMiddleware, uploads=dict.fromkeys(("/search", "/api/similar", "/api/score"), largest))
    app.add_middleware(SameOriginMiddleware)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_names(context.settings.desk))
    app.add_middleware(SecurityHeadersMiddleware)
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
    formatting.register_filters(environment)
    return Jinja2Templates(env=environment)


def _add_error_handlers(app: FastAPI) -> None:
    """Let every error end in a sentence: a page for people, JSON below ``/api``."""

    async def sign_in(request: Request, _: Exception) -> Response:
        if _is_api(request):
            return JSONResponse({"detail": "Sign in first."}, 401)
        return RedirectResponse(sign_in_page.PATH, 303)

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotAllowed)  # noqa: S101  for the type checker
        return error_response(request, 403, error.why)

    async def by_status(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  for the type checker
        return error_response(request, error.status_code, str(error.detail))

    async def by_field(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  for the type checker
        if _is_api(request):
            return _field_errors(error)
        return error_response(
            request, 422, " ".join(f"{fault['loc'][-1]}: {fault['msg']}." for fault in error.errors())
        )

    async def by_kind(request: Request, error: Exception) -> Response:
        status = {OutsideError: 503, CaseChanged: 409}
        matching = (code for kind, code in status.items() if isinstance(error, kind))
        return error_response(request, next(matching, 422), str(error))

    handlers: dict[type[Exception], Any] = {
        NotSignedIn: sign_in, NotAllowed: refuse, HTTPException: by_status, RequestValidationError: by_field,
        SeenbeforeError: by_kind,
    }  # fmt: skip
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def error_response(request: Request, status: int, sentence: str) -> Response:
    """Answer that something cannot be, and why."""
    if _is_api(request):
        return JSONResponse({"detail": sentence}, status)
    desk: Desk = request.app.state.desk
    values = {"heading": HEADINGS.get(status, "That did not work"), "sentence": sentence, "session": None}
    return desk.templates.TemplateResponse(request, "error.html", values, status_code=status)


def _field_errors(error: RequestValidationError) -> Response:
    """Name every value that is wrong, but repeat none: it may hold what no text can, and is not ours to send back."""
    named = [{name: fault[name] for name in ("loc", "msg", "type")} for fault in error.errors()]
    return Response(json.dumps({"detail": named}), 422, media_type="application/json")


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")
