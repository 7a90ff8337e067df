"""What holds for every request, whatever it asks for: which host, how large, from where, and what browsers may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1_000_000
"""Of a form or a JSON body; a search takes as large a picture as a download may be."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FROM_HERE = frozenset({"same-origin", "none"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
NOT_KEPT = "no-store"
"""Pages show what was known when they were asked for; browsers keep none of them."""


class SecurityHeadersMiddleware:
    """Tell browsers to run nothing but our files, to show us in nobody's frame, and to keep no page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with our headers added."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", NOT_KEPT)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class SameOriginMiddleware:
    """Refuse requests that change something and that a browser says come from another site's page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            site = Headers(scope=scope).get("Sec-Fetch-Site")
            if site is not None and site not in FROM_HERE:
                refusal = PlainTextResponse("This came from another site's page; nothing was changed.", 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class BodyLimitMiddleware:
    """Refuse bodies that are larger than what is asked for can need, before they are read.

    Parameters
    ----------
    app
        What is guarded.
    uploads
        Paths that take a picture, and the most bytes of one; all others take `MOST_BYTES`.
    """

    def __init__(self, app: ASGIApp, uploads: dict[str, int]) -> None:
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._uploads.get(scope["path"], MOST_BYTES)
        too_large = PlainTextResponse(f"At most {most:,} bytes can be sent here.", 413)
        declared = Headers(scope=scope).get("Content-Length", "0")
        if not declared.isdigit() or int(declared) > most:
            await too_large(scope, receive, send)
            return
        read = 0

        async def receive_bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise _TooLarge
            return message

        try:
            await self._app(scope, receive_bounded, send)
        except _TooLarge:
            await too_large(scope, receive, send)


class _TooLarge(Exception):  # noqa: N818 -- caught where it was raised for
    """More came than was declared or allowed."""
