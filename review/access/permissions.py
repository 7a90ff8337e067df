"""Who may ask for what: a route names the least role it takes, and whatever changes something needs a CSRF token."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData

from review.access.middleware import SAFE_METHODS
from review.access.roles import Role
from review.access.sessions import Session
from review.desk import desk_of

CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"


class NotSignedIn(Exception):  # noqa: N818 -- the name is the fact
    """Nobody has signed in, or too long ago."""


class NotAllowed(Exception):  # noqa: N818 -- the name is the fact
    """Somebody may not do this."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class RequireRole:
    """A dependency that lets a request through if its user has a role or a higher one, and returns the session.

    Parameters
    ----------
    role
        The least one.
    """

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(self, request: Request) -> Session:
        """Return the session; raise `NotSignedIn` or `NotAllowed`."""
        session = desk_of(request).authenticator.session(request)
        if session is None:
            raise NotSignedIn
        if session.user.role < self.role:
            has = session.user.role.name.lower()
            raise NotAllowed(f"This takes the role {self.role.name.lower()}; you are {has}.")
        if request.method not in SAFE_METHODS:
            await _require_csrf_token(request, session)
        return session


async def _require_csrf_token(request: Request, session: Session) -> None:
    given = request.headers.get(CSRF_HEADER)
    if given is None and not request.headers.get("Content-Type", "").startswith("application/json"):
        given = str((await request.form()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest((given or "").encode(), session.csrf_token.encode()):
        raise NotAllowed("The page was too old, or not ours; nothing was changed. Open it again and repeat.")


async def form_of(request: Request) -> FormData:
    """Return the fields of a form; Starlette reads them once."""
    return await request.form()


Viewer = Annotated[Session, Depends(RequireRole(Role.VIEWER))]
Analyst = Annotated[Session, Depends(RequireRole(Role.ANALYST))]
Lead = Annotated[Session, Depends(RequireRole(Role.LEAD))]
Form = Annotated[FormData, Depends(form_of)]


def required_role(dependant: Any) -> Role | None:
    """Return the role that a route needs, looking through its dependencies; ``None`` if it is open to everybody."""
    if isinstance(dependant.call, RequireRole):
        return dependant.call.role
    roles = [role for inner in dependant.dependencies if (role := required_role(inner)) is not None]
    return max(roles, default=None)
