"""What every page of the desk needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from fastapi.templating import Jinja2Templates
    from starlette.requests import Request

    from models.serving.context import Context
    from review.access.authentication import Authenticator


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of one home.

    Parameters
    ----------
    context
        Catalog, image store, models and settings.
    authenticator
        Says whose request it is.
    templates
        The pages.
    clock
        Returns what time it is, aware UTC; only the desk's pages ask.
    """

    context: Context
    authenticator: Authenticator
    templates: Jinja2Templates
    clock: Callable[[], datetime]


def desk_of(request: Request) -> Desk:
    """Return the desk that a request came to."""
    desk: Desk = request.app.state.desk
    return desk


def address_of(request: Request) -> str:
    """Return under which address browsers reach the desk, without a slash at its end."""
    return (desk_of(request).context.settings.desk.public_url or str(request.base_url)).rstrip("/")
