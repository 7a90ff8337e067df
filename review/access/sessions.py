"""Who has signed in, as a signed cookie: the server keeps nothing, and nobody else can write one."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from itsdangerous import BadData, URLSafeTimedSerializer

from data.durable import write_once
from review.access.roles import Role, User

if TYPE_CHECKING:
    from pathlib import Path

COOKIE = "seenbefore"
LASTS_S = 12 * 3600
"""A working day; after it somebody signs in again."""
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """A user at one browser.

    Parameters
    ----------
    user
        Who it is.
    number
        Random; two sessions never share one.
    csrf_token
        What forms of this session must bring, which no other site can know.
    """

    user: User
    number: str
    csrf_token: str


class Sessions:
    """Makes and reads the cookies of one desk.

    Parameters
    ----------
    secret
        Signs them; whoever has it can be anybody.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._signer = URLSafeTimedSerializer(secret, salt="session", signer_kwargs={"digest_method": sha256})

    def begin(self, user: User) -> str:
        """Return the cookie of a new session."""
        return str(self._signer.dumps([user.name, int(user.role), secrets.token_urlsafe(16)]))

    def read(self, cookie: str) -> Session | None:
        """Return the session of a cookie; ``None`` if it is not ours, or too old."""
        try:
            name, role, number = self._signer.loads(cookie, max_age=LASTS_S)
            return Session(User(name, Role(role)), number, self.csrf_token_of(number))
        except (BadData, ValueError, TypeError):
            return None

    def csrf_token_of(self, number: str) -> str:
        """Return what the forms of a session must bring."""
        return self.secret_for(f"csrf {number}")

    def secret_for(self, purpose: str) -> str:
        """Return a secret for one purpose, which tells nothing of those for others."""
        return hmac.new(self._secret, purpose.encode(), sha256).hexdigest()


def stored_secret(path: Path) -> bytes:
    """Return the desk's secret, made when it is first asked for; only the owner of the file can read it.

    It outlives the server, so that nobody has to sign in again after a restart.
    """
    return write_once(path, secrets.token_bytes(SECRET_BYTES), mode=0o600)  # of servers that start at once, one wins
